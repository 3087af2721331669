//! What a credential is awarded for, as it was read and checked.

use serde_json::{Map, Value, json};
use testamur_core::{digest::file_hash, json::canonical};

/// An `Achievement` of Open Badges 3.0. Members that need the issuer's name (ids that the template leaves out) are
/// filled in when it is put into a credential.
#[derive(Clone, Debug, PartialEq)]
pub struct Achievement(pub(super) Map<String, Value>);

impl Achievement {
    /// What people call it.
    pub fn name(&self) -> &str {
        self.text("name").unwrap_or_default()
    }

    /// What it is, in a sentence or two.
    pub fn description(&self) -> &str {
        self.text("description").unwrap_or_default()
    }

    /// What has to be done for it (Markdown), where the template says so itself.
    pub fn criteria(&self) -> Option<&str> {
        self.0.get("criteria")?.get("narrative")?.as_str()
    }

    /// The address of a page that says what has to be done for it.
    pub fn criteria_url(&self) -> Option<&str> {
        self.0.get("criteria")?.get("id")?.as_str()
    }

    /// Its picture: an `https:` or a `data:` URL.
    pub fn image(&self) -> Option<&str> {
        self.0.get("image")?.get("id")?.as_str()
    }

    /// Its edition.
    pub fn version(&self) -> Option<&str> {
        self.text("version")
    }

    /// The results that may be awarded with it: `ResultDescription`s.
    pub fn results(&self) -> &[Value] {
        self.0.get("resultDescription").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// It with an id of its own, and one for each result and level. They are the same in every credential of the same
    /// issuer, template and version, so that a verifier sees one achievement in all of them.
    pub(super) fn complete(&self, issuer: &str, template: &str) -> Map<String, Value> {
        let mut members = self.0.clone();
        let version = self.version().unwrap_or_default();
        let id = name(&mut members, &[issuer, template, version]);
        for result in list(&mut members, "resultDescription") {
            let result_id = name(result, &[&id, &text(result, "name")]);
            for level in list(result, "rubricCriterionLevel") {
                name(level, &[&result_id, &text(level, "name")]);
            }
            require_by_id(result);
        }
        members
    }
}

/// Templates may name the required level; Open Badges wants its id.
fn require_by_id(result: &mut Map<String, Value>) {
    let Some(wanted) = result.get("requiredLevel").cloned() else { return };
    let named =
        list(result, "rubricCriterionLevel").find(|level| level["name"] == wanted).map(|level| level["id"].clone());
    result.extend(named.map(|id| ("requiredLevel".to_owned(), id)));
}

/// Gives an object an id, in front, unless it has one.
fn name(members: &mut Map<String, Value>, of: &[&str]) -> String {
    if let Some(id) = members.get("id").and_then(Value::as_str) {
        return id.to_owned();
    }
    let id = urn(of);
    members.shift_insert(0, "id".to_owned(), json!(id));
    id
}

fn list<'a>(members: &'a mut Map<String, Value>, name: &str) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    members.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

fn text(members: &Map<String, Value>, name: &str) -> String {
    members.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A UUID of the kind that is made of a name (RFC 9562, version 8 with SHA-256, as in its appendix B.2).
fn urn(of: &[&str]) -> String {
    let mut id = [0; 16];
    id.copy_from_slice(&file_hash(&canonical(&json!(of))).0[..16]);
    id[6] = id[6] & 0x0f | 0x80;
    id[8] = id[8] & 0x3f | 0x80;
    let hex = hex::encode(id);
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
