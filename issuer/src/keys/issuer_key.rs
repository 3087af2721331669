//! The key that signs, under the name that verifiers find it by.

use testamur_credentials::{
    keys::Home,
    sign::{Signer, SigningKey},
};

use super::{KeyRing, KeysError};

/// The key that signs for an issuer. It is wiped from memory when dropped.
#[derive(Debug)]
pub struct IssuerKey {
    key: SigningKey,
    issuer: String,
    method: String,
}

impl IssuerKey {
    /// The key of a ring that signs, for the issuer of this id: a did:web or https URL, whose document lists it, or the
    /// DID that is this key.
    pub fn load(ring: &KeyRing, issuer: &str) -> Result<Self, KeysError> {
        Self::named(ring, &ring.current().ok_or(KeysError::NoKey)?.name, issuer)
    }

    /// Another key of the ring, as if it signed.
    pub fn named(ring: &KeyRing, name: &str, issuer: &str) -> Result<Self, KeysError> {
        let key = ring.secret(name)?;
        let method = match Home::of(issuer) {
            Home::Document(_) => format!("{issuer}#{name}"),
            Home::Itself { key: Ok(own), fragment } if own == key.public() => format!("{issuer}#{fragment}"),
            Home::Itself { .. } => {
                return Err(KeysError::NotItself { issuer: issuer.to_owned(), key: key.did() });
            }
            _ => return Err(KeysError::NoHome { issuer: issuer.to_owned() }),
        };
        Ok(Self { key, issuer: issuer.to_owned(), method })
    }

    /// For whom it signs.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What signs.
    pub fn signer(&self) -> Signer<'_> {
        Signer { key: &self.key, method: &self.method }
    }
}
