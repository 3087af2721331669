//! One JSON, one reading: JSON-LD whose JSON says what its statements say.
//!
//! A signature over statements does not cover how JSON spells them. Whoever holds a signed credential may rename
//! `credentialStatus` to the IRI that it stands for, or bring along a context that calls it otherwise: the signature
//! still holds, and a reader of plain JSON sees no status. The libraries that work out canonical forms take such
//! spellings, so they are refused before one is asked for: the rules are those of `linked-data`, as far as they need no
//! contexts.

use serde_json::{Map, Value};

/// Why a document is not read, in words; nothing is said against it.
pub fn check(document: &Value) -> Result<(), String> {
    let Value::Object(root) = document else { return Err("it is no JSON object".to_owned()) };
    members(root, root.get("id"))
}

fn members(object: &Map<String, Value>, root: Option<&Value>) -> Result<(), String> {
    for (name, value) in object {
        match (name.as_str(), value) {
            ("@context", context) => names_contexts(context)?,
            (name, _) if name.starts_with('@') && name != "@value" && name != "@language" => {
                return Err(format!("{name}: a keyword of JSON-LD where a name is expected"));
            }
            (name, _) if name.contains(':') => return Err(format!("{name}: an IRI where a name is expected")),
            (name, Value::Array(items)) => items.iter().try_for_each(|item| value_of(name, item, root))?,
            (name, item) => value_of(name, item, root)?,
        }
    }
    Ok(())
}

fn value_of(name: &str, value: &Value, root: Option<&Value>) -> Result<(), String> {
    match value {
        Value::Array(_) => Err(format!("{name}: an array in an array, which means the same as one array")),
        Value::String(text) if text.starts_with("_:") => {
            Err(format!("{name}: a name for a nameless node, which could be another node's"))
        }
        Value::Object(inner) if root.is_some() && inner.get("id") == root && inner.len() > 1 => {
            Err(format!("{name}: a second object with the document's id"))
        }
        Value::Object(inner) => members(inner, root),
        _ => Ok(()),
    }
}

fn names_contexts(context: &Value) -> Result<(), String> {
    let is_named = match context {
        Value::Array(contexts) => contexts.iter().all(Value::is_string),
        context => context.is_string(),
    };
    if is_named { Ok(()) } else { Err("@context: the document brings its own meaning of names along".to_owned()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn credential() -> Value {
        json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "id": "urn:uuid:1",
            "type": ["VerifiableCredential"],
            "issuer": { "id": "did:web:university.example", "name": { "@value": "U", "@language": "en" } },
            "validUntil": "2030-01-01T00:00:00Z",
            "credentialSubject": [{ "id": "urn:uuid:2", "about": { "id": "urn:uuid:1" } }],
            "credentialStatus": { "type": "BitstringStatusListEntry" },
        })
    }

    #[test]
    fn what_says_what_it_means_is_read() {
        assert_eq!(check(&credential()), Ok(()));
    }

    #[test]
    fn a_status_or_a_date_in_disguise_is_not_read() {
        let without = |name: &str| {
            let mut disguised = credential();
            let value = disguised.as_object_mut().and_then(|members| members.shift_remove(name));
            (disguised, value.expect("it is there"))
        };
        for name in ["credentialStatus", "validUntil"] {
            for spelling in [format!("https://www.w3.org/2018/credentials#{name}"), format!("cred:{name}")] {
                let (mut disguised, value) = without(name);
                disguised[spelling.as_str()] = value;
                assert!(check(&disguised).is_err(), "{spelling}");
            }
            let (mut disguised, value) = without(name);
            disguised["harmless"] = value.clone();
            let own = json!({ "harmless": format!("https://www.w3.org/2018/credentials#{name}") });
            disguised["@context"] = json!(["https://www.w3.org/ns/credentials/v2", own]);
            assert!(check(&disguised).is_err(), "a context of its own");
            for keyword in ["@included", "@nest", "@graph", "@reverse"] {
                let (mut disguised, value) = without(name);
                disguised[keyword] = json!({ "id": "urn:uuid:1", name: value });
                assert!(check(&disguised).is_err(), "{keyword}");
            }
            let (mut disguised, value) = without(name);
            disguised["credentialSubject"][0]["about"][name] = value;
            assert!(check(&disguised).is_err(), "in a second object of the same id");
        }
        let with = |name: &str, value: Value| {
            let mut disguised = credential();
            disguised[name] = value;
            check(&disguised).is_err()
        };
        assert!(with("id", json!("_:b0")));
        assert!(with("credentialStatus", json!([[{ "type": "BitstringStatusListEntry" }]])));
        assert!(with("credentialSubject", json!({ "@context": { "x": "y:z" } })));
    }
}
