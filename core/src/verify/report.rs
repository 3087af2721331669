//! What a verifier says, for people and for programs.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{Gap, Outcome};
use crate::policy::{Need, Policy};

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing failed, and nothing that the policy requires is unknown.
    Valid,
    /// Something is false.
    Invalid,
    /// Nothing is known to be false, but something that the policy requires could not be told.
    Unverifiable,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Unverifiable => "unverifiable",
        })
    }
}

/// One question that is asked of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckKind {
    /// Do document, proof and receipt belong together?
    Integrity,
    /// Is the leaf in the batch?
    Inclusion,
    /// Does the batch's root stand on the chain, under this issuer, settled, not withdrawn?
    Anchor,
    /// Does the account belong to the issuer that the document names?
    Issuer,
    /// Do its other signatures hold?
    Signature,
    /// Is it neither revoked nor suspended?
    Status,
    /// Is it within its period of validity?
    Validity,
}

impl CheckKind {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 7] =
        [Self::Integrity, Self::Inclusion, Self::Anchor, Self::Issuer, Self::Signature, Self::Status, Self::Validity];
}

impl fmt::Display for CheckKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integrity => "integrity",
            Self::Inclusion => "inclusion",
            Self::Anchor => "anchor",
            Self::Issuer => "issuer",
            Self::Signature => "signature",
            Self::Status => "status",
            Self::Validity => "validity",
        })
    }
}

/// One check and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The question.
    pub kind: CheckKind,
    /// The answer.
    pub outcome: Outcome,
}

/// All checks and the verdict over them. Only [`super::verify`] and [`super::refuse`] make one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    verdict: Verdict,
    checks: Vec<Check>,
    #[serde(skip)]
    decisive: Option<usize>,
}

impl Report {
    pub(super) fn new(checks: Vec<Check>, needs_signature: bool, policy: &Policy) -> Self {
        let required = |kind| match kind {
            CheckKind::Issuer => policy.issuer == Need::Required,
            CheckKind::Status => policy.status == Need::Required,
            CheckKind::Signature => needs_signature,
            _ => true,
        };
        let failed = |check: &Check| matches!(check.outcome, Outcome::Fail(_));
        let missing = |check: &Check| matches!(check.outcome, Outcome::Unknown(_)) && required(check.kind);
        // That nobody is known to have signed follows from the signature, which has the reason.
        let follows = |check: &Check| matches!(check.outcome, Outcome::Unknown(Gap::NoSigner));
        let first_missing = checks.iter().position(|check| missing(check) && !follows(check));
        let first_missing = first_missing.or_else(|| checks.iter().position(missing));
        let (verdict, decisive) = match (checks.iter().position(failed), first_missing) {
            (Some(first), _) => (Verdict::Invalid, Some(first)),
            (None, Some(first)) => (Verdict::Unverifiable, Some(first)),
            (None, None) => (Verdict::Valid, None),
        };
        Self { verdict, checks, decisive }
    }

    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The checks, in the order in which they are told.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The first check that stands in the way of *valid*; `None` where nothing does.
    pub fn decisive(&self) -> Option<&Check> {
        self.checks.get(self.decisive?)
    }

    /// What came of one check; `None` where the document could not even be read.
    pub fn outcome(&self, kind: CheckKind) -> Option<&Outcome> {
        self.checks.iter().find(|check| check.kind == kind).map(|check| &check.outcome)
    }
}

impl Serialize for Check {
    /// `{ "check", "outcome", "message", "detail"? }`; `detail.kind` is stable, the message is for people.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Check", 4)?;
        out.serialize_field("check", &self.kind)?;
        out.serialize_field("outcome", self.outcome.name())?;
        out.serialize_field("message", &self.outcome.to_string())?;
        match &self.outcome {
            Outcome::Pass(fact) => out.serialize_field("detail", fact)?,
            Outcome::Fail(fault) => out.serialize_field("detail", fault)?,
            Outcome::Unknown(gap) => out.serialize_field("detail", gap)?,
            Outcome::NotApplicable => out.skip_field("detail")?,
        }
        out.end()
    }
}
