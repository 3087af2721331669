//! The texts of Ethereum's JSON-RPC: data and quantities.

use serde_json::Value;

use super::ProofError;
use crate::Hash;

/// A member that must be there.
pub fn member<'a>(answer: &'a Value, name: &'static str) -> Result<&'a Value, ProofError> {
    present(answer, name).ok_or(ProofError::Answer { member: name })
}

/// A member, unless it is missing or null.
pub fn present<'a>(answer: &'a Value, name: &str) -> Option<&'a Value> {
    answer.get(name).filter(|value| !value.is_null())
}

/// `0x` and two digits for each byte.
pub fn data(value: &Value, member: &'static str) -> Result<Vec<u8>, ProofError> {
    digits(value).and_then(|digits| hex::decode(digits).ok()).ok_or(ProofError::Answer { member })
}

/// 32 bytes.
pub fn hash(value: &Value, member: &'static str) -> Result<Hash, ProofError> {
    data(value, member)?.as_slice().try_into().map_err(|_| ProofError::Answer { member })
}

/// A number of at most 32 bytes, as its bytes without leading zeros.
pub fn quantity(value: &Value, member: &'static str) -> Result<Vec<u8>, ProofError> {
    let word = word(value, member)?;
    let zeros = word.0.iter().take_while(|byte| **byte == 0).count();
    Ok(word.0[zeros..].to_vec())
}

/// A slot or its value: clients write either a number or all 32 bytes.
pub fn word(value: &Value, member: &'static str) -> Result<Hash, ProofError> {
    let digits = digits(value).filter(|digits| !digits.is_empty() && digits.len() <= 64);
    let digits = digits.ok_or(ProofError::Answer { member })?;
    let mut word = Hash::ZERO;
    hex::decode_to_slice(format!("{digits:0>64}"), &mut word.0).map_err(|_| ProofError::Answer { member })?;
    Ok(word)
}

fn digits(value: &Value) -> Option<&str> {
    value.as_str()?.strip_prefix("0x")
}
