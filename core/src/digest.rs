//! What the registry sees of a document.
//!
//! `digest = SHA-256( SHA-256(JCS(proof configuration)) ‖ document hash )`. The configuration carries at
//! least 128 random bits (`nonce`), so nobody who guesses the document can recognise its digest.

use serde_json::Value;

use crate::{Digest, Hash, json, sha256::sha256};

/// The hash of a JSON credential: SHA-256 of its canonical form without the member `proof`.
pub fn credential_hash(credential: &Value) -> Hash {
    let mut unsecured = credential.clone();
    if let Value::Object(members) = &mut unsecured {
        members.shift_remove("proof");
    }
    Hash(sha256(&[&json::canonical(&unsecured)]))
}

/// The hash of any other file: SHA-256 of its bytes.
pub fn file_hash(bytes: &[u8]) -> Hash {
    Hash(sha256(&[bytes]))
}

/// The blinded digest of a document under a proof configuration (the proof without `proofValue`,
/// with the credential's `@context`).
pub fn blind(proof_config: &Value, document_hash: Hash) -> Digest {
    let config_hash = sha256(&[&json::canonical(proof_config)]);
    Digest(sha256(&[&config_hash, &document_hash.0]))
}
