//! Signing: Ed25519 keys, and the proofs and tokens that they make. What [`crate::integrity`] and [`crate::jose`] check.
//!
//! Reading order: [`SigningKey`] → [`Signer`] (a key under the name that verifiers find it by) → `proof` (Data
//! Integrity) → `token` (JOSE).
//!
//! No I/O, no clock, no randomness: an Ed25519 signature needs none (RFC 8032), the same message gives the same one.
//! Absent on purpose: other kinds of keys. Every verifier of Open Badges 3.0 reads this one, and it cannot be misused.

mod key;
mod proof;
mod token;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use self::key::SigningKey;

/// Who signs: a key, under the name that verifiers find it by.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The key.
    pub key: &'a SigningKey,
    /// Its verification method, an absolute DID URL or URL: `verificationMethod` in proofs, `kid` in tokens.
    pub method: &'a str,
}

/// How a credential is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Suite {
    /// Data Integrity over JSON (RFC 8785): ten times as fast as the next.
    #[default]
    #[serde(rename = "eddsa-jcs-2022")]
    EddsaJcs2022,
    /// Data Integrity over linked data (RDFC-1.0): for readers that have nothing else.
    #[serde(rename = "eddsa-rdfc-2022")]
    EddsaRdfc2022,
    /// A JWT (VC JOSE/COSE) around the credential.
    #[serde(rename = "vc-jwt")]
    VcJwt,
}

impl Suite {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::EddsaJcs2022, Self::EddsaRdfc2022, Self::VcJwt];

    /// As proofs and commands write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::EddsaJcs2022 => "eddsa-jcs-2022",
            Self::EddsaRdfc2022 => "eddsa-rdfc-2022",
            Self::VcJwt => "vc-jwt",
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Suite {
    type Err = String;

    /// The error says which there are.
    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|suite| suite.name() == text);
        named.ok_or_else(|| format!("there is {}", Self::ALL.map(Self::name).join(", ")))
    }
}

#[cfg(test)]
mod tests;
