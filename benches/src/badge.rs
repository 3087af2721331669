//! Open Badges 3.0 of one class, and the university that signs them.

use anyhow::Result;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde_json::{Map, Value, json};
use testamur_credentials::integrity::Hashes;

/// An issuer whose DID is its key.
pub struct Issuer {
    key: SigningKey,
    /// What its credentials call it.
    pub did: String,
    method: String,
}

impl Issuer {
    /// Always the same one.
    pub fn new() -> Self {
        let key = SigningKey::from_bytes(&[7; 32]);
        let multikey = [&[0xed, 0x01], key.verifying_key().as_bytes().as_slice()].concat();
        let multibase = format!("z{}", bs58::encode(multikey).into_string());
        let did = format!("did:key:{multibase}");
        Self { key, method: format!("{did}#{multibase}"), did }
    }

    /// The key that its signatures are checked with.
    pub fn key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    /// Signs some bytes.
    pub fn sign(&self, bytes: &[u8]) -> Signature {
        self.key.sign(bytes)
    }

    /// A badge that nobody has signed yet, with these entries of `credentialStatus`.
    pub fn badge(&self, number: usize, status: Value) -> Map<String, Value> {
        let badge = json!({
            "@context": [
                "https://www.w3.org/ns/credentials/v2",
                "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            ],
            "id": format!("urn:uuid:00000000-0000-4000-8000-{number:012}"),
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": "Introduction to Botany",
            "issuer": {
                "id": self.did, "type": ["Profile"], "name": "Example University", "url": "https://example.edu",
                "image": {"id": "https://example.edu/logo.png", "type": "Image"},
            },
            "validFrom": format!("2026-06-{:02}T10:00:00Z", number % 28 + 1),
            "credentialSubject": {
                "type": ["AchievementSubject"],
                "identifier": [{
                    "type": "IdentityObject", "identityHash": format!("person{number}@example.edu"),
                    "identityType": "emailAddress", "hashed": false,
                }],
                "achievement": {
                    "id": "https://example.edu/achievements/botany", "type": ["Achievement"],
                    "achievementType": "Course", "name": "Introduction to Botany",
                    "description": "Plants, their parts and their families.",
                    "criteria": {"narrative": "Attendance and an exam."},
                    "image": {"id": "https://example.edu/botany.png", "type": "Image"},
                },
            },
            "credentialStatus": status,
        });
        let Value::Object(badge) = badge else { unreachable!("the literal above is an object") };
        badge
    }

    /// Adds a proof of this suite, whose `hashes` of badge and proof are signed.
    pub fn prove(
        &self,
        badge: &mut Map<String, Value>,
        suite: &str,
        hashes: impl FnOnce(&Map<String, Value>, &Map<String, Value>) -> Result<Hashes>,
    ) -> Result<()> {
        let proof = json!({
            "@context": badge["@context"],
            "type": "DataIntegrityProof", "cryptosuite": suite, "proofPurpose": "assertionMethod",
            "created": "2026-06-30T10:00:00Z", "verificationMethod": self.method,
        });
        let Value::Object(mut proof) = proof else { unreachable!("the literal above is an object") };
        let signature = self.sign(&hashes(badge, &proof)?.to_sign());
        proof.insert("proofValue".to_owned(), format!("z{}", bs58::encode(signature.to_bytes()).into_string()).into());
        badge.insert("proof".to_owned(), proof.into());
        Ok(())
    }
}
