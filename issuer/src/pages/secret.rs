//! The secrets that stand in links and headers: 16 random bytes, 22 letters of base64url. The server keeps their SHA-256,
//! which is as good for comparing, and no use to a thief of the store.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Letters of a secret.
pub const LETTERS: usize = 22;

/// TOKEN (of an invitation), OWNER, CODE (of an offer) or an access token. It is wiped from memory when dropped, and
/// never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<[u8; 16]>);

/// What the store has of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashed(pub [u8; 32]);

impl Secret {
    /// One of 16 random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(Zeroizing::new(random))
    }

    /// A new one.
    pub fn random() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    /// Reads its 22 letters; one spelling only.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 16]);
        let read = URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut()).ok()?;
        (read == bytes.len()).then_some(Self(bytes))
    }

    /// Its 22 letters.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(*self.0))
    }

    /// What the store keeps.
    pub fn hash(&self) -> Hashed {
        Hashed(Sha256::digest(*self.0).into())
    }
}

impl Hashed {
    /// Whether both are hashes of the same secret, in a time that does not tell where they differ.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_one_spelling_and_is_not_printed() {
        let secret = Secret::random();
        let text = secret.reveal();
        assert_eq!(text.len(), LETTERS);
        assert_eq!(Secret::parse(&text), Some(secret.clone()));
        assert!(!format!("{secret:?}").contains(text.as_str()));
        for bad in [
            "",
            "AAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAAB",
            "AAAAAAAAAAAAAAAAAAAAAA==",
            "AAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert_eq!(Secret::parse(bad), None, "{bad}");
        }
        assert!(secret.hash().is(&Secret::parse(&text).unwrap().hash()));
        assert!(!secret.hash().is(&Secret::random().hash()));
    }
}
