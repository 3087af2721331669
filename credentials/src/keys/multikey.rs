//! Multikey (W3C Controlled Identifiers v1.0, 2.2.2): multibase of a multicodec prefix and the key's bytes.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{KeyFault, PublicKey};

/// The longest text that is decoded, because base58 takes quadratic time: room for 8,192 bits of RSA.
pub const MAX_TEXT: usize = 2_048;

/// Multicodec prefixes, and what kind of key follows.
const PREFIXES: [([u8; 2], &str); 9] = [
    ([0xed, 0x01], "Ed25519"),
    ([0x80, 0x24], "P-256"),
    ([0x85, 0x24], "RSA"),
    ([0x81, 0x24], "P-384"),
    ([0x82, 0x24], "P-521"),
    ([0x83, 0x24], "Ed448"),
    ([0xec, 0x01], "X25519 (for key agreement only)"),
    ([0xe7, 0x01], "secp256k1"),
    ([0xeb, 0x01], "BLS12-381"),
];

/// Reads `publicKeyMultibase`, or the identifier of a did:key.
pub fn parse_multikey(text: &str) -> Result<PublicKey, KeyFault> {
    let bytes = match text.strip_prefix('u').filter(|text| text.len() <= MAX_TEXT) {
        Some(text) => URL_SAFE_NO_PAD.decode(text).ok(),
        None => decode_base58(text),
    };
    let bytes = bytes.ok_or(KeyFault::Malformed)?;
    let (prefix, key) = bytes.split_first_chunk::<2>().ok_or(KeyFault::Malformed)?;
    let (_, kind) =
        PREFIXES.iter().find(|(known, _)| known == prefix).ok_or(KeyFault::Kind { kind: "of an unknown kind" })?;
    match *kind {
        "Ed25519" => PublicKey::ed25519(key),
        // Compressed: one key, one spelling.
        "P-256" if key.len() == 33 => PublicKey::p256(key),
        "P-256" => Err(KeyFault::Malformed),
        kind => Err(KeyFault::Kind { kind }),
    }
}

/// Reads `publicKeyBase58` of an Ed25519VerificationKey2018: the bare key.
pub fn parse_base58(text: &str) -> Result<PublicKey, KeyFault> {
    let bytes = (text.len() <= MAX_TEXT).then(|| bs58::decode(text).into_vec().ok()).flatten();
    PublicKey::ed25519(&bytes.ok_or(KeyFault::Malformed)?)
}

/// Decodes multibase base58btc (`z…`); `None` for anything else.
pub fn decode_base58(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix('z').filter(|digits| digits.len() <= MAX_TEXT)?;
    bs58::decode(digits).into_vec().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_signs_and_is_checked_here_is_a_key() {
        assert!(parse_multikey("z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2").is_ok());
        assert!(parse_multikey("zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP").is_ok());
        let kind = |text: &str| match parse_multikey(text) {
            Err(KeyFault::Kind { kind }) => kind,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(kind("z6LShs9GGnqk85isEBzzshkuVWrVKsRp24GnDuHk8QWkARMW"), "X25519 (for key agreement only)");
        assert_eq!(kind("zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"), "secp256k1");
        for wrong in ["", "z", "z0", "6Mk", "m7QE", "z6Mk", "zDna", "u", "u7Q", "f ed01", &"z1".repeat(1 << 20)] {
            assert!(parse_multikey(wrong).is_err(), "{wrong:.20}");
        }
    }
}
