//! The texts of Ethereum's JSON-RPC: data and quantities.

use serde_json::Value;

use crate::Hash;

/// A member of an answer that is missing, or has another form than Ethereum's JSON-RPC says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The member's name.
    pub member: &'static str,
}

/// A member that must be there.
pub fn member<'a>(answer: &'a Value, name: &'static str) -> Result<&'a Value, Unreadable> {
    present(answer, name).ok_or(Unreadable { member: name })
}

/// A member, unless it is missing or null.
pub fn present<'a>(answer: &'a Value, name: &str) -> Option<&'a Value> {
    answer.get(name).filter(|value| !value.is_null())
}

/// `0x` and two digits for each byte.
pub fn data(value: &Value, member: &'static str) -> Result<Vec<u8>, Unreadable> {
    digits(value).and_then(|digits| hex::decode(digits).ok()).ok_or(Unreadable { member })
}

/// Exactly as many bytes as the type holds.
pub fn bytes<T>(value: &Value, member: &'static str) -> Result<T, Unreadable>
where
    T: for<'a> TryFrom<&'a [u8]>,
{
    T::try_from(&data(value, member)?).map_err(|_| Unreadable { member })
}

/// A number of at most 32 bytes, as its bytes without leading zeros.
pub fn quantity(value: &Value, member: &'static str) -> Result<Vec<u8>, Unreadable> {
    let word = word(value, member)?;
    let zeros = word.0.iter().take_while(|byte| **byte == 0).count();
    Ok(word.0[zeros..].to_vec())
}

/// A number below 2^64.
pub fn number(value: &Value, member: &'static str) -> Result<u64, Unreadable> {
    let word = word(value, member)?;
    match word.0.split_last_chunk() {
        Some((high, low)) if high.iter().all(|byte| *byte == 0) => Ok(u64::from_be_bytes(*low)),
        _ => Err(Unreadable { member }),
    }
}

/// A slot or its value: clients write either a number or all 32 bytes.
pub fn word(value: &Value, member: &'static str) -> Result<Hash, Unreadable> {
    let digits = digits(value).filter(|digits| !digits.is_empty() && digits.len() <= 64);
    let digits = digits.ok_or(Unreadable { member })?;
    let mut word = Hash::ZERO;
    hex::decode_to_slice(format!("{digits:0>64}"), &mut word.0).map_err(|_| Unreadable { member })?;
    Ok(word)
}

fn digits(value: &Value) -> Option<&str> {
    value.as_str()?.strip_prefix("0x")
}
