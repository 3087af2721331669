//! Which column says what, by its heading.
//!
//! Headings are compared without case, accents and punctuation. Known are plain English and Spanish, what Moodle calls its
//! columns (`upload_users`, and the participants and grades that it downloads) and what Canvas does (SIS imports, and the
//! gradebook that it exports). Where several columns say the same, the one that stands first in [`NAMES`] is read: the
//! institution's own number before the platform's.

use std::{fmt, str::FromStr};

use super::fault::{Note, RosterFault};

/// What a column can say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The issuer's own id of the learner.
    Id,
    /// The learner's DID.
    Did,
    /// The learner's e-mail address.
    Email,
    /// The learner's name.
    Name,
    /// The learner's name, as `Lovelace, Ada`.
    SortedName,
    /// The learner's first names.
    GivenName,
    /// The learner's last name, or last names.
    FamilyName,
    /// The learner's second last name, where it has a column of its own.
    SecondFamilyName,
    /// When the achievement was earned.
    Awarded,
    /// Until when it is valid.
    Expires,
    /// What tells several awards of one achievement apart.
    Period,
    /// The academic term.
    Term,
    /// The part that the learner had.
    Role,
    /// The number of a licence.
    LicenseNumber,
    /// Credits earned.
    Credits,
    /// How this learner earned it.
    Narrative,
    /// Addresses of evidence, separated by blanks; in JSON, objects as well.
    Evidence,
    /// How the evidence came to be.
    EvidenceNarrative,
    /// The value of a result: of the one that is named, or of the only one.
    Result(Option<String>),
}

/// Each field with the headings that mean it, spelled as [`plain`] spells them; the first one present is read.
const NAMES: [(Field, &[&str]); 19] = [
    (
        Field::Id,
        &[
            "learner",
            "learner id",
            "student id",
            "student number",
            "sis user id",
            "id number",
            "idnumber",
            "id",
            "user id",
            "numero de id",
            "numero de identificacion",
            "id de estudiante",
            "matricula",
            "expediente",
            "username",
            "nombre de usuario",
            "login id",
            "sis login id",
            "integration id",
        ],
    ),
    (Field::Did, &["did", "learner did", "holder", "holder did", "wallet did"]),
    (
        Field::Email,
        &[
            "email",
            "e mail",
            "email address",
            "e mail address",
            "mail",
            "learner email",
            "student email",
            "recipient email",
            "identity",
            "correo",
            "correo electronico",
            "direccion de correo",
            "direccion de correo electronico",
            "direccion email",
        ],
    ),
    (
        Field::Name,
        &[
            "name",
            "full name",
            "fullname",
            "display name",
            "learner name",
            "student name",
            "recipient",
            "recipient name",
            "nombre completo",
            "nombre y apellidos",
            "estudiante",
            "alumno",
        ],
    ),
    (
        Field::SortedName,
        &["sorted name", "sortable name", "student", "last name first name", "apellidos y nombre", "apellidos nombre"],
    ),
    (Field::GivenName, &["given name", "given names", "first name", "firstname", "first names", "nombre", "nombres"]),
    (
        Field::FamilyName,
        &[
            "family name",
            "last name",
            "lastname",
            "surname",
            "apellidos",
            "apellido",
            "apellido s",
            "primer apellido",
            "apellido 1",
        ],
    ),
    (Field::SecondFamilyName, &["second family name", "segundo apellido", "apellido 2"]),
    (
        Field::Awarded,
        &[
            "awarded",
            "awarded on",
            "award date",
            "date awarded",
            "issued",
            "issued on",
            "issue date",
            "completed",
            "completion date",
            "date",
            "fecha",
            "fecha de emision",
            "fecha de expedicion",
            "fecha de finalizacion",
        ],
    ),
    (
        Field::Expires,
        &[
            "expires",
            "expires on",
            "expiry",
            "expiry date",
            "expiration",
            "expiration date",
            "valid until",
            "caduca",
            "caducidad",
            "fecha de caducidad",
            "valido hasta",
        ],
    ),
    (Field::Period, &["period", "academic year", "periodo", "curso academico"]),
    (Field::Term, &["term", "semester", "semestre", "trimestre"]),
    (Field::Role, &["role", "rol", "papel"]),
    (Field::LicenseNumber, &["license number", "licence number", "numero de licencia"]),
    (Field::Credits, &["credits", "credits earned", "creditos", "ects", "ects credits", "creditos ects"]),
    (Field::Narrative, &["narrative", "narrativa"]),
    (Field::Evidence, &["evidence", "evidence url", "evidence urls", "evidencia", "evidencias", "url de evidencia"]),
    (Field::EvidenceNarrative, &["evidence narrative", "narrativa de la evidencia"]),
    (
        Field::Result(None),
        &[
            "result",
            "grade",
            "final grade",
            "score",
            "final score",
            "course total real",
            "nota",
            "nota final",
            "calificacion",
            "total del curso real",
        ],
    ),
];

