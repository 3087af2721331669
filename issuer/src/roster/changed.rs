//! An award that was read before, with some of it said anew.

use serde_json::{Map, Value, json};
use testamur_core::UnixSeconds;

use super::{
    award::{Award, Learner},
    columns::Field,
    fault::{CellFault, Fault, RowFault},
    given::{self, Defaults, Given},
};

/// A field with the name that it goes by in messages, and its value.
type Said = (Field, String, Value);

/// The award with these changes: each a field by a heading of rosters, and its new value as in a roster of JSON lines,
/// `null` for none. A learner who was known by an address that is changed is known by the new one.
pub fn changed(award: &Award, changes: &Map<String, Value>) -> Result<Award, RowFault> {
    let mut said = said(award);
    for (name, value) in changes {
        let field: Field = name.parse().map_err(|_| unknown(name))?;
        said.retain(|(old, ..)| !is_replaced(old, &field));
        said.push((field, name.clone(), value.clone()));
    }
    let given = said.iter().map(|(field, column, value)| Given { field, column, value: value.clone() });
    given::award(given.collect(), Defaults { dates: None, period: "" })
}

fn unknown(name: &str) -> RowFault {
    RowFault { faults: vec![CellFault { column: Some(name.to_owned()), fault: Fault::NoSuchField }] }
}

/// A name in one piece goes when one in parts is said; a result without a name stands for all of them.
fn is_replaced(old: &Field, new: &Field) -> bool {
    let is_part = matches!(new, Field::SortedName | Field::GivenName | Field::FamilyName | Field::SecondFamilyName);
    old == new || (*old == Field::Name && is_part) || (matches!(old, Field::Result(_)) && *new == Field::Result(None))
}

/// The award as a row says it.
fn said(award: &Award) -> Vec<Said> {
    let Learner { key, name, email, did } = &award.learner;
    let is_own_id = did.as_ref() != Some(key) && email.as_ref().map(|email| email.to_lowercase()).as_ref() != Some(key);
    let time = |time: Option<UnixSeconds>| json!(time.map(|time| time.to_string()));
    let fields = [
        (Field::Id, "id", json!(is_own_id.then_some(key))),
        (Field::Did, "did", json!(did)),
        (Field::Email, "email", json!(email)),
        (Field::Name, "name", json!(name)),
        (Field::Awarded, "awarded", time(award.awarded)),
        (Field::Expires, "expires", time(award.expires)),
        (Field::Period, "period", json!(award.period)),
        (Field::Term, "term", json!(award.term)),
        (Field::Role, "role", json!(award.role)),
        (Field::LicenseNumber, "license number", json!(award.license_number)),
        (Field::Credits, "credits", json!(award.credits_earned)),
        (Field::Narrative, "narrative", json!(award.narrative)),
        (Field::Evidence, "evidence", json!(award.evidence)),
    ];
    let results =
        award.results.iter().map(|result| (Field::Result(result.of.clone()), "result".to_owned(), json!(result.value)));
    fields.into_iter().map(|(field, name, value)| (field, name.to_owned(), value)).chain(results).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::{Evidence, ResultValue};

    fn award() -> Award {
        Award {
            learner: Learner {
                key: "ada@x.example".to_owned(),
                name: Some("Ada Byron".to_owned()),
                email: Some("Ada@x.example".to_owned()),
                did: None,
            },
            awarded: Some(UnixSeconds(1_790_000_000)),
            expires: Some(UnixSeconds(1_890_000_000)),
            period: "2026".to_owned(),
            term: Some("Spring".to_owned()),
            role: None,
            license_number: None,
            credits_earned: Some(7.5),
            narrative: Some("Two\nlines".to_owned()),
            evidence: vec![Evidence { narrative: Some("Seen".to_owned()), ..Evidence::default() }],
            results: vec![
                ResultValue { of: Some("Oral".to_owned()), value: "9".to_owned() },
                ResultValue { of: Some("Written".to_owned()), value: "8".to_owned() },
            ],
        }
    }

    fn with(changes: Value) -> Result<Award, String> {
        changed(&award(), changes.as_object().unwrap()).map_err(|fault| fault.to_string())
    }

    #[test]
    fn nothing_changes_but_what_is_said() {
        assert_eq!(with(json!({})), Ok(award()));
        let mut married = award();
        married.learner.name = Some("Ada King".to_owned());
        assert_eq!(with(json!({ "name": "Ada King" })), Ok(married.clone()));
        assert_eq!(with(json!({ "first name": "Ada", "last name": "King" })), Ok(married));
        let mut better = award();
        better.results[0].value = "10".to_owned();
        better.results.reverse();
        assert_eq!(with(json!({ "result: Oral": "10" })), Ok(better));
        assert_eq!(with(json!({ "expires": null })), Ok(Award { expires: None, ..award() }));
    }

    #[test]
    fn a_learner_is_known_by_the_new_address_or_by_their_number() {
        assert_eq!(with(json!({ "email": "ada@king.example" })).unwrap().learner.key, "ada@king.example");
        let mut numbered = award();
        numbered.learner.key = "s-7".to_owned();
        let changes = json!({ "email": "ada@king.example" });
        assert_eq!(changed(&numbered, changes.as_object().unwrap()).unwrap().learner.key, "s-7");
    }

    #[test]
    fn what_is_wrong_is_told() {
        assert!(with(json!({ "shoe": 44 })).unwrap_err().contains("column `shoe`: no such field"));
        assert!(with(json!({ "email": "ada" })).unwrap_err().contains("no e-mail address"));
        assert!(with(json!({ "email": null })).unwrap_err().contains("nothing says who"));
        assert!(with(json!({ "name": "A\u{202e}da" })).is_err());
    }
}
