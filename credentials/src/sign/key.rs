//! A key that signs, and the spellings of its public half.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::Signer as _;
use serde_json::{Value, json};

use crate::keys::PublicKey;

/// What says "Ed25519 public key" in a Multikey (multicodec 0xed, as a varint).
const ED25519_PUBLIC: [u8; 2] = [0xed, 0x01];

/// An Ed25519 key (RFC 8032). It is wiped from memory when dropped, and prints as its public half.
pub struct SigningKey {
    secret: ed25519_dalek::SigningKey,
    multikey: String,
}

impl SigningKey {
    /// The key of a seed: the 32 bytes that RFC 8032 calls the private key. Whoever holds them wipes them.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let secret = ed25519_dalek::SigningKey::from_bytes(seed);
        let public = [&ED25519_PUBLIC[..], secret.verifying_key().as_bytes()].concat();
        Self { secret, multikey: format!("z{}", bs58::encode(public).into_string()) }
    }

    /// Its public half as a Multikey: `z6Mk…`.
    pub fn multikey(&self) -> &str {
        &self.multikey
    }

    /// The DID that is this key: `did:key:z6Mk…`.
    pub fn did(&self) -> String {
        format!("did:key:{}", self.multikey)
    }

    /// The verification method of that DID: `did:key:z6Mk…#z6Mk…`.
    pub fn did_method(&self) -> String {
        format!("did:key:{0}#{0}", self.multikey)
    }

    /// Its public half as a JSON Web Key (RFC 8037).
    pub fn jwk(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.secret.verifying_key().as_bytes());
        json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "x": x })
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        PublicKey::Ed25519(self.secret.verifying_key())
    }

    /// Signs bytes: always the same signature for the same bytes.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.multikey)
    }
}
