//! What an assertion must look like, and what it says in the words of Verifiable Credentials.

use serde_json::{Map, Value};
use testamur_core::UnixSeconds;

use crate::opened::Refusal;

/// Marks of Open Badges contexts before 3.0.
const CONTEXTS: [&str; 4] = ["openbadges/v1", "openbadges/v2", "openbadges.org/v1", "openbadgespec.org/v"];

/// What `verification.type` (1.x: `verify.type`) may be.
const KINDS: [&str; 4] = ["hosted", "HostedBadge", "signed", "SignedBadge"];

/// Hexadecimal digits of a recipient's hash, by its algorithm.
const HASHES: [(&str, usize); 2] = [("sha256", 64), ("md5", 32)];

/// Whether a JSON object is, or means to be, a badge of 2.0 or before: by its context, or by the members of 1.0.
pub(crate) fn is_badge2(object: &Map<String, Value>) -> bool {
    match object.get("@context") {
        Some(context) => texts(Some(context)).any(|url| CONTEXTS.iter().any(|mark| url.contains(mark))),
        None => object.contains_key("badge") && object.contains_key("verify"),
    }
}

/// Checks the members that everything else rests on.
pub(super) fn check(assertion: &Map<String, Value>) -> Result<(), Refusal> {
    let has = |member: &str| assertion.get(member);
    let is_date = |value: &Value| date(value).is_some();
    let checks = [
        // 1.0 has neither context nor type.
        ("type", !assertion.contains_key("@context") || texts(has("type")).any(|kind| kind == "Assertion")),
        ("badge", has("badge").is_some_and(|badge| badge.is_string() || badge.is_object())),
        ("recipient.identity", has("recipient").is_some_and(is_recipient)),
        ("issuedOn", has("issuedOn").is_some_and(is_date)),
        ("expires", has("expires").is_none_or(is_date)),
        (
            "verification.type",
            verification(assertion).is_some_and(|way| texts(way.get("type")).any(|k| KINDS.contains(&k))),
        ),
    ];
    match checks.into_iter().find(|(_, holds)| !holds) {
        Some((member, _)) => Err(Refusal::Badge { member }),
        None => Ok(()),
    }
}

/// A hash of the length that its algorithm has. Of an identity in the clear nothing is asked.
fn is_recipient(recipient: &Value) -> bool {
    let Some(identity) = recipient.get("identity").and_then(Value::as_str) else { return false };
    let is_hash = |(name, length): &(&str, usize)| {
        let digits = identity.strip_prefix(name).and_then(|rest| rest.strip_prefix('$'));
        digits.is_some_and(|digits| digits.len() == *length && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    recipient.get("hashed") != Some(&Value::Bool(true)) || HASHES.iter().any(is_hash)
}

pub(super) fn verification(assertion: &Map<String, Value>) -> Option<&Value> {
    assertion.get("verification").or_else(|| assertion.get("verify"))
}

/// Where a hosted assertion stands: its `id`, before 2.0 `verify.url`.
pub(super) fn hosted_at(assertion: &Map<String, Value>) -> Option<&str> {
    let id = assertion.get("id").and_then(Value::as_str);
    id.or_else(|| verification(assertion)?.get("url")?.as_str())
}

/// Whether it says of itself that a signature goes with it.
pub(super) fn is_signed(assertion: &Map<String, Value>) -> bool {
    texts(verification(assertion).and_then(|way| way.get("type"))).any(|kind| matches!(kind, "signed" | "SignedBadge"))
}

/// The assertion with the members that the verdict reads.
pub(super) fn translate(assertion: &Map<String, Value>, issuer: &str) -> Map<String, Value> {
    let mut credential = assertion.clone();
    credential.insert("issuer".to_owned(), issuer.into());
    for (from, to) in [("issuedOn", "validFrom"), ("expires", "validUntil")] {
        match assertion.get(from).and_then(date) {
            Some(time) => _ = credential.insert(to.to_owned(), time.to_string().into()),
            None => _ = credential.shift_remove(to),
        }
    }
    credential
}

/// ISO 8601 as badges write it: with or without seconds, zone (then UTC) or time of day; 1.0 also counts seconds.
fn date(value: &Value) -> Option<UnixSeconds> {
    if let Some(seconds) = value.as_u64() {
        return Some(UnixSeconds(seconds));
    }
    let text = value.as_str()?;
    [text.to_owned(), format!("{text}Z"), format!("{text}T00:00:00Z"), text.replace('Z', ":00Z")]
        .iter()
        .find_map(|text| text.parse().ok())
}

/// One text, or those of an array.
pub(super) fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let (one, many) = match value {
        Some(Value::Array(many)) => (None, many.as_slice()),
        one => (one, [].as_slice()),
    };
    one.into_iter().chain(many).filter_map(Value::as_str)
}
