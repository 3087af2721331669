use serde_json::{Value, json};
use testamur_core::UnixSeconds;

use super::*;
use crate::{Shelf, Supplied};

const SCHOOL: &str = "did:web:school.example";
const SCHOOL_URL: &str = "https://school.example/.well-known/did.json";
const PAGE: &str = "https://school.example/issuers/1";
const SPELLED: &str = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";
const OTHER: &str = "z6MkjXe1vZvPRqFuc9nRBtZ3e1Y9XKDFSbjFAfzLfW2bD6cZ";

fn shelf(documents: &[(&str, Value)]) -> Shelf {
    let mut shelf = Shelf::default();
    for (url, document) in documents {
        let bytes = document.to_string().into_bytes().into();
        shelf.put_document(*url, Ok(Supplied { bytes, as_of: UnixSeconds(7) }));
    }
    shelf
}

fn document(name: &str, methods: &[(&str, &str)]) -> Value {
    let method = |(id, key): &(&str, &str)| {
        let id = if id.starts_with('#') { format!("{name}{id}") } else { (*id).to_owned() };
        json!({ "id": id, "type": "Multikey", "controller": name, "publicKeyMultibase": key })
    };
    json!({ "id": name, "assertionMethod": methods.iter().map(method).collect::<Vec<_>>() })
}

fn did_key(key: &str) -> (String, String) {
    (format!("did:key:{key}"), format!("did:key:{key}#{key}"))
}

fn down() -> Missing {
    Missing::Unreachable { what: SCHOOL_URL.to_owned(), detail: "down".to_owned() }
}

fn standing(method: &str, named: &str, shelf: &Shelf) -> Result<KeyOwner, SignatureFault> {
    resolve(method, Some(named), shelf).expect("a key").standing
}

const HERE: KeyOwner = KeyOwner::Issuer { as_of: None, until: None };
const LISTED: KeyOwner = KeyOwner::Issuer { as_of: Some(UnixSeconds(7)), until: None };

#[test]
fn a_did_that_is_the_key_is_its_own_proof() {
    let (did, method) = did_key(SPELLED);
    let shelf = Shelf::default();
    assert_eq!(standing(&method, &did, &shelf), Ok(HERE));
    assert_eq!(standing(&did, &did, &shelf), Ok(HERE), "without a fragment");
    let (other, _) = did_key(OTHER);
    assert!(matches!(standing(&method, &other, &shelf), Err(SignatureFault::OtherOwner { .. })));
    assert_eq!(standing(&method, "urn:uuid:1", &shelf), Ok(KeyOwner::Untied { owner: did.clone() }));
    assert_eq!(resolve(&method, None, &shelf).expect("a key").standing, Ok(KeyOwner::Untied { owner: did.clone() }));
    let elsewhere = format!("{did}#{OTHER}");
    let fault = Unresolved::Fault(SignatureFault::NotListed { document: did, key: elsewhere.clone() });
    assert_eq!(resolve(&elsewhere, None, &shelf), Err(fault));
}

#[test]
fn the_document_decides_which_keys_are_the_issuers() {
    let shelf = shelf(&[(SCHOOL_URL, document(SCHOOL, &[("#key-1", SPELLED)]))]);
    assert_eq!(standing(&format!("{SCHOOL}#key-1"), SCHOOL, &shelf), Ok(LISTED));
    let method = format!("{SCHOOL}#key-2");
    let not_listed = SignatureFault::NotListed { document: SCHOOL.to_owned(), key: method.clone() };
    assert_eq!(resolve(&method, Some(SCHOOL), &shelf), Err(Unresolved::Fault(not_listed)));
    let spelled = format!("{SCHOOL}#{OTHER}");
    let not_listed = SignatureFault::NotListed { document: SCHOOL.to_owned(), key: spelled.clone() };
    assert_eq!(standing(&spelled, SCHOOL, &shelf), Err(not_listed));
    assert_eq!(resolve(SCHOOL, Some(SCHOOL), &shelf), Err(Unresolved::Gap(SignatureGap::NoKey)));
}

#[test]
fn a_host_that_is_down_leaves_the_spelled_key_and_no_owner() {
    let mut shelf = Shelf::default();
    let (spelled, named) = (format!("{SCHOOL}#{SPELLED}"), format!("{SCHOOL}#key-1"));
    let not_asked = Missing::NotAsked { what: SCHOOL_URL.to_owned() };
    assert_eq!(standing(&spelled, SCHOOL, &shelf), Ok(KeyOwner::Unproven(not_asked)));
    assert!(shelf.take_wanted().documents.contains(SCHOOL_URL));
    shelf.put_document(SCHOOL_URL, Err(down()));
    assert_eq!(standing(&spelled, SCHOOL, &shelf), Ok(KeyOwner::Unproven(down())));
    assert_eq!(resolve(&named, Some(SCHOOL), &shelf), Err(Unresolved::Gap(SignatureGap::Missing(down()))));
    assert_eq!(standing(&spelled, "urn:uuid:1", &shelf), Ok(KeyOwner::Unproven(down())));
    let (other, _) = did_key(OTHER);
    assert!(matches!(standing(&spelled, &other, &shelf), Err(SignatureFault::OtherOwner { .. })));
}

