//! did:key as others resolve it: the DID and the document that they print for it are the same key.

mod formats;

use std::fs;

use formats::{NOW, corpus};
use serde_json::{Map, Value};
use testamur_core::checked::SignatureFault;
use testamur_credentials::{
    Shelf, Supplied,
    keys::{Home, KeyDocument, PublicKey, Unresolved, resolve},
};

fn read(file: &str) -> Option<Map<String, Value>> {
    let bytes = fs::read(corpus("did-key")?.join(file)).expect(file);
    let value: Value = serde_json::from_slice(&bytes).expect("JSON");
    value.as_object().cloned()
}

fn key_of(did: &str) -> PublicKey {
    match Home::of(did) {
        Home::Itself { key: Ok(key), .. } => key,
        other => panic!("{did}: {other:?}"),
    }
}

/// The documents that a file prints for a DID, in whatever serialisation.
fn documents(printed: &Value) -> impl Iterator<Item = &Value> {
    ["didDocument", "application/did+json", "application/did+ld+json"]
        .into_iter()
        .filter_map(|member| printed.get(member))
}

#[test]
fn a_did_is_the_key_of_its_document() {
    let mut count = 0;
    for file in ["ed25519.json", "transmute-ed25519.json", "ed25519-x25519.json"] {
        let Some(dids) = read(file) else { return };
        for (did, printed) in &dids {
            for document in documents(printed) {
                let supplied = Supplied { bytes: document.to_string().into_bytes().into(), as_of: NOW };
                let read = KeyDocument::read(did, did, &supplied).expect("a document");
                assert_eq!(read.listed[0].key().as_ref(), Ok(&key_of(did)), "{did}");
                let method = &read.listed[0].id;
                assert_eq!(resolve(method, Some(did), &Shelf::default()).expect("a key").key, key_of(did));
                count += 1;
            }
        }
    }
    assert!(count >= 5, "{count} documents");
}

#[test]
fn the_key_for_agreements_signs_nothing() {
    let Some(dids) = read("ed25519-x25519.json") else { return };
    for (did, printed) in &dids {
        // Some of the ids are whole URLs, and some of these are spelt twice.
        let id = printed["keyAgreementKeyPair"]["id"].as_str();
        let Some((_, agreement)) = id.and_then(|id| id.rsplit_once('#')) else { continue };
        let method = format!("{did}#{agreement}");
        let fault = SignatureFault::NotListed { document: did.clone(), key: method.clone() };
        assert_eq!(resolve(&method, Some(did), &Shelf::default()), Err(Unresolved::Fault(fault)));
        let agreement = Home::of(&format!("did:key:{agreement}"));
        assert!(matches!(agreement, Home::Itself { key: Err(_), .. }), "{agreement:?}");
    }
}
