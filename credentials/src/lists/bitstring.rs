//! W3C Bitstring Status List v1.0, and what it was before: StatusList2021 and RevocationList2020.

use std::num::NonZeroU32;

use serde_json::{Map, Value};
use testamur_core::{
    Error, UnixSeconds,
    checked::{ListGap, ListOutcome},
    status::bitstring::{decode, decode_2021, status},
};

use super::{Found, MAX_LIST, Reader, issuer_of, mismatch, told};

/// How a version of the specification names its parts.
pub(super) struct Version {
    list: &'static str,
    index: &'static str,
    /// The type of the list credential, and that of its subject.
    types: [&'static str; 2],
    /// `None`: every entry is about revocation, and neither list nor entry says so.
    purpose: Option<&'static str>,
    decode: fn(&str, usize) -> Result<Vec<u8>, Error>,
}

pub(super) const BITSTRING: Version = Version {
    list: "statusListCredential",
    index: "statusListIndex",
    types: ["BitstringStatusListCredential", "BitstringStatusList"],
    purpose: Some("statusPurpose"),
    decode,
};

pub(super) const LIST_2021: Version =
    Version { types: ["StatusList2021Credential", "StatusList2021"], decode: decode_2021, ..BITSTRING };

pub(super) const LIST_2020: Version = Version {
    list: "revocationListCredential",
    index: "revocationListIndex",
    types: ["RevocationList2020Credential", "RevocationList2020"],
    purpose: None,
    decode: decode_2021,
};

impl Reader<'_> {
    pub(super) fn bitstring(self, entry: &Value, version: &Version) -> Found {
        let text = |member: &str| entry.get(member).and_then(Value::as_str);
        let purpose = version.purpose.map_or(Some("revocation"), text).unwrap_or("status").to_owned();
        let list = text(version.list).unwrap_or_default().to_owned();
        let mut signer = None;
        let outcome = self.read(entry, version, &purpose, &list, &mut signer);
        Found { purpose, list, signer, outcome }
    }

    fn read(
        self,
        entry: &Value,
        version: &Version,
        purpose: &str,
        list: &str,
        signer: &mut Option<String>,
    ) -> Result<ListOutcome, ListGap> {
        let place = entry.get(version.index).and_then(index).ok_or_else(|| mismatch("its entry names no index"))?;
        let size = status_size(entry)?;
        let supplied = self.fetch(list)?;
        let credential = self.believed(&supplied.bytes)?;
        *signer = self.other(issuer_of(&credential));
        let bits = bits(&credential, version, purpose)?;
        let value = status(&bits, place, size.get()).map_err(|error| mismatch(error.to_string()))?;
        let length = self.policy.check_list_length(bits.len(), size);
        meaning(entry, purpose, value, supplied.as_of, length)
    }
}

/// The bits of a list credential that is of the right kind and for the right purpose.
fn bits(credential: &Map<String, Value>, version: &Version, purpose: &str) -> Result<Vec<u8>, ListGap> {
    let subject = credential.get("credentialSubject").unwrap_or(&Value::Null);
    let [list, inner] = version.types;
    if !has(credential.get("type"), list) || !has(subject.get("type"), inner) {
        return Err(mismatch(format!("it is no {list} of a {inner}")));
    }
    if let Some(member) = version.purpose
        && !has(subject.get(member), purpose)
    {
        let found = subject.get(member).map_or_else(|| "none".to_owned(), Value::to_string);
        return Err(mismatch(format!("its purpose is {found}, its entry's \"{purpose}\"")));
    }
    let encoded = subject.get("encodedList").and_then(Value::as_str);
    let encoded = encoded.ok_or_else(|| mismatch("it has no encodedList"))?;
    (version.decode)(encoded, MAX_LIST).map_err(|error| mismatch(error.to_string()))
}

/// What a status means, by its entry's purpose. One whose purpose is not known here says nothing once it is set.
fn meaning(
    entry: &Value,
    purpose: &str,
    value: u64,
    as_of: UnixSeconds,
    length: Result<(), Error>,
) -> Result<ListOutcome, ListGap> {
    match purpose {
        "revocation" | "suspension" => told(value != 0, as_of, length),
        "message" => {
            let text =
                message(entry, value).ok_or_else(|| mismatch(format!("its entry has no message for 0x{value:x}")))?;
            Ok(ListOutcome::Message { text: text.to_owned() })
        }
        "refresh" if value != 0 => Ok(ListOutcome::Message { text: "a newer version of it can be had".to_owned() }),
        _ if value != 0 => Err(ListGap::Kind { kind: format!("statusPurpose {purpose}") }),
        _ => told(false, as_of, length),
    }
}

/// The `statusMessage` of a value, which is written in hexadecimal.
fn message(entry: &Value, value: u64) -> Option<&str> {
    let of_value = |message: &&Value| {
        let status = message.get("status").and_then(Value::as_str).and_then(|status| status.strip_prefix("0x"));
        status.is_some_and(|digits| u64::from_str_radix(digits, 16) == Ok(value))
    };
    entry.get("statusMessage")?.as_array()?.iter().find(of_value)?.get("message")?.as_str()
}

/// A number in decimal: a text in the Recommendation, often a number before.
fn index(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str().filter(|text| text.bytes().all(|digit| digit.is_ascii_digit()))?.parse().ok())
}

/// Bits of each status: one, unless the entry says more.
fn status_size(entry: &Value) -> Result<NonZeroU32, ListGap> {
    let Some(size) = entry.get("statusSize") else { return Ok(NonZeroU32::MIN) };
    let size = size.as_u64().and_then(|size| u32::try_from(size).ok()).and_then(NonZeroU32::new);
    size.ok_or_else(|| mismatch("its entry's statusSize is no positive number"))
}

/// Whether a member is a text, or an array that holds it.
fn has(member: Option<&Value>, text: &str) -> bool {
    member
        .is_some_and(|member| member == text || member.as_array().is_some_and(|texts| texts.iter().any(|t| t == text)))
}
