//! Open Badges 2.0 assertions, and the hosted ones of 1.x. They carry no proof: a *hosted* one is what its URL serves,
//! a *signed* one is a compact JWS whose key the issuer's profile lists.
//!
//! Who issued it stands elsewhere (assertion → badge class → issuer's profile), so the credential that the verdict reads
//! is settled only when those documents are there. It is a translation: `issuer`, `issuedOn` → `validFrom`, `expires` →
//! `validUntil`. URLs of these badges often say `http`: they are asked for by `https` only.
//!
//! Absent: endorsements, and whether a recipient's hash is somebody's.

mod elsewhere;
mod hosted;
mod shape;
mod signed;

use serde_json::{Map, Value};
use testamur_core::{
    UnixSeconds,
    checked::{ListEntry, ListOutcome, Signature, SignatureFault, SignatureGap, SignatureOutcome},
    policy::Policy,
};

use self::elsewhere::{Stop, host, issued};
use crate::{Supplies, lists::fresh, opened::Refusal};

pub(crate) use shape::is_badge2;

/// An assertion, as it was given to us.
#[derive(Clone, Debug, PartialEq)]
pub struct Badge2(Given);

#[derive(Clone, Debug, PartialEq)]
enum Given {
    /// Itself: its URL must serve the same.
    Whole(Map<String, Value>),
    /// A compact JWS, and what it says.
    Token { assertion: Map<String, Value>, token: String },
    /// Only where it is hosted: what old images carry.
    At(String),
}

impl Badge2 {
    /// An assertion in JSON.
    pub(crate) fn hosted(assertion: Map<String, Value>) -> Result<Self, Refusal> {
        shape::check(&assertion)?;
        Ok(Self(Given::Whole(assertion)))
    }

    /// An assertion in a compact JWS.
    pub(crate) fn signed(assertion: Map<String, Value>, token: &str) -> Result<Self, Refusal> {
        shape::check(&assertion)?;
        Ok(Self(Given::Token { assertion, token: token.to_owned() }))
    }

    /// An assertion of which only the URL is known.
    pub(crate) fn at(url: &str) -> Result<Self, Refusal> {
        host(url).ok_or(Refusal::Badge { member: "assertion" })?;
        Ok(Self(Given::At(url.to_owned())))
    }

    /// What is checked of it in place of a signature, and what says whether it was revoked.
    pub fn check(&self, supplies: &dyn Supplies, policy: &Policy, now: UnixSeconds) -> (Signature, Vec<ListEntry>) {
        let (checked, suite) = match &self.0 {
            Given::Token { assertion, token } => (signed::check(assertion, token, supplies), "Open Badges 2.0 signed"),
            Given::Whole(assertion) => (hosted::check(Some(assertion), supplies), "Open Badges 2.0 hosted"),
            Given::At(url) => (hosted::check_at(url, None, supplies), "Open Badges 2.0 hosted"),
        };
        let revoked = checked.revoked.map(|(list, outcome)| {
            let outcome = match outcome {
                ListOutcome::Clear { as_of } => {
                    fresh(as_of, policy, now).map_or_else(ListOutcome::Unknown, |()| outcome)
                }
                outcome => outcome,
            };
            ListEntry { purpose: "revocation".to_owned(), list, signer: None, outcome }
        });
        let (method, outcome) = (checked.method, checked.outcome);
        (Signature { suite: suite.to_owned(), method, created: None, outcome }, revoked.into_iter().collect())
    }

    /// The assertion as a credential, as far as it can be told from itself alone: named after the host that it is on.
    pub(crate) fn credential(&self) -> Map<String, Value> {
        let empty = Map::new();
        let (assertion, at) = match &self.0 {
            Given::Whole(assertion) | Given::Token { assertion, .. } => (assertion, shape::hosted_at(assertion)),
            Given::At(url) => (&empty, Some(url.as_str())),
        };
        let badge = assertion.get("badge").and_then(elsewhere::reference);
        let issuer = at.into_iter().chain(badge).find_map(host).map(|host| format!("https://{host}"));
        shape::translate(assertion, issuer.as_deref().unwrap_or("an issuer that is not named"))
    }

    /// The same with what other documents say: a hosted assertion as its host has it now, and its issuer.
    pub(crate) fn settled(&self, supplies: &dyn Supplies) -> Map<String, Value> {
        let assertion = match &self.0 {
            Given::Token { assertion, .. } => Ok(assertion.clone()),
            Given::Whole(assertion) => hosted::had(shape::hosted_at(assertion), supplies),
            Given::At(url) => hosted::had(Some(url), supplies),
        };
        let settled = assertion.ok().and_then(|assertion| {
            let issued = issued(&assertion, supplies).ok()?;
            Some(shape::translate(&assertion, &issued.issuer))
        });
        settled.unwrap_or_else(|| self.credential())
    }
}

/// What came of an assertion.
struct Found {
    /// The URL that speaks for it: its own, or its key's.
    method: Option<String>,
    outcome: SignatureOutcome,
    /// Where its revocation was looked up, and what came of it.
    revoked: Option<(String, ListOutcome)>,
}

impl From<Stop> for SignatureOutcome {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Missing(missing) => Self::Unknown(SignatureGap::Missing(missing)),
            Stop::Fault(fault) => Self::Fails(fault),
        }
    }
}

fn malformed(what: impl Into<String>) -> SignatureFault {
    SignatureFault::Malformed { what: what.into() }
}
