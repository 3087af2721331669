//! From the cells of a row to an award, with every fault and not only the first.

use serde_json::Value;
use testamur_core::UnixSeconds;

use super::{
    award::{Award, Evidence, Learner, ResultValue},
    cells,
    columns::Field,
    dates::{self, DateOrder, Edge},
    fault::{CellFault, Fault, RowFault},
};

/// A cell that says something. In JSON it may be more than a text.
#[derive(Clone, Debug)]
pub(super) struct Given<'a> {
    pub field: &'a Field,
    /// The heading, for messages.
    pub column: &'a str,
    pub value: Value,
}

/// What the row does not say itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Defaults<'a> {
    pub dates: Option<DateOrder>,
    pub period: &'a str,
}

/// A row's cells, and what was wrong with them so far.
struct Reader<'a> {
    given: Vec<Given<'a>>,
    faults: Vec<CellFault>,
}

/// Makes an award of a row.
pub(super) fn award(given: Vec<Given<'_>>, defaults: Defaults<'_>) -> Result<Award, RowFault> {
    let given = given.into_iter().filter(|given| !is_empty(&given.value)).collect();
    let mut row = Reader { given, faults: Vec::new() };
    let learner = row.learner();
    let awarded = row.date(&Field::Awarded, defaults.dates, Edge::Start);
    let expires = row.date(&Field::Expires, defaults.dates, Edge::End);
    if awarded.zip(expires).is_some_and(|(awarded, expires)| expires < awarded) {
        row.fault(&Field::Expires, Fault::ExpiresFirst);
    }
    let award = Award {
        learner,
        awarded,
        expires,
        period: row.line(&Field::Period).unwrap_or_else(|| defaults.period.to_owned()),
        term: row.line(&Field::Term),
        role: row.line(&Field::Role),
        license_number: row.line(&Field::LicenseNumber),
        credits_earned: row.text(&Field::Credits, cells::number),
        narrative: row.text(&Field::Narrative, cells::lines),
        evidence: row.evidence(),
        results: row.results(),
    };
    if row.faults.is_empty() { Ok(award) } else { Err(RowFault { faults: row.faults }) }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// A text as it is, a number as it is written.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl<'a> Reader<'a> {
    fn learner(&mut self) -> Learner {
        let id = self.line(&Field::Id);
        let did = self.text(&Field::Did, cells::did);
        let email = self.text(&Field::Email, cells::email);
        let key = id.or_else(|| did.clone()).or_else(|| email.as_deref().map(str::to_lowercase));
        let names_someone = [Field::Id, Field::Did, Field::Email].iter().any(|field| self.find(field).is_some());
        if !names_someone {
            self.faults.push(CellFault { column: None, fault: Fault::NoLearner });
        }
        Learner { key: key.unwrap_or_default(), name: self.name(), email, did }
    }

    fn name(&mut self) -> Option<String> {
        if let Some(name) = self.line(&Field::Name) {
            return Some(name);
        }
        let parts = [Field::GivenName, Field::FamilyName, Field::SecondFamilyName].map(|field| self.line(&field));
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        if parts.is_empty() {
            self.line(&Field::SortedName).map(|name| cells::unsorted(&name))
        } else {
            Some(parts.join(" "))
        }
    }

    fn date(&mut self, field: &Field, order: Option<DateOrder>, edge: Edge) -> Option<UnixSeconds> {
        self.text(field, |text| dates::instant(text, order, edge).map_err(Fault::Date))
    }

    fn evidence(&mut self) -> Vec<Evidence> {
        let narrative = self.text(&Field::EvidenceNarrative, cells::lines);
        let mut all = match self.find(&Field::Evidence).map(|given| given.value.clone()) {
            None => Vec::new(),
            Some(value) => self.checked(&Field::Evidence, evidence(&value)).unwrap_or_default(),
        };
        match (&mut all[..], narrative) {
            (_, None) => {}
            ([], narrative) => all.push(Evidence { narrative, ..Evidence::default() }),
            ([only], narrative) => only.narrative = narrative.or_else(|| only.narrative.take()),
            (_, Some(_)) => {
                self.fault(&Field::EvidenceNarrative, Fault::Kind { wanted: "one piece of evidence, not several," })
            }
        }
        all
    }

    fn results(&mut self) -> Vec<ResultValue> {
        let given: Vec<_> =
            self.given.iter().filter(|given| matches!(given.field, Field::Result(_))).cloned().collect();
        let mut all = Vec::new();
        for Given { field, column, value } in given {
            let Field::Result(of) = field else { continue };
            match results(of.as_ref(), &value) {
                Ok(found) => all.extend(found),
                Err(fault) => self.faults.push(CellFault { column: Some(column.to_owned()), fault }),
            }
        }
        all
    }

    fn line(&mut self, field: &Field) -> Option<String> {
        self.text(field, cells::line)
    }

    /// A field's text, read by a rule of [`cells`].
    fn text<T>(&mut self, field: &Field, read: impl Fn(&str) -> Result<T, Fault>) -> Option<T> {
        let text = text_of(&self.find(field)?.value);
        self.checked(field, text.ok_or(Fault::Kind { wanted: "a text" }).and_then(|text| read(&text)))
    }

    fn checked<T>(&mut self, field: &Field, read: Result<T, Fault>) -> Option<T> {
        read.map_err(|fault| self.fault(field, fault)).ok()
    }

    fn fault(&mut self, field: &Field, fault: Fault) {
        let column = self.find(field).map(|given| given.column.to_owned());
        self.faults.push(CellFault { column, fault });
    }

    fn find(&self, field: &Field) -> Option<&Given<'a>> {
        self.given.iter().find(|given| given.field == field)
    }
}

