//! What no single member shows: members that need each other, or contradict each other.

use serde_json::{Map, Value, json};

use super::{
    TemplateFaults,
    model::Class,
    read::{join, shown},
};

/// Frameworks that an address alone tells: how it begins, what the framework is called, what kind of node it is.
const FRAMEWORKS: [(&str, Option<&str>, Option<&str>); 4] = [
    ("http://data.europa.eu/esco/", Some("ESCO"), None),
    ("https://credentialengineregistry.org/resources/", None, Some("CTDL")),
    ("https://credentialfinder.org/", None, Some("CTDL")),
    ("https://caseregistry.imsglobal.org/", None, Some("CFItem")),
];

/// Checks an object of `class` that was read, and fills in what its members imply.
pub fn check(read: &mut Map<String, Value>, class: &Class, path: &str, faults: &mut TemplateFaults) {
    match class.name {
        "Alignment" => framework(read),
        "Criteria" if read.is_empty() => {
            let help = "write `narrative`: what one has to do for it; or `id`: the address of a page that says it";
            faults.add(path, "it says nothing", help);
        }
        "Evidence" if read.len() < 2 => {
            faults.add(path, "it says nothing", "write an `id` (its address) or a `narrative`")
        }
        "ResultDescription" => result(read, path, faults),
        "Profile" if read.get("email").and_then(Value::as_str).is_some_and(|email| !email.contains('@')) => {
            faults.add(join(path, "email"), "it is no e-mail address", "write one, or leave it out");
        }
        "Achievement" => unique(read, "resultDescription", path, faults),
        _ => (),
    }
}

fn framework(alignment: &mut Map<String, Value>) {
    let url = alignment.get("targetUrl").and_then(Value::as_str).unwrap_or_default().to_owned();
    let known = FRAMEWORKS.iter().find(|(start, ..)| url.starts_with(start));
    let (framework, kind) = known.map_or((None, None), |(_, framework, kind)| (*framework, *kind));
    let kind = kind.or(url.contains("/ims/case/v1p0/CFItems/").then_some("CFItem"));
    for (name, implied) in [("targetFramework", framework), ("targetType", kind)] {
        if let Some(implied) = implied {
            alignment.entry(name).or_insert(json!(implied));
        }
    }
}

fn result(result: &Map<String, Value>, path: &str, faults: &mut TemplateFaults) {
    unique(result, "rubricCriterionLevel", path, faults);
    let text = |name: &str| result.get(name).and_then(Value::as_str);
    let list = |name: &str| result.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if let Some(value) = text("requiredValue") {
        let allowed = list("allowedValue");
        if !allowed.is_empty() && !allowed.iter().any(|one| one == value) {
            let what = format!("{} is none of allowedValue", shown(value));
            faults.add(join(path, "requiredValue"), what, "write one of them");
        }
    }
    if let Some(wanted) = text("requiredLevel")
        && !list("rubricCriterionLevel").iter().any(|level| level["id"] == wanted || level["name"] == wanted)
    {
        let what = format!("{} is the name or id of none of its levels", shown(wanted));
        faults.add(join(path, "requiredLevel"), what, "write one of rubricCriterionLevel");
    }
    let number = |name: &str| text(name).and_then(|text| text.parse::<f64>().ok());
    if let (Some(min), Some(max)) = (number("valueMin"), number("valueMax"))
        && min > max
    {
        faults.add(join(path, "valueMin"), format!("{min} is more than valueMax, {max}"), "swap them");
    }
}

/// What has no id gets one that is made of its name.
fn unique(of: &Map<String, Value>, list: &str, path: &str, faults: &mut TemplateFaults) {
    let all = of.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (at, one) in all.iter().enumerate() {
        let key = if one["id"].is_string() { "id" } else { "name" };
        let is_same = |other: &Value| other[key] == one[key] && (key == "id" || !other["id"].is_string());
        if let Some(first) = all[..at].iter().position(is_same) {
            let place = format!("{}[{at}].{key}", join(path, list));
            faults.add(place, format!("it is that of {list}[{first}] too"), "give each its own");
        }
    }
}
