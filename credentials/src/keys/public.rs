//! A public key, and what it says of a signature.

use ed25519_dalek::VerifyingKey;
use p256::ecdsa::{self, signature::Verifier as _};
use rsa::{BoxedUint, pkcs1v15, pkcs8::DecodePublicKey as _};
use sha2::Sha256;
use testamur_core::checked::{SignatureFault, SignatureGap, SignatureOutcome};

/// RFC 7518, 3.3: "A key of size 2048 bits or larger MUST be used". Beyond 8,192 bits a check costs too much.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// A key that signatures are checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// RFC 8032.
    Ed25519(VerifyingKey),
    /// The curve that NIST calls P-256.
    P256(ecdsa::VerifyingKey),
    /// RFC 8017.
    Rsa(Box<rsa::PublicKey>),
}

/// How a signature is made. Each algorithm goes with one kind of key, so that none can be taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256: `r ‖ s`, 64 bytes.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

/// Why a text is no key to check with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// It breaks the rules of its spelling.
    Malformed,
    /// A key of a kind that is not checked here.
    Kind {
        /// What the kind is called.
        kind: &'static str,
    },
}

impl Algorithm {
    /// As JOSE calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

impl PublicKey {
    /// An Ed25519 key from its 32 bytes.
    pub fn ed25519(bytes: &[u8]) -> Result<Self, KeyFault> {
        let bytes = bytes.try_into().map_err(|_| KeyFault::Malformed)?;
        VerifyingKey::from_bytes(bytes).map(Self::Ed25519).map_err(|_| KeyFault::Malformed)
    }

    /// A P-256 key from its SEC1 point, compressed or not.
    pub fn p256(bytes: &[u8]) -> Result<Self, KeyFault> {
        ecdsa::VerifyingKey::from_sec1_bytes(bytes).map(Self::P256).map_err(|_| KeyFault::Malformed)
    }

    /// An RSA key from modulus and exponent, big-endian.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyFault> {
        let number = |bytes: &[u8]| {
            let fits = (1..=RSA_BITS.end() / 8).contains(&bytes.len());
            fits.then(|| BoxedUint::from_be_slice_vartime(bytes)).ok_or(KeyFault::Malformed)
        };
        let key = rsa::PublicKey::new_with_size_limits(number(modulus)?, number(exponent)?, RSA_BITS);
        key.map(Box::new).map(Self::Rsa).map_err(|_| KeyFault::Malformed)
    }

    /// An RSA key as Open Badges 2.0 writes it (`publicKeyPem`): SubjectPublicKeyInfo in PEM.
    pub fn from_pem(pem: &str) -> Result<Self, KeyFault> {
        let key = rsa::PublicKey::from_public_key_pem(pem.trim()).map_err(|_| KeyFault::Malformed)?;
        let (modulus, exponent) =
            (rsa::traits::PublicKeyParts::n_bytes(&key), rsa::traits::PublicKeyParts::e_bytes(&key));
        Self::rsa(&modulus, &exponent)
    }

    /// What its kind is called.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "Ed25519",
            Self::P256(_) => "P-256",
            Self::Rsa(_) => "RSA",
        }
    }

    /// The one algorithm that it is used with here.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::P256(_) => Algorithm::Es256,
            Self::Rsa(_) => Algorithm::Rs256,
        }
    }

    /// Checks a signature.
    ///
    /// Ed25519 strictly: neither a key of small order nor an `s` beyond the group's order is accepted. ECDSA with an `s`
    /// in either half of the group: FIPS 186-5 and both specs (JOSE, Data Integrity) allow it, so there a signature has
    /// two spellings, and nothing here takes a signature's bytes for a name.
    pub fn check(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), SignatureFault> {
        if algorithm != self.algorithm() {
            return Err(SignatureFault::Algorithm { found: algorithm.name().into(), wanted: self.kind().into() });
        }
        let holds = match self {
            Self::Ed25519(key) => {
                ed25519_dalek::Signature::from_slice(signature).and_then(|s| key.verify_strict(message, &s)).is_ok()
            }
            Self::P256(key) => ecdsa::Signature::from_slice(signature).and_then(|s| key.verify(message, &s)).is_ok(),
            Self::Rsa(key) => {
                let key = pkcs1v15::VerifyingKey::<Sha256>::new((**key).clone());
                pkcs1v15::Signature::try_from(signature).and_then(|s| key.verify(message, &s)).is_ok()
            }
        };
        if holds { Ok(()) } else { Err(SignatureFault::Altered) }
    }
}

