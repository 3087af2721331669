//! What was checked outside this crate, and what came of it: other signatures, other people's status lists, and who
//! says whose the account is. An input of [`crate::verify`], like [`crate::observation`].
//!
//! Whoever fills it in keeps *false* apart from *could not tell*: a document that could not be had is [`Missing`],
//! never a fault.

use serde::{Deserialize, Serialize};

use crate::{Address, UnixSeconds};

/// Everything that was checked of one document beside its anchor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// The proofs that are not anchors, in the document's order.
    pub signatures: Vec<Signature>,
    /// The entries of `credentialStatus` (or a token's `status`) that the anchor does not answer.
    pub lists: Vec<ListEntry>,
    /// Who was asked whose the anchoring account is, or, without an anchor, whether the issuer is who it says.
    pub ties: Vec<TieFound>,
    /// Another issuer that the verifier recognises and that this one could be mistaken for.
    pub looks_like: Option<LooksLike>,
}

/// Something that a check needed and that could not be had, with what would help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "missing", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[allow(missing_docs)] // the messages say what the fields are
#[non_exhaustive]
pub enum Missing {
    /// The network's fault, or the host's: try again.
    #[error("{what} could not be reached ({detail}); try again later")]
    Unreachable { what: String, detail: String },
    /// Its host says that there is no such thing.
    #[error("{what} is not there ({detail})")]
    NotFound { what: String, detail: String },
    /// This verifier will not ask for it: a private address, a redirect, an answer beyond the limits.
    #[error("{what} is not fetched: {reason}")]
    Refused { what: String, reason: String },
    /// It was had, and cannot be read.
    #[error("{what} cannot be read: {reason}")]
    Unreadable { what: String, reason: String },
    /// Nobody has asked for it yet: the verifier is offline.
    #[error("{what} is needed, and was not asked for")]
    NotAsked { what: String },
    /// This build does not carry it (a JSON-LD context, say).
    #[error("{what} is not carried by this verifier{}", .help.as_ref().map(|help| format!("; {help}")).unwrap_or_default())]
    NotCarried { what: String, help: Option<String> },
}

/// A signature of another kind than the anchor: Data Integrity or JOSE.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Signature {
    /// The cryptosuite, the proof's type, or `JWT EdDSA`: what people call it.
    pub suite: String,
    /// The `verificationMethod`, or a token's `kid`.
    pub method: Option<String>,
    /// When the signer says that it signed.
    pub created: Option<UnixSeconds>,
    /// What came of it.
    pub outcome: SignatureOutcome,
}

/// What came of a signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SignatureOutcome {
    /// The bytes are as signed by this key.
    Holds(KeyOwner),
    /// It is false.
    Fails(SignatureFault),
    /// It could not be told.
    Unknown(SignatureGap),
}

/// Whose the key of a signature that holds is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum KeyOwner {
    /// The named issuer's: its DID is the key, or its document lists the key for assertions.
    Issuer {
        /// When that document was seen; `None` where the DID itself is the key.
        as_of: Option<UnixSeconds>,
        /// The document says that the key ended then (`expires` or `revoked`): only what is known to be older counts.
        until: Option<UnixSeconds>,
    },
    /// The proof spells the key, but whether it is the issuer's could not be told.
    Unproven(Missing),
    /// A key of its own that nothing ties to the issuer (the issuer is no DID, and the key's DID is another name).
    Untied {
        /// The DID or URL that the key belongs to.
        owner: String,
    },
}

/// Why a signature is false.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "fault", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum SignatureFault {
    #[error("the document was changed after it was signed, or the signature is not this key's")]
    Altered,
    #[error("{what} is not well formed")]
    Malformed { what: String },
    #[error("the algorithm {found} is not one that the key {wanted} allows")]
    Algorithm { found: String, wanted: String },
    #[error("it is signed by {owner}, not by the issuer {named}")]
    OtherOwner { owner: String, named: String },
    #[error("{document} does not list the key {key} for assertions")]
    NotListed { document: String, key: String },
    #[error("its purpose is {found}, not assertionMethod")]
    Purpose { found: String },
    #[error("{member} is not covered by the signature: no context defines it")]
    NotCovered { member: String },
    #[error("the signature itself ended {until}")]
    Expired { until: UnixSeconds },
}

