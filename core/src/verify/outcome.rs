//! What came of a check, in words: facts, faults and gaps.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{
    Address, BlockNumber, ChainId, Digest, Error, Hash, Purpose, UnixSeconds,
    checked::{ListGap, Missing, SignatureFault, SignatureGap, TieSource},
    observation::{Finality, Unseen},
};

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Tie {
    /// The document's issuer is the account itself (`did:pkh`).
    SelfNamed,
    /// The verifier's list of recognised issuers says so.
    Recognised,
    /// The issuer itself says so, or a list that the verifier trusts.
    Told {
        /// Where.
        source: TieSource,
    },
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
    #[error("{}signed with the key of {named}", .name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default())]
    SignedBy { named: String, name: Option<String>, as_of: Option<UnixSeconds> },
    #[error("{}{}", .suites.join(", "), unchecked_text(.unchecked))]
    Signed { suites: Vec<String>, unchecked: usize },
    #[error("not revoked, not suspended, as of block {block}, {time}{}", lists_text(.lists))]
    Good { block: BlockNumber, time: UnixSeconds, lists: usize },
    #[error("not set in {lists} status list(s), as of {as_of}")]
    ListsClear { lists: usize, as_of: UnixSeconds },
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
    #[error("{reason}")]
    Unreadable { reason: String },
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
    #[error("{purpose}: set by the issuer in {list}, as of {as_of}")]
    ListSet { purpose: String, list: String, as_of: UnixSeconds },
    #[error("{suite}: {fault}")]
    Signature { suite: String, fault: SignatureFault },
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
    #[error("it carries no anchor proof, and no receipt stands beside it; the policy asks for one")]
    NoAnchor,
    #[error("it carries neither an anchor nor a signature, and no receipt stands beside it")]
    NoProof,
    #[error("it carries no signature beside its anchor; the policy asks for one")]
    NoSignature,
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
    #[error("whether {account} is {named}'s could not be told: {missing}")]
    TieUnseen { named: String, account: Address, missing: Missing },
    #[error("what ties the account or key to its issuer was seen {age} s ago, the policy allows {allowed} s")]
    IdentityTooOld { age: u64, allowed: u64 },
    #[error("{account} was the issuer's until {until}, and is not known to have anchored this before")]
    AccountEnded { account: Address, until: UnixSeconds },
    #[error("{named} is not among the issuers that the policy recognises; add it if you know it")]
    NotRecognised { named: String },
    #[error(
        "{named} can be mistaken for {recognised}, whom you recognise, but is another; add it if you know that it is not"
    )]
    LooksLike { named: String, recognised: String },
    #[error("no signature holds that would tell who issued it")]
    NoSigner,
    #[error("whether the signing key is {named}'s could not be told: {missing}")]
    KeyUnproven { named: String, missing: Missing },
    #[error("signed by {owner}, and nothing ties that to {named}")]
    KeyUntied { named: String, owner: String },
    #[error("signed with a key that ended {until}, and no anchor proves that the document is older")]
    KeyEnded { until: UnixSeconds },
    #[error("{suite}: {gap}")]
    Signature { suite: String, gap: SignatureGap },
    #[error("{count} other proof(s), of kinds that are not checked here")]
    UncheckedProofs { count: usize },
    #[error("the {purpose} bits could not be had; the issuer has set some")]
    StatusUnseen { purpose: Purpose },
    #[error("the newest block is {age} s old, the policy allows {allowed} s")]
    StatusTooOld { age: u64, allowed: u64 },
    #[error("{purpose} in {list}: {gap}")]
    ListUnknown { purpose: String, list: String, gap: ListGap },
    #[error("{count} other status list(s) were not read")]
    OtherStatusLists { count: usize },
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

fn tie_text(tie: &Tie) -> String {
    match tie {
        Tie::SelfNamed => "is the issuer that it names".to_owned(),
        Tie::Recognised => "is recognised by your policy".to_owned(),
        Tie::Told { source } => format!("is the issuer's: {source}"),
    }
}

fn unchecked_text(unchecked: &usize) -> String {
    if *unchecked == 0 { String::new() } else { format!(" (and {unchecked} that could not be checked)") }
}

fn lists_text(lists: &usize) -> String {
    if *lists == 0 { String::new() } else { format!(", and in {lists} other list(s)") }
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
        Unseen::NoEvidence { wanted } => format!("no evidence speaks of this batch on {wanted}"),
        Unseen::BlockNotTrusted { chain, block, hash } => format!(
            "the evidence rests on block {block} of {chain} ({hash}): compare this hash with a source that you trust, and pin it"
        ),
        Unseen::Unreachable => "the chain's endpoint could not be reached; try again, or another one".to_owned(),
        Unseen::Unusable => "the chain's endpoint gave answers that cannot be used; try another one".to_owned(),
    }
}
