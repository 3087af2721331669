//! Documents that say other things as JSON than as statements, or too many.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use testamur_core::checked::Missing;
use testamur_linked_data::{Canonicalizer, Contexts, LinkedDataError};

const V2: &str = "https://www.w3.org/ns/credentials/v2";

fn credential() -> Value {
    json!({
        "@context": [V2],
        "id": "urn:uuid:1",
        "type": ["VerifiableCredential"],
        "issuer": "did:example:issuer",
        "validUntil": "2030-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:subject", "name": "Ada"},
    })
}

/// The credential with one member more, or another one.
fn with(member: &str, value: Value) -> Value {
    let mut document = credential();
    document[member] = value;
    document
}

fn refusal(document: &Value) -> String {
    let canonicalizer = Canonicalizer::new(Contexts::carried());
    // The excerpt of an honest document must not soften anything.
    canonicalizer.hash(&credential()).unwrap();
    canonicalizer.hash(document).expect_err("it is refused").to_string()
}

#[test]
fn what_no_context_defines_is_named() {
    assert_eq!(refusal(&with("grade", json!("A"))), "grade: no context defines it, so no signature covers it");
    let subject = json!({"id": "did:example:subject", "grade": "A"});
    assert!(refusal(&with("credentialSubject", subject)).starts_with("grade: "));
    assert!(refusal(&with("type", json!(["VerifiableCredential", "Diploma"]))).starts_with("type: "));
    assert!(refusal(&with("id", json!("relative"))).starts_with("relative: it is no absolute IRI"));
    assert!(refusal(&with("issuer", json!("no iri"))).starts_with("no iri: "));
    assert!(refusal(&with("evidence", json!("not a thing"))).starts_with("not a thing: "));
}

#[test]
fn members_cannot_hide_behind_another_name() {
    for (member, value) in [
        ("https://www.w3.org/2018/credentials#credentialStatus", json!({"id": "urn:x:y"})),
        ("@type", json!("VerifiableCredential")),
        ("@graph", json!([{"id": "urn:uuid:1"}])),
        ("@included", json!([{"id": "urn:uuid:1", "validFrom": "2020-01-01T00:00:00Z"}])),
        ("@reverse", json!({})),
        ("@index", json!("unsigned")),
        ("name", json!({"@value": "x", "@direction": "rtl"})),
        ("name", json!([["Ada"]])),
        ("@context", json!([V2, {"name": "https://schema.org/description"}])),
        ("@context", json!([V2, null])),
        ("evidence", json!({"id": "urn:uuid:1", "type": "VerifiableCredential", "validFrom": "2020-01-01T00:00:00Z"})),
        ("evidence", json!({"id": "_:0", "type": "JsonSchema"})),
    ] {
        let refusal = refusal(&with(member, value));
        assert!(refusal.ends_with("so what is signed may not be what is shown"), "{member}: {refusal}");
    }
}

#[test]
fn no_carried_context_has_two_names_for_a_member_that_a_verdict_rests_on() {
    let contexts = Contexts::carried();
    for url in contexts.urls() {
        for (name, meaning) in top_level(contexts.get(url).unwrap()) {
            let Some((_, member)) = meaning.split_once("https://www.w3.org/2018/credentials#") else { continue };
            assert!(name == member || member.contains(':'), "{url} calls {member} {name}");
        }
    }
}

/// Names and the IRIs that they stand for, where these are written out or by the prefix `cred`.
fn top_level(context: &Value) -> Vec<(String, String)> {
    let members = match context {
        Value::Array(contexts) => return contexts.iter().flat_map(top_level).collect(),
        Value::Object(members) => members,
        _ => return Vec::new(),
    };
    let mut found = Vec::new();
    for (name, definition) in members {
        if let Some(iri) = definition.as_str().or_else(|| definition["@id"].as_str()) {
            let iri = iri.replacen("cred:", "https://www.w3.org/2018/credentials#", 1);
            if !name.starts_with('@') && name != "cred" {
                found.push((name.clone(), iri));
            }
        }
        found.extend(top_level(&definition["@context"]));
    }
    found
}

#[test]
fn unknown_contexts_are_asked_for_and_never_fetched() {
    let canonicalizer = Canonicalizer::new(Contexts::carried());
    let error = canonicalizer.hash(&with("@context", json!([V2, "https://example.org/c"]))).unwrap_err();
    assert!(matches!(&error, LinkedDataError::UnknownContext { url, .. } if url == "https://example.org/c"));
    assert!(matches!(Missing::from(error), Missing::NotCarried { .. }));
    let own = br#"{"@context": {"grade": "https://example.org/grade"}}"#;
    let canonicalizer = Canonicalizer::new(Contexts::carried().with("https://example.org/c", own).unwrap());
    let mut document = with("@context", json!([V2, "https://example.org/c"]));
    document["grade"] = json!("A");
    assert!(canonicalizer.n_quads(&document).unwrap().contains("<https://example.org/grade> \"A\""));
}

#[test]
fn work_is_bounded() {
    let too_deep = (0..60).fold(json!({}), |inner, _| json!({"type": "VerifiableCredential", "evidence": inner}));
    assert!(refusal(&with("evidence", too_deep)).contains("levels"));
    let many: Vec<_> = (0..30_000).map(|i| json!(format!("urn:x:{i}"))).collect();
    assert!(refusal(&with("evidence", json!(many))).contains("members and values"));
    assert!(refusal(&with("name", json!("x".repeat(9 << 20)))).contains("bytes of text"));
    let long = format!("urn:x:{}", "y".repeat(1 << 20));
    let facts: Vec<_> = (0..100).map(|i| json!(format!("urn:x:{i}"))).collect();
    assert!(
        refusal(&with("evidence", json!({"id": long, "type": "VerifiableCredential", "evidence": facts})))
            .contains("bytes of statements")
    );
    let alike: Vec<_> = (0..12).map(|_| json!({"type": "JsonSchema"})).collect();
    let twin = json!({"type": "VerifiableCredential", "evidence": alike});
    assert!(refusal(&with("evidence", json!([twin, twin]))).contains("too much alike"));
}

#[test]
fn as_deep_as_allowed_fits_a_small_stack() {
    let deep =
        (0..18).fold(json!({"id": "urn:x:z"}), |inner, _| json!({"type": "VerifiableCredential", "evidence": inner}));
    let document = with("evidence", deep);
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    let hash = thread.spawn(move || Canonicalizer::new(Contexts::carried()).hash(&document)).unwrap().join().unwrap();
    assert!(hash.is_ok(), "{hash:?}");
}
