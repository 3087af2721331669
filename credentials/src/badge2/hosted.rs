//! A hosted assertion is what its URL serves: the same as was given to us, and within what its issuer calls its own.

use serde_json::{Map, Value};
use testamur_core::{
    UnixSeconds,
    checked::{KeyOwner, ListGap, ListOutcome, Missing, SignatureFault, SignatureGap, SignatureOutcome},
};

use super::{
    Found,
    elsewhere::{Stop, check_scope, is_same, issued, object, reference},
    malformed, shape,
};
use crate::Supplies;

/// Members that may differ: what a context is called, and whether it was revoked since.
const FREE: [&str; 2] = ["@context", "revoked"];

pub(super) fn check(given: Option<&Map<String, Value>>, supplies: &dyn Supplies) -> Found {
    let at = given.and_then(shape::hosted_at);
    match at {
        _ if given.is_some_and(shape::is_signed) => {
            // It asks for a signature that nobody gave us.
            let suite = "Open Badges 2.0 signed, without its signature".to_owned();
            Found { method: None, outcome: SignatureOutcome::Unknown(SignatureGap::Suite { suite }), revoked: None }
        }
        Some(url) => check_at(url, given, supplies),
        None => Found { method: None, outcome: SignatureOutcome::Fails(malformed("id")), revoked: None },
    }
}

pub(super) fn check_at(url: &str, given: Option<&Map<String, Value>>, supplies: &dyn Supplies) -> Found {
    let method = Some(url.to_owned());
    let had = object(url, supplies).and_then(|(assertion, as_of)| {
        // A host's words about its own trouble are no badge, and say nothing against one.
        match shape::is_badge2(&assertion) || assertion.contains_key("revoked") {
            true => Ok((assertion, as_of)),
            false => Err(Missing::Unreadable { what: url.to_owned(), reason: "it is no badge".to_owned() }),
        }
    });
    let (assertion, as_of) = match had {
        Ok(had) => had,
        Err(missing) => {
            let revoked = Some((url.to_owned(), ListOutcome::Unknown(ListGap::Missing(missing.clone()))));
            return Found { method, outcome: Stop::Missing(missing).into(), revoked };
        }
    };
    let is_revoked = assertion.get("revoked") == Some(&Value::Bool(true));
    let revoked = if is_revoked { ListOutcome::Set { as_of } } else { ListOutcome::Clear { as_of } };
    let outcome = match compare(url, given, &assertion, as_of, supplies) {
        // Whoever revoked it need not serve the rest of it any more.
        Err(_) if is_revoked => {
            let missing = Missing::NotFound { what: url.to_owned(), detail: "it was revoked".to_owned() };
            Stop::Missing(missing).into()
        }
        Err(stop) => stop.into(),
        Ok(owner) => SignatureOutcome::Holds(owner),
    };
    Found { method, outcome, revoked: Some((url.to_owned(), revoked)) }
}

/// The assertion as its host has it.
pub(super) fn had(url: Option<&str>, supplies: &dyn Supplies) -> Result<Map<String, Value>, Stop> {
    let (assertion, _) = object(url.ok_or_else(|| malformed("id"))?, supplies)?;
    shape::check(&assertion).map_err(|refusal| malformed(refusal.to_string()))?;
    Ok(assertion)
}

fn compare(
    url: &str,
    given: Option<&Map<String, Value>>,
    hosted: &Map<String, Value>,
    as_of: UnixSeconds,
    supplies: &dyn Supplies,
) -> Result<KeyOwner, Stop> {
    shape::check(hosted).map_err(|refusal| malformed(format!("what {url} serves ({refusal})")))?;
    if shape::hosted_at(hosted).is_none_or(|id| !is_same(id, url)) {
        return Err(malformed(format!("what {url} serves (its id)")).into());
    }
    let issued = issued(hosted, supplies)?;
    let is_hosted = |(member, value): (&String, &Value)| {
        FREE.contains(&member.as_str())
            || hosted.get(member) == Some(value)
            || member == "badge" && is_same_badge(value, hosted.get(member), &issued.class)
    };
    if !given.is_none_or(|given| given.iter().all(is_hosted)) {
        return Err(SignatureFault::Altered.into());
    }
    check_scope(url, &issued)?;
    Ok(KeyOwner::Issuer { as_of: Some(issued.as_of.min(as_of)), until: None })
}

/// One may name the badge class, and the other hold it: then it is what stands elsewhere.
fn is_same_badge(given: &Value, hosted: Option<&Value>, class: &Map<String, Value>) -> bool {
    let is_named =
        hosted.and_then(reference).zip(reference(given)).is_some_and(|(hosted, given)| is_same(hosted, given));
    let is_copy = given.as_object().is_none_or(|given| {
        given.iter().all(|(member, value)| FREE.contains(&member.as_str()) || class.get(member) == Some(value))
    });
    is_named && is_copy
}