/// What begins the heading of a result that is named: `result: Final exam`.
const RESULTS: [&str; 2] = ["result:", "resultado:"];

/// The two columns that `failed.csv` has more than the roster.
pub(super) const OURS: [&str; 2] = ["line", "fault"];

impl FromStr for Field {
    type Err = UnknownField;

    /// `learner`, `id`, `email`, …, `result`, `result:Final exam`: any heading that means the field.
    fn from_str(text: &str) -> Result<Self, UnknownField> {
        ranked(text).map(|(field, _)| field).ok_or(UnknownField)
    }
}

impl fmt::Display for Field {
    /// The name by which [`Field::from_str`] finds it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Id => "id",
            Self::Did => "did",
            Self::Email => "email",
            Self::Name => "name",
            Self::SortedName => "sorted name",
            Self::GivenName => "given name",
            Self::FamilyName => "family name",
            Self::SecondFamilyName => "second family name",
            Self::Awarded => "awarded",
            Self::Expires => "expires",
            Self::Period => "period",
            Self::Term => "term",
            Self::Role => "role",
            Self::LicenseNumber => "license number",
            Self::Credits => "credits",
            Self::Narrative => "narrative",
            Self::Evidence => "evidence",
            Self::EvidenceNarrative => "evidence narrative",
            Self::Result(None) => "result",
            Self::Result(Some(name)) => return write!(f, "result:{name}"),
        };
        f.write_str(name)
    }
}

/// No field is called so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such field. Fields: id, did, email, name, sorted name, given name, family name, second family name, awarded, \
         expires, period, term, role, license number, credits, narrative, evidence, evidence narrative, result, result:NAME"
)]
pub struct UnknownField;

/// The field that a heading means, and how far behind in the list it stands.
fn ranked(heading: &str) -> Option<(Field, usize)> {
    if let Some(name) = RESULTS.iter().find_map(|start| after(heading.trim(), start)).filter(|name| !name.is_empty()) {
        return Some((Field::Result(Some(name.to_owned())), 0));
    }
    let plain = plain(heading);
    NAMES.iter().find_map(|(field, names)| {
        let rank = names.iter().position(|name| *name == plain)?;
        Some((field.clone(), rank))
    })
}

/// What follows a beginning, whatever its case.
fn after<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(start.len())?;
    head.eq_ignore_ascii_case(start).then(|| rest.trim())
}

/// Lower case, without accents; everything that is neither letter nor digit is one blank.
fn plain(heading: &str) -> String {
    let mut out = String::new();
    for letter in heading.chars().flat_map(char::to_lowercase) {
        match letter {
            'á' | 'à' => out.push('a'),
            'é' | 'è' => out.push('e'),
            'í' => out.push('i'),
            'ó' | 'ò' => out.push('o'),
            'ú' | 'ü' => out.push('u'),
            letter if letter.is_alphanumeric() => out.push(letter),
            // A combining accent belongs to the letter before it.
            '\u{300}'..='\u{36f}' => {}
            _ if out.ends_with(' ') => {}
            _ => out.push(' '),
        }
    }
    out.trim().to_owned()
}

/// How many of the headings mean something: what tells separators apart.
pub(super) fn known(headings: &[String]) -> usize {
    headings.iter().filter(|heading| ranked(heading).is_some()).count()
}

/// What the columns say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    /// The headings, trimmed.
    pub headings: Vec<String>,
    /// What each says; `None`: nothing.
    pub fields: Vec<Option<Field>>,
}

impl Columns {
    /// Recognises headings, first by the map, then by their names.
    pub fn new(headings: Vec<String>, map: &[(Field, String)]) -> Result<(Self, Vec<Note>), RosterFault> {
        let mut columns = Self { fields: vec![None; headings.len()], headings };
        for (field, heading) in map {
            let is_it = |found: &String| plain(found) == plain(heading) || found == heading;
            let at = columns.headings.iter().position(is_it).ok_or_else(|| RosterFault::NoSuchHeading {
                heading: heading.clone(),
                found: columns.headings.clone(),
            })?;
            columns.fields[at] = Some(field.clone());
        }
        let notes = columns.recognise()?;
        if columns.has_any(&[Field::Id, Field::Did, Field::Email]) {
            Ok((columns, notes))
        } else {
            Err(RosterFault::NoLearner { found: columns.headings })
        }
    }

    fn has_any(&self, fields: &[Field]) -> bool {
        self.fields.iter().flatten().any(|field| fields.contains(field))
    }

