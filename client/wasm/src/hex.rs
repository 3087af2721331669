//! Bytes as JSON-RPC writes them.

use testamur_core::Hash;

/// `0x` and two digits for each byte.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?.as_bytes();
    let (pairs, rest) = digits.as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| Some((digit(*high)? << 4) | digit(*low)?);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

/// A word of 32 bytes, or a number: some clients leave a word's zeros away.
pub fn word(text: &str) -> Option<Hash> {
    let digits = text.strip_prefix("0x").filter(|digits| !digits.is_empty())?;
    let padded = bytes(&format!("0x{digits:0>64}"))?;
    Hash::try_from(&padded[..]).ok()
}

fn digit(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hex_is_read() {
        assert_eq!(bytes("0x00Ff"), Some(vec![0, 255]));
        assert_eq!(bytes("0x"), Some(vec![]));
        for wrong in ["", "00", "0x0", "0xgg", "0x+1"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
        assert_eq!(word("0x1").map(|word| word.0[31]), Some(1));
        assert_eq!(word(&format!("0x{}", "0".repeat(66))), None);
    }
}