/// Why a signature could not be checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "gap", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum SignatureGap {
    #[error("{suite} is not a suite that is checked here")]
    Suite { suite: String },
    #[error("it names no key")]
    NoKey,
    #[error("{0}")]
    Missing(Missing),
}

/// One entry of `credentialStatus` that leads to a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListEntry {
    /// What it is about: `revocation`, `suspension`, `message`, …
    pub purpose: String,
    /// The list's URL.
    pub list: String,
    /// Who signed the list, where that is another than the document's issuer (who chose the URL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// What came of it.
    pub outcome: ListOutcome,
}

/// What a status list says of the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ListOutcome {
    /// The status is not set.
    Clear {
        /// When the list was had.
        as_of: UnixSeconds,
    },
    /// The status is set: the document is no longer good (or not now).
    Set {
        /// When the list was had.
        as_of: UnixSeconds,
    },
    /// A status that says something and takes nothing away (`message`, `refresh`).
    Message {
        /// What it says.
        text: String,
    },
    /// It could not be told.
    Unknown(ListGap),
}

/// Why a status list does not tell. None of these speaks against the document: a forged list is its server's fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "gap", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum ListGap {
    #[error("{0}")]
    Missing(Missing),
    #[error("status entries of type {kind} are not read here")]
    Kind { kind: String },
    #[error("the list is not what its entry asks for: {reason}")]
    Mismatch { reason: String },
    #[error("the list's own signature: {reason}")]
    Signature { reason: String },
    #[error(
        "the list holds {found} statuses, the policy asks for {needed} at least, so that asking does not tell whom about"
    )]
    TooShort { found: u64, needed: u64 },
    #[error("the list ended {until}; try again later")]
    Ended { until: UnixSeconds },
    #[error("the list is {age} s old, the policy allows {allowed} s")]
    TooOld { age: u64, allowed: u64 },
}

/// One who was asked whether an account, or a key, is the issuer's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TieFound {
    /// Who was asked.
    pub source: TieSource,
    /// The answer.
    pub answer: TieAnswer,
}

/// Who can say whose an account is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum TieSource {
    /// The issuer's DID document (`blockchainAccountId`).
    #[error("{url} lists it")]
    DidDocument {
        /// Where it stands.
        url: String,
    },
    /// A DNS TXT record of the issuer's domain.
    #[error("the DNS record of {name} lists it")]
    Dns {
        /// The name that was asked for.
        name: String,
    },
    /// A statement signed by the issuer's did:key.
    #[error("{signer} signed that it is")]
    Statement {
        /// Who signed it.
        signer: String,
    },
    /// A list of recognised issuers that the verifier trusts.
    #[error("{name} lists it{}", .called.as_ref().map(|called| format!(" as {called}")).unwrap_or_default())]
    List {
        /// The list's name or URL.
        name: String,
        /// What the list calls the issuer.
        called: Option<String>,
    },
}

/// What such a source says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum TieAnswer {
    /// The account is the issuer's.
    Theirs {
        /// When the source was seen.
        as_of: UnixSeconds,
        /// The source says that the account ended then (`expires` or `revoked`): only what was anchored before counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<UnixSeconds>,
    },
    /// The issuer has accounts, and this is none of them.
    Others {
        /// The accounts that it has.
        accounts: Vec<Address>,
    },
    /// It names no accounts.
    Silent,
    /// It could not be had.
    Unknown(Missing),
}

/// An issuer that can be mistaken for one that the verifier recognises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LooksLike {
    /// What the document calls its issuer: a name, or a domain.
    pub named: String,
    /// The recognised one that it resembles.
    pub recognised: String,
}