    /// Gives every field that the map left free to the first of its headings.
    fn recognise(&mut self) -> Result<Vec<Note>, RosterFault> {
        let mapped: Vec<_> = self.fields.clone();
        let mut notes = Vec::new();
        let mut best: Vec<(Field, usize, usize)> = Vec::new();
        for (at, heading) in self.headings.iter().enumerate().filter(|(at, _)| mapped[*at].is_none()) {
            if heading.is_empty() || OURS.contains(&plain(heading).as_str()) {
                continue;
            }
            let Some((field, rank)) = ranked(heading) else {
                notes.push(Note::UnknownColumn(heading.clone()));
                continue;
            };
            if let Some(other) = mapped.iter().position(|taken| taken.as_ref() == Some(&field)) {
                notes.push(self.unused(at, other));
                continue;
            }
            match best.iter_mut().find(|(of, ..)| *of == field) {
                None => best.push((field, rank, at)),
                Some((_, better, _)) if *better == rank => {
                    return Err(RosterFault::DoubleColumn { heading: heading.clone() });
                }
                Some((_, better, other)) if *better < rank => notes.push(self.unused(at, *other)),
                Some((_, worse, other)) => {
                    notes.push(self.unused(*other, at));
                    (*worse, *other) = (rank, at);
                }
            }
        }
        for (field, _, at) in best {
            self.fields[at] = Some(field);
        }
        Ok(notes)
    }

    fn unused(&self, at: usize, preferred: usize) -> Note {
        Note::UnusedColumn { heading: self.headings[at].clone(), preferred: self.headings[preferred].clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(headings: &str, map: &[(Field, String)]) -> Result<(Columns, Vec<Note>), RosterFault> {
        Columns::new(headings.split(',').map(|heading| heading.trim().to_owned()).collect(), map)
    }

    fn fields(headings: &str) -> Vec<Option<Field>> {
        columns(headings, &[]).unwrap().0.fields
    }

    #[test]
    fn every_name_is_plain_and_means_one_field() {
        let mut all: Vec<_> = NAMES.iter().flat_map(|(_, names)| names.iter()).collect();
        assert!(all.iter().all(|name| plain(name) == **name));
        all.sort();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn what_platforms_call_their_columns_is_known() {
        use Field::*;
        let upload_users = "username,password,firstname,lastname,email,idnumber,course1,profile_field_dni";
        assert_eq!(
            fields(upload_users),
            [None, None, Some(GivenName), Some(FamilyName), Some(Email), Some(Id), None, None]
        );
        let grades =
            "Nombre,Apellido(s),Número de ID,Institución,Departamento,Dirección de correo,Total del curso (Real)";
        let wanted = [Some(GivenName), Some(FamilyName), Some(Id), None, None, Some(Email), Some(Result(None))];
        assert_eq!(fields(grades), wanted);
        let sis = "user_id,integration_id,login_id,password,first_name,last_name,full_name,sortable_name,email,status";
        let wanted = [
            Some(Id),
            None,
            None,
            None,
            Some(GivenName),
            Some(FamilyName),
            Some(Name),
            Some(SortedName),
            Some(Email),
            None,
        ];
        assert_eq!(fields(sis), wanted);
        let gradebook = "Student,ID,SIS User ID,SIS Login ID,Section,Quiz 1 (87568490),Final Grade,Final Score";
        let wanted = [Some(SortedName), None, Some(Id), None, None, None, Some(Result(None)), None];
        assert_eq!(fields(gradebook), wanted);
        assert_eq!(fields("name,pubkey,identity"), [Some(Name), None, Some(Email)]);
        assert_eq!(fields("E-MAIL,result: Final exam"), [Some(Email), Some(Result(Some("Final exam".to_owned())))]);
    }

    #[test]
    fn the_map_comes_first() {
        let map =
            [("learner".parse().unwrap(), "Matrikel".to_owned()), ("result:Oral".parse().unwrap(), "x".to_owned())];
        let (columns, notes) = columns("ID,matrikel,x", &map).unwrap();
        assert_eq!(columns.fields, [None, Some(Field::Id), Some(Field::Result(Some("Oral".to_owned())))]);
        assert_eq!(notes, [Note::UnusedColumn { heading: "ID".to_owned(), preferred: "matrikel".to_owned() }]);
        assert_eq!("colour".parse::<Field>(), Err(UnknownField));
    }

    #[test]
    fn what_cannot_be_told_apart_is_told() {
        let told = |headings, map: &[(Field, String)]| columns(headings, map).unwrap_err().to_string();
        assert!(told("email,E-Mail,EMAIL", &[]).contains("two columns are headed `EMAIL`"));
        assert!(told("Nombre,Nota", &[]).ends_with("Found: `Nombre`, `Nota`"));
        let map = [(Field::Id, "Matrikel".to_owned())];
        assert!(told("Nombre,Nota", &map).contains("no column is headed `Matrikel`"));
        let (_, notes) = columns("email,shoe size,line,fault,", &[]).unwrap();
        assert_eq!(notes, [Note::UnknownColumn("shoe size".to_owned())]);
    }
}