/// Addresses separated by blanks; an object; or several of both.
fn evidence(value: &Value) -> Result<Vec<Evidence>, Fault> {
    match value {
        Value::String(text) => text
            .split_whitespace()
            .map(|address| Ok(Evidence { id: Some(cells::url(address)?), ..Evidence::default() }))
            .collect(),
        Value::Array(items) => Ok(items.iter().map(evidence).collect::<Result<Vec<_>, _>>()?.concat()),
        Value::Object(_) => piece(value).map(|piece| vec![piece]),
        _ => Err(Fault::Kind { wanted: "an address, an object, or an array of them" }),
    }
}

fn piece(value: &Value) -> Result<Evidence, Fault> {
    const WANTED: Fault =
        Fault::Kind { wanted: "an object with id or narrative, and name, description, genre, audience as you like," };
    let said: Evidence = serde_json::from_value(value.clone()).map_err(|_| WANTED)?;
    if said.id.is_none() && said.narrative.is_none() {
        return Err(WANTED);
    }
    let line = |text: Option<String>| text.map(|text| cells::line(&text)).transpose();
    let lines = |text: Option<String>| text.map(|text| cells::lines(&text)).transpose();
    Ok(Evidence {
        id: said.id.map(|id| cells::url(&id)).transpose()?,
        name: line(said.name)?,
        narrative: lines(said.narrative)?,
        description: lines(said.description)?,
        genre: line(said.genre)?,
        audience: line(said.audience)?,
    })
}

/// A value; in JSON, an array of `{"of": …, "value": …}` as well.
fn results(of: Option<&String>, value: &Value) -> Result<Vec<ResultValue>, Fault> {
    const WANTED: Fault = Fault::Kind { wanted: "a value, or an array of objects with `of` and `value`," };
    match value {
        Value::Array(items) if of.is_none() => {
            let read = |item: &Value| serde_json::from_value::<ResultValue>(item.clone()).map_err(|_| WANTED);
            let checked = |said: ResultValue| {
                let of = said.of.map(|of| cells::line(&of)).transpose()?;
                Ok(ResultValue { of, value: cells::line(&said.value)? })
            };
            items.iter().map(|item| read(item).and_then(checked)).collect()
        }
        _ => {
            let text = text_of(value).ok_or(WANTED)?;
            Ok(vec![ResultValue { of: of.cloned(), value: cells::line(&text)? }])
        }
    }
}