impl KeyFault {
    /// What follows for a signature that was made with this algorithm, in a suite of this name, by the key of this name.
    pub fn outcome(&self, suite: &str, algorithm: Algorithm, key: &str) -> SignatureOutcome {
        match (self, algorithm) {
            (Self::Malformed, _) => {
                SignatureOutcome::Fails(SignatureFault::Malformed { what: format!("the key {key}") })
            }
            (Self::Kind { kind: kind @ "Ed448" }, Algorithm::EdDsa)
            | (Self::Kind { kind: kind @ "P-384" }, Algorithm::Es256) => {
                SignatureOutcome::Unknown(SignatureGap::Suite { suite: format!("{suite} with {kind}") })
            }
            (Self::Kind { kind }, _) => SignatureOutcome::Fails(SignatureFault::Algorithm {
                found: algorithm.name().into(),
                wanted: (*kind).into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, 7.1, test 2: one byte is signed.
    const KEY: [u8; 32] = [
        0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98,
        0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c,
    ];
    const R: [u8; 32] = [
        0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72, 0x0e, 0x82, 0x0b, 0x5f, 0x64, 0x25, 0x40, 0xa2, 0xb2,
        0x7b, 0x54, 0x16, 0x50, 0x3f, 0x8f, 0xb3, 0x76, 0x22, 0x23, 0xeb, 0xdb, 0x69, 0xda,
    ];
    const S: [u8; 32] = [
        0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99, 0x6e, 0x45, 0x8f, 0x36, 0x13, 0xd0, 0xf1, 0x1d, 0x8c, 0x38, 0x7b,
        0x2e, 0xae, 0xb4, 0x30, 0x2a, 0xee, 0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb, 0x0c, 0x00,
    ];
    /// The group's order, little-endian.
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];

    #[test]
    fn an_s_beyond_the_groups_order_is_refused() {
        let key = PublicKey::ed25519(&KEY).expect("a key");
        assert_eq!(key.check(Algorithm::EdDsa, &[0x72], &[R, S].concat()), Ok(()));
        assert_eq!(key.check(Algorithm::EdDsa, &[0x73], &[R, S].concat()), Err(SignatureFault::Altered));
        let (mut sum, mut carry) = ([0; 32], 0);
        for (byte, (a, b)) in sum.iter_mut().zip(S.into_iter().zip(L)) {
            let total = u16::from(a) + u16::from(b) + carry;
            (*byte, carry) = (total as u8, total >> 8);
        }
        // The same signature, were numbers not taken strictly.
        assert_eq!(key.check(Algorithm::EdDsa, &[0x72], &[R, sum].concat()), Err(SignatureFault::Altered));
    }

    #[test]
    fn a_key_of_small_order_signs_nothing() {
        // The neutral element: with R neutral and s zero, every message would be signed.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let signature = [neutral, [0; 32]].concat();
        let refused = match PublicKey::ed25519(&neutral) {
            Ok(key) => key.check(Algorithm::EdDsa, b"anything", &signature).is_err(),
            Err(fault) => fault == KeyFault::Malformed,
        };
        assert!(refused);
    }

    #[test]
    fn an_s_in_either_half_is_accepted_of_p256() {
        use p256::ecdsa::{SigningKey, signature::Signer as _};
        let secret = SigningKey::from_slice(&[7; 32]).expect("a scalar");
        let key = PublicKey::P256(*secret.verifying_key());
        let signature: ecdsa::Signature = secret.sign(b"message");
        let (r, s) = signature.split_scalars();
        let other = ecdsa::Signature::from_scalars(r, -s).expect("a signature");
        assert_ne!(signature, other);
        for spelling in [signature, other] {
            assert_eq!(key.check(Algorithm::Es256, b"message", &spelling.to_bytes()), Ok(()));
            assert!(key.check(Algorithm::Es256, b"massage", &spelling.to_bytes()).is_err());
        }
        assert!(key.check(Algorithm::Es256, b"message", signature.to_der().as_bytes()).is_err(), "DER is not r ‖ s");
        assert!(key.check(Algorithm::Es256, b"message", &[0; 64]).is_err(), "zero is no scalar");
    }

    #[test]
    fn an_algorithm_goes_with_one_kind_of_key() {
        let key = PublicKey::ed25519(&KEY).expect("a key");
        for other in [Algorithm::Es256, Algorithm::Rs256] {
            let confused = key.check(other, &[0x72], &[R, S].concat());
            let fault = SignatureFault::Algorithm { found: other.name().into(), wanted: "Ed25519".into() };
            assert_eq!(confused, Err(fault));
        }
    }

    #[test]
    fn an_rsa_key_that_is_too_short_or_too_long_is_none() {
        for bytes in [0, 128, 255, 1_025, 4_096] {
            assert_eq!(
                PublicKey::rsa(&vec![0xff; bytes], &[1, 0, 1]).err(),
                Some(KeyFault::Malformed),
                "{bytes} bytes"
            );
        }
        assert!(PublicKey::rsa(&[0xff; 256], &[1, 0, 1]).is_ok());
        assert!(PublicKey::rsa(&[0xff; 256], &[0xff; 256]).is_err(), "an exponent that costs too much");
        assert!(PublicKey::from_pem("-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----").is_err());
    }
}
