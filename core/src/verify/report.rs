//! What a verifier says, for people and for programs.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{
    Address, BlockNumber, ChainId, Digest, Error, Hash, Purpose, UnixSeconds,
    observation::{Finality, Unseen},
    policy::{Need, Policy},
};

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

/// What came of a check.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It holds; with the figures that it rests on.
    Pass(Fact),
    /// It is false.
    Fail(Fault),
    /// It could not be told.
    Unknown(Gap),
    /// The document asks for no such check.
    NotApplicable,
}

/// How an account is tied to an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Tie {
    /// The document's issuer is the account itself (`did:pkh`).
    SelfNamed,
    /// The verifier's list of recognised issuers says so.
    Recognised,
}

/// What a passed check rests on.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[allow(missing_docs)] // the messages say what the fields are
pub enum Fact {
    #[error("unchanged since it was anchored (digest {digest})")]
    Unchanged { digest: Digest },
    #[error("leaf {leaf_index} of a batch of {tree_size}")]
    Included { leaf_index: u64, tree_size: u64 },
    #[error("{finality} in block {block} of {chain}, {time}")]
    Anchored { chain: ChainId, block: BlockNumber, time: UnixSeconds, finality: Finality },
    #[error("{}{account} {}", .name.as_ref().map(|n| format!("{n}: ")).unwrap_or_default(), tie_text(.tie))]
    Tied { account: Address, name: Option<String>, tie: Tie },
    #[error("not revoked, not suspended, as of block {block}, {time}")]
    Good { block: BlockNumber, time: UnixSeconds },
    #[error("{}", period_text(.from, .until))]
    Within { from: Option<UnixSeconds>, until: Option<UnixSeconds> },
}

/// What is false.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Fault {
    #[error("{0}")]
    #[serde(serialize_with = "error_text")]
    Document(Error),
    #[error("the document, or its receipt, was changed since it was anchored")]
    Changed,
    #[error("no contract at {registry} on {chain}")]
    NoRegistry { chain: ChainId, registry: Address },
    #[error("the contract at {registry} is not the published registry (code {found})")]
    ForeignCode { registry: Address, found: Hash },
    #[error("{issuer} has not anchored the root {root} on {chain}")]
    NotAnchored { chain: ChainId, issuer: Address, root: Hash },
    #[error("the issuer withdrew the whole batch")]
    Withdrawn,
    #[error("the anchored batch has {anchored} leaves, the receipt says {claimed}")]
    TreeSize { anchored: u64, claimed: u64 },
    #[error("it names the issuer {named}, which is not the anchoring account {account}")]
    OtherAccount { named: String, account: Address },
    #[error("{named} is recognised with other accounts, not with {account}")]
    NotTheirAccount { named: String, account: Address },
    #[error("{purpose}: set by the issuer, last update {time} (block {block})")]
    StatusSet { purpose: Purpose, block: BlockNumber, time: UnixSeconds },
    #[error("valid from {from} only")]
    NotYet { from: UnixSeconds },
    #[error("expired {until}")]
    Expired { until: UnixSeconds },
}

/// What could not be told, and what would help.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Gap {
    #[error("it carries no anchor proof, and no receipt stands beside it")]
    NoAnchor,
    #[error("the policy does not accept the chain {chain}; name it in the policy if you trust it")]
    ChainNotAccepted { chain: ChainId },
    #[error("the policy does not accept the registry {registry}; name it in the policy if you trust it")]
    RegistryNotAccepted { registry: Address },
    #[error("{}", unseen_text(.0))]
    Unseen(Unseen),
    #[error("the chain was read for another receipt")]
    OtherObservation,
    #[error("the chain was read at {seen} blocks, the policy asks for {asked}")]
    LessSettled { seen: Finality, asked: Finality },
    #[error("the endpoint is behind: it knows blocks up to {head}, the receipt names block {claimed}")]
    Behind { head: BlockNumber, claimed: BlockNumber },
    #[error("anchored in block {block}, which is not {asked} yet (blocks up to {settled} are); try again later")]
    NotSettled { block: BlockNumber, settled: BlockNumber, asked: Finality },
    #[error("nothing ties {account} to {named}; add it to the recognised issuers if you know that it is theirs")]
    NoTie { named: String, account: Address },
    #[error("{account} is nobody that the policy recognises; add it if you know whose it is")]
    UnknownAccount { account: Address },
    #[error("{count} other proof(s), of kinds that are not checked here")]
    UncheckedProofs { count: usize },
    #[error("the {purpose} bits could not be had; the issuer has set some")]
    StatusUnseen { purpose: Purpose },
    #[error("the newest block is {age} s old, the policy allows {allowed} s")]
    StatusTooOld { age: u64, allowed: u64 },
    #[error("neither revoked nor suspended in the registry, but {count} other status list(s) were not read")]
    OtherStatusLists { count: usize },
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
    pub(super) fn new(checks: Vec<Check>, policy: &Policy) -> Self {
        let required = |kind| match kind {
            CheckKind::Issuer => policy.issuer == Need::Required,
            CheckKind::Status => policy.status == Need::Required,
            CheckKind::Signature => policy.signature == Need::Required,
            _ => true,
        };
        let failed = |check: &Check| matches!(check.outcome, Outcome::Fail(_));
        let missing = |check: &Check| matches!(check.outcome, Outcome::Unknown(_)) && required(check.kind);
        let (verdict, decisive) = match (checks.iter().position(failed), checks.iter().position(missing)) {
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

impl Outcome {
    /// `pass`, `fail`, `unknown` or `not applicable`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pass(_) => "pass",
            Self::Fail(_) => "fail",
            Self::Unknown(_) => "unknown",
            Self::NotApplicable => "not applicable",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass(fact) => fact.fmt(f),
            Self::Fail(fault) => fault.fmt(f),
            Self::Unknown(gap) => gap.fmt(f),
            Self::NotApplicable => f.write_str("nothing to check"),
        }
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

impl fmt::Display for Finality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Included => "included",
            Self::Safe => "safe",
            Self::Finalized => "final",
        })
    }
}

fn error_text<S: Serializer>(error: &Error, serializer: S) -> Result<S::Ok, S::Error> {
    let mut out = serializer.serialize_struct("Error", 1)?;
    out.serialize_field("error", &error.to_string())?;
    out.end()
}

fn tie_text(tie: &Tie) -> &'static str {
    match tie {
        Tie::SelfNamed => "is the issuer that it names",
        Tie::Recognised => "is recognised by your policy",
    }
}

fn period_text(from: &Option<UnixSeconds>, until: &Option<UnixSeconds>) -> String {
    match (from, until) {
        (Some(from), Some(until)) => format!("from {from} until {until}"),
        (Some(from), None) => format!("since {from}, without end"),
        (None, Some(until)) => format!("until {until}"),
        (None, None) => "without a period".to_owned(),
    }
}

fn unseen_text(unseen: &Unseen) -> String {
    match unseen {
        Unseen::NoEndpoint { wanted } => format!("no endpoint for {wanted}; give one with --rpc"),
        Unseen::OtherChain { wanted, served } => format!("it is anchored on {wanted}, the endpoint serves {served}"),
        Unseen::Unreachable => "the chain's endpoint could not be reached; try again, or another one".to_owned(),
        Unseen::Unusable => "the chain's endpoint gave answers that cannot be used; try another one".to_owned(),
    }
}
