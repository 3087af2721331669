//! The documents that an assertion leads to: badge class and issuer, and whom an issuer lets speak for it.

use serde_json::{Map, Value};
use testamur_core::{
    UnixSeconds,
    checked::{Missing, SignatureFault},
    json,
};

use super::{malformed, shape::texts};
use crate::{Supplies, lists::ask};

/// Why no answer was reached.
pub(super) enum Stop {
    Missing(Missing),
    Fault(SignatureFault),
}

impl From<Missing> for Stop {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing)
    }
}

impl From<SignatureFault> for Stop {
    fn from(fault: SignatureFault) -> Self {
        Self::Fault(fault)
    }
}

/// Who issued an assertion.
pub(super) struct Issued {
    /// The badge class.
    pub class: Map<String, Value>,
    /// The URL that the badge class names.
    pub issuer: String,
    /// What stands there.
    pub profile: Map<String, Value>,
    /// When the older of both was seen.
    pub as_of: UnixSeconds,
}

/// A JSON object from elsewhere.
pub(super) fn object(url: &str, supplies: &dyn Supplies) -> Result<(Map<String, Value>, UnixSeconds), Missing> {
    let supplied = ask(supplies, &secure(url))?;
    let unreadable = |reason: String| Missing::Unreadable { what: url.to_owned(), reason };
    match json::parse(&supplied.bytes).map_err(|error| unreadable(error.to_string()))? {
        Value::Object(object) => Ok((object, supplied.as_of)),
        _ => Err(unreadable("it is no JSON object".to_owned())),
    }
}

/// Follows an assertion to its issuer. The profile is always taken from its own URL: one that stands in a badge class
/// may say anything in anybody's name.
pub(super) fn issued(assertion: &Map<String, Value>, supplies: &dyn Supplies) -> Result<Issued, Stop> {
    let badge = assertion.get("badge").ok_or_else(|| malformed("badge"))?;
    let (class, class_seen) = match badge {
        Value::Object(class) => (class.clone(), None),
        badge => {
            let url = badge.as_str().ok_or_else(|| malformed("badge"))?;
            let (class, as_of) = object(url, supplies)?;
            stands_at(&class, url, "the badge class", &["BadgeClass"])?;
            (class, Some(as_of))
        }
    };
    let issuer =
        class.get("issuer").and_then(reference).ok_or_else(|| malformed("the badge class's issuer"))?.to_owned();
    if host(&issuer).is_none() {
        return Err(malformed("the badge class's issuer, which is no URL,").into());
    }
    let (profile, as_of) = object(&issuer, supplies)?;
    stands_at(&profile, &issuer, "the issuer's profile", &["Issuer", "Profile"])?;
    let as_of = class_seen.map_or(as_of, |seen| seen.min(as_of));
    Ok(Issued { class, issuer, profile, as_of })
}

/// A document is of its kind, and names itself on the host that served it. Before 2.0 it named neither.
fn stands_at(object: &Map<String, Value>, url: &str, what: &str, kinds: &[&str]) -> Result<(), SignatureFault> {
    if object.contains_key("@context") && !texts(object.get("type")).any(|kind| kinds.contains(&kind)) {
        return Err(malformed(format!("{what} (its type)")));
    }
    match object.get("id") {
        Some(id) if id.as_str().and_then(host) != host(url) => Err(malformed(format!("{what} (its id)"))),
        _ => Ok(()),
    }
}

/// Whether an issuer lets assertions stand at this URL (Open Badges 2.0, VerificationObject): under one of its
/// `startsWith`, on one of its `allowedOrigins`; where it says nothing, on its own host.
pub(super) fn check_scope(url: &str, issued: &Issued) -> Result<(), SignatureFault> {
    let scope = issued.profile.get("verification");
    let member = |name| scope.and_then(|scope| scope.get(name));
    let (prefixes, origins) = (member("startsWith"), member("allowedOrigins"));
    // A prefix that ends within a host's name is a prefix of other hosts as well.
    let begins = |prefix: &str| secure(url).starts_with(&secure(prefix)) && host(url) == host(prefix);
    let is_on =
        |origin: &str| host(url).as_deref() == Some(&*origin.rsplit('/').next().unwrap_or(origin).to_ascii_lowercase());
    let is_within = match (prefixes, origins) {
        (None, None) => host(url) == host(&issued.issuer),
        (prefixes, origins) => {
            (prefixes.is_none() || texts(prefixes).any(begins)) && (origins.is_none() || texts(origins).any(is_on))
        }
    };
    if is_within {
        return Ok(());
    }
    let owner = host(url).unwrap_or_default();
    Err(SignatureFault::OtherOwner { owner, named: issued.issuer.clone() })
}

/// A URL, or an object that has one.
pub(super) fn reference(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("id")?.as_str())
}

/// Whether two URLs are one, but for `http` and `https`.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    secure(one) == secure(other)
}

/// The URL by which it is asked for: never `http`.
pub(super) fn secure(url: &str) -> String {
    url.strip_prefix("http://").map_or_else(|| url.to_owned(), |rest| format!("https://{rest}"))
}

/// The host of an `http` or `https` URL, with its port, in lower case; `None` for anything else.
pub(super) fn host(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#', '\\']).next()?;
    (!host.is_empty() && !host.contains('@')).then(|| host.to_ascii_lowercase())
}
