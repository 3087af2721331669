//! Marks, grades and levels, as the template describes them.

use serde_json::{Map, Value, json};

use super::Misfit;
use crate::roster::ResultValue;

/// `ResultStatusType` of Open Badges 3.0.
const STATUSES: [&str; 7] = ["Completed", "Enrolled", "Failed", "InProgress", "OnHold", "Provisional", "Withdrew"];

/// The `Result`s of a credential for this achievement, whose results and levels have their ids.
pub(super) fn results(values: &[ResultValue], achievement: &Map<String, Value>) -> Result<Vec<Value>, Misfit> {
    let described = list(achievement.get("resultDescription"));
    let mut taken = Vec::new();
    let result = |value| {
        let description = description(value, described)?;
        if taken.contains(&&description["id"]) {
            return Err(Misfit::Twice(text(description, "name")));
        }
        taken.push(&description["id"]);
        result(value, description)
    };
    values.iter().map(result).collect()
}

/// What a value is a value of.
fn description<'a>(value: &ResultValue, described: &'a [Value]) -> Result<&'a Value, Misfit> {
    let names = || described.iter().map(|one| text(one, "name")).collect();
    match (&value.of, described) {
        (None, [one]) => Ok(one),
        (None, []) => Err(Misfit::UnknownResult { found: None, names: Vec::new() }),
        (None, _) => Err(Misfit::WhichResult { names: names() }),
        (Some(of), _) => {
            if let Some(meant) = described.iter().find(|one| one["id"] == *of) {
                return Ok(meant);
            }
            let mut named = described.iter().filter(|one| text(one, "name").eq_ignore_ascii_case(of.trim()));
            match (named.next(), named.next()) {
                (Some(meant), None) => Ok(meant),
                (Some(_), Some(_)) => Err(Misfit::WhichResult { names: names() }),
                (None, _) => Err(Misfit::UnknownResult { found: Some(of.clone()), names: names() }),
            }
        }
    }
}

fn result(value: &ResultValue, description: &Value) -> Result<Value, Misfit> {
    let found = value.value.trim();
    let refused =
        |allowed: String| Misfit::Value { result: text(description, "name"), found: found.to_owned(), allowed };
    let mut result = Map::from_iter([
        ("type".to_owned(), json!(["Result"])),
        ("resultDescription".to_owned(), description["id"].clone()),
    ]);
    let levels = list(description.get("rubricCriterionLevel"));
    if !levels.is_empty() {
        let is_meant = |level: &&Value| level["id"] == found || level["name"] == found;
        let level = levels.iter().find(is_meant).ok_or_else(|| refused(one_of(levels.iter().map(|l| &l["name"]))))?;
        result.insert("achievedLevel".to_owned(), level["id"].clone());
    } else if description["resultType"] == "Status" {
        let status = STATUSES.iter().find(|status| status.eq_ignore_ascii_case(found));
        let status = status.ok_or_else(|| refused(format!("write one of {}", STATUSES.join(", "))))?;
        result.insert("status".to_owned(), json!(status));
    } else {
        check(found, description).map_err(refused)?;
        result.insert("value".to_owned(), json!(found));
    }
    Ok(Value::Object(result))
}

/// Whether the description allows the value; what it allows, if not.
fn check(value: &str, description: &Value) -> Result<(), String> {
    let allowed = list(description.get("allowedValue"));
    if !allowed.is_empty() && !allowed.iter().any(|one| one == value) {
        return Err(one_of(allowed));
    }
    if value.is_empty() {
        return Err("write one".to_owned());
    }
    let limit = |name: &str| description[name].as_str()?.parse::<f64>().ok();
    let (min, max) = (limit("valueMin"), limit("valueMax"));
    if min.is_none() && max.is_none() {
        return Ok(());
    }
    let fits = |number: f64| min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max);
    if value.parse().is_ok_and(fits) {
        return Ok(());
    }
    let bound = |word: &str, name: &str| description[name].as_str().map(|limit| format!(" {word} {limit}"));
    Err(format!(
        "write a number{}{}",
        bound("from", "valueMin").unwrap_or_default(),
        bound("up to", "valueMax").unwrap_or_default()
    ))
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text(of: &Value, name: &str) -> String {
    of[name].as_str().unwrap_or_default().to_owned()
}

fn one_of<'a>(values: impl IntoIterator<Item = &'a Value>) -> String {
    let values: Vec<&str> = values.into_iter().filter_map(Value::as_str).collect();
    format!("write one of {}", values.join(", "))
}
