//! An issuer with an Ed25519 key of its own, which signs credentials and tokens.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use testamur_core::{digest::file_hash, json::canonical};

pub struct Signer {
    key: SigningKey,
    /// What its credentials call it.
    pub issuer: String,
    /// The key's own name.
    pub did_key: String,
    method: String,
}

impl Signer {
    /// One whose DID is its key.
    pub fn new(seed: u8) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let multikey = [&[0xed, 0x01], key.verifying_key().as_bytes().as_slice()].concat();
        let multibase = format!("z{}", bs58::encode(multikey).into_string());
        let did_key = format!("did:key:{multibase}");
        Self { key, issuer: did_key.clone(), method: format!("{did_key}#{multibase}"), did_key }
    }

    /// The same key in the name of somebody whose document lists it.
    pub fn named(self, issuer: &str) -> Self {
        Self { issuer: issuer.to_owned(), method: format!("{issuer}#{}", self.multibase()), ..self }
    }

    pub fn multibase(&self) -> &str {
        &self.did_key["did:key:".len()..]
    }

    /// Its verification method, as its DID document lists it.
    pub fn listed(&self) -> Value {
        json!({ "id": self.method, "type": "Multikey", "controller": self.issuer, "publicKeyMultibase": self.multibase() })
    }

    /// An Open Badge 3.0 of its own with a proof of eddsa-jcs-2022.
    pub fn badge(&self, name: &str) -> Value {
        self.sign(badge(&self.issuer, name))
    }

    /// A proof of eddsa-jcs-2022 on a credential as it is.
    pub fn sign(&self, mut credential: Value) -> Value {
        let mut proof = json!({ "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022",
            "proofPurpose": "assertionMethod", "verificationMethod": self.method, "created": "2026-01-01T00:00:00Z",
            "@context": credential["@context"] });
        let message = [file_hash(&canonical(&proof)).0, file_hash(&canonical(&credential)).0].concat();
        proof["proofValue"] = format!("z{}", bs58::encode(self.key.sign(&message).to_bytes()).into_string()).into();
        credential["proof"] = proof;
        credential
    }

    /// A VC-JWT under this header; `sign` makes the signature of its text.
    pub fn token(&self, alg: &str, sign: impl Fn(&Self, &[u8]) -> Vec<u8>) -> String {
        let header = json!({ "alg": alg, "typ": "vc+jwt", "kid": self.method });
        let payload = badge(&self.issuer, "A token");
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&payload));
        let signature = sign(self, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub fn eddsa(&self, text: &[u8]) -> Vec<u8> {
        self.key.sign(text).to_bytes().to_vec()
    }

    /// HMAC-SHA-256 with the public key as its secret (RFC 2104): what a verifier that is led by `alg` takes for good.
    pub fn hmac_with_public_key(&self, text: &[u8]) -> Vec<u8> {
        let pad = |byte: u8| {
            let mut block = [byte; 64];
            block.iter_mut().zip(self.key.verifying_key().as_bytes()).for_each(|(pad, key)| *pad ^= key);
            block.to_vec()
        };
        let inner = file_hash(&[pad(0x36), text.to_vec()].concat()).0;
        file_hash(&[pad(0x5c), inner.to_vec()].concat()).0.to_vec()
    }
}

/// An Open Badge 3.0 without any proof.
pub fn badge(issuer: &str, name: &str) -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": { "id": issuer, "type": ["Profile"], "name": "Example University" },
        "validFrom": "2026-01-01T00:00:00Z",
        "name": name,
        "credentialSubject": { "type": ["AchievementSubject"], "achievement": {
            "id": "https://example.edu/achievements/1", "type": ["Achievement"], "name": name,
            "description": "What was learned.", "criteria": { "narrative": "An examination." } } },
    })
}

pub fn write(file: &Path, credential: &Value) {
    fs::write(file, serde_json::to_vec_pretty(credential).expect("JSON")).expect("writable");
}
