//! What a proof signs: the hash of its configuration, then the hash of the document.

use serde_json::{Map, Value};
use testamur_core::{Hash, checked::SignatureFault, digest::file_hash, json};

use crate::{Have, Supplies};

const CONTEXT: &str = "@context";

/// The two hashes (SHA-256) that a suite signs one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashes {
    /// Of the proof without its `proofValue`.
    pub config: Hash,
    /// Of the document without its proofs.
    pub document: Hash,
}

impl Hashes {
    /// The bytes that are signed: 64.
    pub fn to_sign(self) -> Vec<u8> {
        [self.config.0, self.document.0].concat()
    }
}

/// The hashes of the JCS suites (vc-di-eddsa 3.3.2, vc-di-ecdsa 3.3.2).
///
/// A proof that carries an `@context` signs the document with that one: the document's must begin with it, because
/// later holders may add contexts behind it.
pub fn jcs_hashes(credential: &Map<String, Value>, proof: &Map<String, Value>) -> Result<Hashes, SignatureFault> {
    let mut document = without(credential, "proof");
    if let Some(context) = proof.get(CONTEXT) {
        if !begins_with(credential.get(CONTEXT), context) {
            return Err(SignatureFault::Malformed { what: "proof.@context".to_owned() });
        }
        document.insert(CONTEXT.to_owned(), context.clone());
    }
    let hash = |members| file_hash(&json::canonical(&Value::Object(members)));
    Ok(Hashes { config: hash(without(proof, "proofValue")), document: hash(document) })
}

/// The hashes of the suites that sign linked data (vc-di-eddsa 3.2, vc-di-ecdsa 3.2, and Ed25519Signature2020 before
/// them): the configuration is read by the document's contexts.
pub fn linked_hashes(
    credential: &Map<String, Value>,
    proof: &Map<String, Value>,
    supplies: &dyn Supplies,
) -> Have<Hashes> {
    let mut config = without(proof, "proofValue");
    match credential.get(CONTEXT) {
        Some(context) => _ = config.insert(CONTEXT.to_owned(), context.clone()),
        None => _ = config.shift_remove(CONTEXT),
    }
    let document = supplies.canonical(&Value::Object(without(credential, "proof")));
    match (document, supplies.canonical(&Value::Object(config))) {
        (Have::Yes(document), Have::Yes(config)) => Have::Yes(Hashes { config, document }),
        (Have::No(missing), _) | (_, Have::No(missing)) => Have::No(missing),
        _ => Have::NotYet,
    }
}

fn without(members: &Map<String, Value>, left_out: &str) -> Map<String, Value> {
    let kept = members.iter().filter(|(member, _)| *member != left_out);
    kept.map(|(member, value)| (member.clone(), value.clone())).collect()
}

/// Whether a document's contexts begin with those of the proof, in their order.
fn begins_with(document: Option<&Value>, proof: &Value) -> bool {
    let list = |value: &Value| match value {
        Value::Array(items) => items.clone(),
        item => vec![item.clone()],
    };
    document.is_some_and(|document| list(document).starts_with(&list(proof)))
}
