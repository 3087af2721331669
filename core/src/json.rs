//! JSON as the registry reads it: I-JSON (RFC 7493), canonicalised by RFC 8785.
//!
//! Two readers must never see two documents in the same bytes, nor one canonical form for two
//! values: duplicate keys, lone surrogates and numbers that a double does not hold are refused.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::Error;

/// The largest JSON document that is read: 32 MiB, a credential with a large embedded image and room to spare.
pub const MAX_BYTES: usize = 32 << 20;

/// What the duplicate-key refusal says inside serde_json, to be told apart from its own messages.
const DUPLICATE: &str = "duplicate key";

/// Parses one JSON document strictly. Depth is limited to 128 (serde_json's own limit).
pub fn parse(bytes: &[u8]) -> Result<Value, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLarge { found: bytes.len(), limit: MAX_BYTES });
    }
    let text = std::str::from_utf8(bytes).map_err(|e| Error::Utf8 { offset: e.valid_up_to() })?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict.deserialize(&mut deserializer).and_then(|v| deserializer.end().map(|()| v)).map_err(|e| {
        let (line, column) = (e.line(), e.column());
        if e.to_string().starts_with(DUPLICATE) {
            Error::DuplicateKey { line, column }
        } else {
            Error::Json { line, column }
        }
    })?;
    check_numbers(text)?;
    Ok(value)
}

/// The canonical form of RFC 8785 (JCS).
pub fn canonical(value: &Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).expect("a parsed JSON value has finite numbers and string keys")
}

/// Builds a [`Value`] and refuses a key that stands twice in one object.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Value, E> {
        Number::from_f64(v).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(Value::String(v))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut out = Vec::new();
        while let Some(item) = seq.next_element_seed(Strict)? {
            out.push(item);
        }
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut out = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if out.contains_key(&key) {
                return Err(A::Error::custom(DUPLICATE));
            }
            let value = map.next_value_seed(Strict)?;
            out.insert(key, value);
        }
        Ok(Value::Object(out))
    }
}

/// Refuses numbers whose text says more than a double holds. `text` is known to be JSON.
fn check_numbers(text: &str) -> Result<(), Error> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = after_string(bytes, at),
            b'-' | b'0'..=b'9' => {
                let length = bytes[at..]
                    .iter()
                    .take_while(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
                    .count();
                if !fits_double(&text[at..at + length]) {
                    return Err(Error::Number { offset: at });
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    Ok(())
}

fn after_string(bytes: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// An integer must be printed by RFC 8785 as it is written: beyond 2^53 several integers are one double, and only one
/// of them may pass. A fraction may round, as the RFC has it, but not to nothing.
fn fits_double(literal: &str) -> bool {
    let Ok(value) = literal.parse::<f64>() else { return false };
    if !value.is_finite() {
        return false;
    }
    if value == 0.0 {
        let mantissa = literal.split(['e', 'E']).next().unwrap_or(literal);
        return mantissa.bytes().all(|b| matches!(b, b'0' | b'.' | b'-'));
    }
    let is_integer = !literal.contains(['.', 'e', 'E']);
    !is_integer || canonical(&Value::from(value)) == literal.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_keys_are_refused_at_any_depth() {
        assert!(matches!(parse(br#"{"a":1,"b":[{"c":1,"c":1}]}"#), Err(Error::DuplicateKey { line: 1, .. })));
        // The same key in another spelling.
        assert!(matches!(parse(br#"{"a":1,"\u0061":2}"#), Err(Error::DuplicateKey { .. })));
        assert!(parse(br#"{"a":{"a":1}}"#).is_ok());
    }

    #[test]
    fn numbers_that_a_double_does_not_hold_are_refused() {
        for good in
            ["0", "-0", "0.0", "9007199254740991", "9007199254740992", "1e21", "333333333.33333329", "4.50", "1E-27"]
        {
            assert!(parse(format!("[{good}]").as_bytes()).is_ok(), "{good}");
        }
        for bad in [
            "9007199254740993",
            "50000001157811728",
            "18446744073709551616",
            "18446744073709551617",
            "123456789012345678901234567890",
            "1e400",
            "1e-400",
        ] {
            assert!(parse(format!("[{bad}]").as_bytes()).is_err(), "{bad}");
        }
        assert_eq!(parse(br#"["9007199254740993", 9007199254740993]"#), Err(Error::Number { offset: 21 }));
        assert!(parse(br#"{"a\"1e400":"\\"}"#).is_ok());
        // One of the integers that are this double: the one that RFC 8785 prints.
        assert_eq!(parse(b"50000001157811730").map(|v| canonical(&v)), Ok(b"50000001157811730".to_vec()));
    }

    #[test]
    fn what_is_no_json_is_refused_without_a_crash() {
        assert_eq!(parse(b"{\"a\":\"\xff\"}"), Err(Error::Utf8 { offset: 6 }));
        assert!(matches!(parse(br#"{"a":1} x"#), Err(Error::Json { .. })));
        assert!(matches!(parse(br#""\ud800""#), Err(Error::Json { .. })));
        let deep = [b'['; 1 << 20];
        assert!(matches!(parse(&deep), Err(Error::Json { .. })));
        assert!(matches!(parse(&vec![b'['; 100 << 20]), Err(Error::TooLarge { .. })));
        assert!(matches!(parse(b""), Err(Error::Json { .. })));
    }

    #[test]
    fn canonical_form_sorts_by_utf16_and_prints_shortest_numbers() {
        let value = parse("{\"\u{e9}\":1,\"\u{1f600}\":2,\"\u{fb33}\":3,\"a\":4.50}".as_bytes());
        assert_eq!(
            value.map(|v| canonical(&v)),
            Ok("{\"a\":4.5,\"\u{e9}\":1,\"\u{1f600}\":2,\"\u{fb33}\":3}".as_bytes().to_vec())
        );
    }
}
