//! A signed assertion: a compact JWS (RS256) with a key that the issuer's profile lists.

use serde_json::{Map, Value};
use testamur_core::{
    UnixSeconds,
    checked::{KeyOwner, ListGap, ListOutcome, SignatureFault, SignatureOutcome},
};

use super::{
    Found,
    elsewhere::{Issued, Stop, is_same, issued, object, reference},
    malformed, shape,
};
use crate::{
    Supplies,
    jose::Compact,
    keys::{Algorithm, PublicKey},
};

pub(super) fn check(assertion: &Map<String, Value>, token: &str, supplies: &dyn Supplies) -> Found {
    let issued = issued(assertion, supplies);
    let creator = creator(assertion, issued.as_ref().ok()).map(str::to_owned);
    let signature = match &creator {
        // A broken signature is told even where the issuer cannot be reached.
        Some(creator) => check_signature(token, creator, supplies),
        None => {
            Err(Stop::Fault(SignatureFault::NotListed { document: "the issuer's profile".into(), key: "any".into() }))
        }
    };
    let revoked = issued.as_ref().ok().and_then(|issued| revoked(assertion, issued, supplies));
    let outcome = match (signature, issued) {
        (Err(Stop::Fault(_)), Err(stop)) if creator.is_none() => stop.into(),
        (Err(stop), _) | (Ok(_), Err(stop)) => stop.into(),
        (Ok((key, as_of)), Ok(issued)) => match check_owner(creator.as_deref().unwrap_or_default(), &key, &issued) {
            Err(fault) => SignatureOutcome::Fails(fault),
            Ok(()) => SignatureOutcome::Holds(KeyOwner::Issuer { as_of: Some(issued.as_of.min(as_of)), until: None }),
        },
    };
    Found { method: creator, outcome, revoked }
}

/// The key that the assertion names, or else the issuer's first.
fn creator<'a>(assertion: &'a Map<String, Value>, issued: Option<&'a Issued>) -> Option<&'a str> {
    let way = shape::verification(assertion)?;
    let named = ["creator", "url"].into_iter().find_map(|member| way.get(member)?.as_str());
    named.or_else(|| reference(first(issued?.profile.get("publicKey")?)?))
}

fn first(value: &Value) -> Option<&Value> {
    value.as_array().map_or(Some(value), |values| values.first())
}

/// The key's document, where the bytes are as signed with it.
fn check_signature(
    token: &str,
    creator: &str,
    supplies: &dyn Supplies,
) -> Result<(Map<String, Value>, UnixSeconds), Stop> {
    let token = Compact::parse(token)?;
    let algorithm = token.header.get("alg").and_then(Value::as_str).unwrap_or("none");
    if algorithm != Algorithm::Rs256.name() {
        return Err(SignatureFault::Algorithm { found: algorithm.to_owned(), wanted: "RSA".to_owned() }.into());
    }
    let (document, as_of) = object(creator, supplies)?;
    let pem = document.get("publicKeyPem").and_then(Value::as_str);
    let key =
        pem.and_then(|pem| PublicKey::from_pem(pem).ok()).ok_or_else(|| malformed(format!("the key {creator}")))?;
    key.check(Algorithm::Rs256, token.signed.as_bytes(), &token.signature)?;
    Ok((document, as_of))
}

/// The issuer lists the key, and the key names the issuer.
fn check_owner(creator: &str, key: &Map<String, Value>, issued: &Issued) -> Result<(), SignatureFault> {
    let listed = issued.profile.get("publicKey");
    let mut listed =
        listed.into_iter().flat_map(|keys| keys.as_array().map_or(std::slice::from_ref(keys), Vec::as_slice));
    if !listed.any(|listed| reference(listed).is_some_and(|listed| is_same(listed, creator))) {
        return Err(SignatureFault::NotListed { document: issued.issuer.clone(), key: creator.to_owned() });
    }
    match key.get("owner").and_then(Value::as_str) {
        Some(owner) if !is_same(owner, &issued.issuer) => {
            Err(SignatureFault::OtherOwner { owner: owner.to_owned(), named: issued.issuer.clone() })
        }
        _ => Ok(()),
    }
}

/// What the issuer's `revocationList` says of the assertion, by its `id` (or 1.x's `uid`).
fn revoked(assertion: &Map<String, Value>, issued: &Issued, supplies: &dyn Supplies) -> Option<(String, ListOutcome)> {
    let url = reference(issued.profile.get("revocationList")?)?.to_owned();
    let outcome = match object(&url, supplies) {
        Err(missing) => ListOutcome::Unknown(ListGap::Missing(missing)),
        Ok((list, as_of)) => match list.get("revokedAssertions").and_then(Value::as_array) {
            None => ListOutcome::Unknown(ListGap::Mismatch { reason: "it has no revokedAssertions".to_owned() }),
            Some(revoked) if revoked.iter().any(|entry| names(entry, assertion)) => ListOutcome::Set { as_of },
            Some(_) => ListOutcome::Clear { as_of },
        },
    };
    Some((url, outcome))
}

fn names(entry: &Value, assertion: &Map<String, Value>) -> bool {
    ["id", "uid"].into_iter().any(|member| {
        let named = if entry.is_string() { Some(entry) } else { entry.get(member) };
        named.is_some() && assertion.get(member) == named
    })
}
