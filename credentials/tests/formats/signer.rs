//! One who signs credentials and tokens with an Ed25519 key of its own.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use testamur_core::{digest::file_hash, json::canonical};

pub struct Signer {
    key: SigningKey,
    pub did: String,
}

impl Signer {
    pub fn new(seed: u8) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let multikey = [&[0xed, 0x01], key.verifying_key().as_bytes().as_slice()].concat();
        Self { key, did: format!("did:key:z{}", bs58::encode(multikey).into_string()) }
    }

    fn method(&self) -> String {
        format!("{}#{}", self.did, &self.did["did:key:".len()..])
    }

    /// With a proof of eddsa-jcs-2022, as its issuer.
    pub fn sign(&self, mut credential: Value) -> Value {
        credential["issuer"] = json!(self.did);
        let mut proof = json!({"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod",
            "verificationMethod": self.method(), "created": "2026-01-01T00:00:00Z"});
        let mut config = proof.clone();
        if let Some(context) = credential.get("@context") {
            config["@context"] = context.clone();
        }
        let message = [file_hash(&canonical(&config)).0, file_hash(&canonical(&credential)).0].concat();
        let signature = bs58::encode(self.key.sign(&message).to_bytes()).into_string();
        proof["proofValue"] = json!(format!("z{signature}"));
        if let Some(context) = config.get("@context") {
            proof["@context"] = context.clone();
        }
        credential["proof"] = proof;
        credential
    }

    /// As a compact JWS of this type.
    pub fn token(&self, typ: &str, payload: &Value) -> String {
        let header = json!({"alg": "EdDSA", "typ": typ, "kid": self.method()});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(payload));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()).to_bytes());
        format!("{signed}.{signature}")
    }
}