#[test]
fn an_issuer_may_list_a_key_of_another_name() {
    let (did, method) = did_key(SPELLED);
    let lists = |methods: &[(&str, &str)]| shelf(&[(SCHOOL_URL, document(SCHOOL, methods))]);
    assert_eq!(standing(&method, SCHOOL, &lists(&[("#same", SPELLED)])), Ok(LISTED));
    let other = SignatureFault::OtherOwner { owner: did, named: SCHOOL.to_owned() };
    assert_eq!(standing(&method, SCHOOL, &lists(&[(&method, OTHER)])), Err(other.clone()), "its name with another key");
    assert_eq!(standing(&method, SCHOOL, &lists(&[])), Err(other));
    let reference = shelf(&[(SCHOOL_URL, json!({ "id": SCHOOL, "assertionMethod": [method] }))]);
    assert_eq!(standing(&method, SCHOOL, &reference), Ok(LISTED));
    let mut nobody = Shelf::default();
    nobody.put_document(SCHOOL_URL, Err(down()));
    assert_eq!(standing(&method, SCHOOL, &nobody), Ok(KeyOwner::Unproven(down())));
}

#[test]
fn a_page_that_speaks_of_no_keys_is_no_denial() {
    let (_, method) = did_key(SPELLED);
    let profile = shelf(&[(PAGE, json!({ "id": PAGE, "type": "Profile", "name": "School" }))]);
    assert!(matches!(standing(&method, PAGE, &profile), Ok(KeyOwner::Unproven(Missing::NotFound { .. }))));
    assert!(matches!(standing(&format!("{PAGE}#{SPELLED}"), PAGE, &profile), Ok(KeyOwner::Unproven(_))));
    let empty_did = shelf(&[(SCHOOL_URL, json!({ "id": SCHOOL }))]);
    assert!(matches!(standing(&method, SCHOOL, &empty_did), Err(SignatureFault::OtherOwner { .. })));
}

#[test]
fn a_key_under_somebody_elses_control_is_not_the_subjects() {
    let mut theirs = document(SCHOOL, &[("#key-1", SPELLED)]);
    theirs["assertionMethod"][0]["controller"] = json!("did:web:other.example");
    let shelf = shelf(&[(SCHOOL_URL, theirs)]);
    let fault = SignatureFault::OtherOwner { owner: "did:web:other.example".to_owned(), named: SCHOOL.to_owned() };
    assert_eq!(standing(&format!("{SCHOOL}#key-1"), SCHOOL, &shelf), Err(fault));
}

#[test]
fn a_key_document_does_not_make_itself_the_issuers() {
    let url = "https://evil.example/key";
    let key = json!({ "id": url, "type": "Multikey", "controller": SCHOOL, "publicKeyMultibase": SPELLED });
    let shelf = shelf(&[(url, key), (SCHOOL_URL, document(SCHOOL, &[("#key-1", OTHER)]))]);
    assert!(matches!(standing(url, SCHOOL, &shelf), Err(SignatureFault::OtherOwner { .. })));
}

#[test]
fn a_key_document_and_its_issuer_may_name_each_other() {
    let url = "https://school.example/keys/1";
    let key = json!({ "id": url, "type": "Multikey", "controller": SCHOOL, "publicKeyMultibase": SPELLED });
    let listing = json!({ "id": SCHOOL, "assertionMethod": [url] });
    let both = shelf(&[(url, key.clone()), (SCHOOL_URL, listing)]);
    assert_eq!(standing(url, SCHOOL, &both), Ok(LISTED));
    // Whether the issuer lists it cannot be told: nothing is false.
    assert!(matches!(standing(url, SCHOOL, &shelf(&[(url, key)])), Ok(KeyOwner::Unproven(_))));
}

#[test]
fn what_is_not_resolved_here_is_unknown() {
    let unknown = |method: &str| matches!(resolve(method, Some(method), &Shelf::default()), Err(Unresolved::Gap(_)));
    assert!(unknown("did:ion:EiA#key-1"));
    assert!(unknown("did:pkh:eip155:1:0xab16a96d359ec26a11e2c2b3d8f8b8942d5bfcdb"));
    assert!(unknown("urn:uuid:1#key-1"));
    assert!(unknown("did:web:school.example?versionId=1#key-1"));
    assert!(matches!(resolve("did:web:..#key-1", None, &Shelf::default()), Err(Unresolved::Fault(_))));
}

#[test]
fn a_token_without_a_key_name_needs_one_key_that_fits() {
    let one = shelf(&[(SCHOOL_URL, document(SCHOOL, &[("#a", SPELLED)]))]);
    assert_eq!(only_key(SCHOOL, Algorithm::EdDsa, &one).expect("a key").standing, Ok(LISTED));
    let not_for = only_key(SCHOOL, Algorithm::Rs256, &one);
    assert!(matches!(not_for, Err(Unresolved::Fault(SignatureFault::NotListed { .. }))));
    let two = shelf(&[(SCHOOL_URL, document(SCHOOL, &[("#a", SPELLED), ("#b", OTHER)]))]);
    assert_eq!(only_key(SCHOOL, Algorithm::EdDsa, &two), Err(Unresolved::Gap(SignatureGap::NoKey)));
    let (did, _) = did_key(SPELLED);
    assert_eq!(only_key(&did, Algorithm::EdDsa, &two).expect("a key").standing, Ok(HERE));
}
