//! The two shapes of RLP, read strictly: one value and nothing after it.

use alloy_rlp::{Header, PayloadView};

use super::ProofError;

/// The payload of the one string that `bytes` encode.
pub fn string<'a>(mut bytes: &'a [u8], what: &'static str) -> Result<&'a [u8], ProofError> {
    match Header::decode_raw(&mut bytes) {
        Ok(PayloadView::String(payload)) if bytes.is_empty() => Ok(payload),
        _ => Err(ProofError::Malformed { what }),
    }
}

/// The items of the one list that `bytes` encode, each still encoded.
pub fn list<'a>(mut bytes: &'a [u8], what: &'static str) -> Result<Vec<&'a [u8]>, ProofError> {
    match Header::decode_raw(&mut bytes) {
        Ok(PayloadView::List(items)) if bytes.is_empty() => Ok(items),
        _ => Err(ProofError::Malformed { what }),
    }
}

/// A string of exactly 32 bytes.
pub fn hash(bytes: &[u8], what: &'static str) -> Result<crate::Hash, ProofError> {
    string(bytes, what)?.try_into().map_err(|_| ProofError::Malformed { what })
}

/// A number: big-endian, of at most `N` bytes, without a leading zero; padded on the left.
pub fn number<const N: usize>(bytes: &[u8], what: &'static str) -> Result<[u8; N], ProofError> {
    let digits = string(bytes, what)?;
    if digits.len() > N || digits.first() == Some(&0) {
        return Err(ProofError::Malformed { what });
    }
    let mut number = [0; N];
    number[N - digits.len()..].copy_from_slice(digits);
    Ok(number)
}

/// The RLP of a list of strings.
pub fn encode(strings: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    alloy_rlp::encode_list::<_, [u8]>(&strings.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut out);
    out
}
