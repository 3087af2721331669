//! Why something was refused. These are all *false*; *could not tell* lives in [`crate::verify`].

use crate::{Address, ChainId, Hash};

/// Everything that can be wrong with bytes handed to this crate. A variant carries what was compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A hex text of the wrong length (in digits, without `0x`).
    #[error("expected {expected} hex digits, found {found}")]
    HexLength {
        /// Digits wanted.
        expected: usize,
        /// Digits given.
        found: usize,
    },
    /// Upper-case hex where one value must have one text.
    #[error("hex digits must be lower case")]
    HexCase,
    /// A character that is no hex digit.
    #[error("not a hex digit")]
    HexDigit,
    /// An Ethereum value without its `0x`.
    #[error("an Ethereum address starts with 0x")]
    HexPrefix,
    /// A byte string of the wrong length.
    #[error("expected {expected} bytes, found {found}")]
    ByteLength {
        /// Bytes wanted.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// Not a CAIP-2 identifier of an EIP-155 chain.
    #[error("a chain is written as eip155:<number>")]
    ChainId,
    /// Not an RFC 3339 date-time at or after 1970.
    #[error("not an RFC 3339 date-time with a time zone")]
    DateTime,
    /// A status index at or above 2^40.
    #[error("status index {index} is not below 2^40")]
    StatusIndex {
        /// The number given.
        index: u64,
    },

    /// A list number at or above 2^23.
    #[error("status list {number} is not below 2^23")]
    ListNumber {
        /// The number given.
        number: u32,
    },
    /// Neither the word for a purpose nor its number.
    #[error("a purpose is `revocation`, `suspension` or a number up to 255")]
    Purpose,

    /// The document is not UTF-8.
    #[error("not UTF-8 (first bad byte at offset {offset})")]
    Utf8 {
        /// Offset of the first byte that is not UTF-8.
        offset: usize,
    },
    /// The document is not JSON (RFC 8259), or nests deeper than 128.
    #[error("not JSON that can be read: error at line {line}, column {column}")]
    Json {
        /// Line of the error, from 1.
        line: usize,
        /// Column of the error, from 1.
        column: usize,
    },
    /// An object names a member twice: which one counts would depend on the reader (RFC 7493).
    #[error("an object has the same key twice, at line {line}, column {column}")]
    DuplicateKey {
        /// Line after the second key, from 1.
        line: usize,
        /// Column after the second key, from 1.
        column: usize,
    },
    /// A number that an IEEE 754 double does not hold, so that canonical forms would differ (RFC 8785).
    #[error("the number at offset {offset} does not fit a double; write it as a string")]
    Number {
        /// Offset of the number in the text.
        offset: usize,
    },
    /// The document is larger than a verifier reads.
    #[error("{found} bytes, but at most {limit} are read")]
    TooLarge {
        /// Bytes given.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },

    /// A tree without leaves has no root.
    #[error("an empty batch has no root")]
    EmptyBatch,
    /// A leaf index at or above the tree size.
    #[error("leaf index {index} is outside a tree of {size}")]
    LeafIndex {
        /// Claimed leaf index.
        index: u64,
        /// Claimed tree size.
        size: u64,
    },
    /// An inclusion path of another length than index and size demand (RFC 9162, 2.1.3.2).
    #[error("the inclusion path has {found} hashes, {expected} are needed")]
    PathLength {
        /// Siblings that index and size demand.
        expected: usize,
        /// Siblings given.
        found: usize,
    },

    /// A proof of a status bit or a status list that is not the one encoding of its tree.
    #[error("malformed status proof")]
    StatusProof,
    /// A delta that ends inside a number.
    #[error("the delta is cut off inside a number")]
    DeltaCutOff,
    /// A delta with a number in more bytes than it needs.
    #[error("the delta holds an overlong number")]
    DeltaOverlong,
    /// A delta that reaches 2^40.
    #[error("the delta holds an index at or above 2^40")]
    DeltaRange,

    /// A status list that is not base64url, or lacks the multibase `u` before it.
    #[error("the list is not multibase base64url (`u…`)")]
    ListText,
    /// A status list whose compression is cut off or damaged, or which something else follows.
    #[error("the list's compression is damaged, cut off, or followed by something else")]
    ListCompression,
    /// A status list that grows beyond what its reader takes: a decompression bomb, if nothing else.
    #[error("the list inflates to more than {limit} bytes")]
    ListTooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// A status list that is too short to hide one credential among others.
    #[error(
        "the list holds {found} statuses, but the policy asks for {needed} at least, so that nobody can tell which one is meant"
    )]
    ListTooShort {
        /// Statuses in the list.
        found: u64,
        /// Statuses that the policy asks for.
        needed: u64,
    },
    /// A number of bits that no status of the list's format has.
    #[error("a status of {bits} bits does not exist in this kind of list")]
    StatusSize {
        /// The number given.
        bits: u32,
    },
    /// A status index beyond the end of a list: neither set nor cleared.
    #[error("status {index} is outside a list of {length}")]
    StatusRange {
        /// The place asked for.
        index: u64,
        /// Statuses in the list.
        length: u64,
    },

    /// The credential carries no `merkle-anchor-jcs-2026` proof.
    #[error("no merkle-anchor-jcs-2026 proof")]
    NoAnchor,
    /// The credential carries several: which one counts must not depend on their order.
    #[error("more than one merkle-anchor-jcs-2026 proof")]
    SeveralAnchors,
    /// A member that is missing or has another type or value than the protocol asks for.
    #[error("{member} is missing or not what the protocol asks for")]
    Member {
        /// Dotted path of the member.
        member: &'static str,
    },
    /// `proofValue` is not multibase base64url (`u…`).
    #[error("proofValue is not multibase base64url")]
    Multibase,
    /// A receipt that is not deterministic CBOR of the known members (RFC 8949, 4.2.1).
    #[error("the receipt is not deterministic CBOR of the known members")]
    Cbor,
    /// A receipt of a version that this code does not know.
    #[error("receipt version {found} is unknown")]
    Version {
        /// The version given.
        found: u64,
    },

    /// The document's leaf and path lead to another root: the document, or its receipt, was changed.
    #[error("the document leads to the root {computed}, the receipt names {claimed}")]
    Root {
        /// The root that leaf and path lead to.
        computed: Hash,
        /// The root that the receipt names.
        claimed: Hash,
    },
    /// `verificationMethod` and receipt name different accounts.
    #[error("the proof names the account {proof}, the receipt {receipt}")]
    Account {
        /// Account of `verificationMethod`.
        proof: Address,
        /// Account of the receipt.
        receipt: Address,
    },
    /// `verificationMethod` and receipt name different chains.
    #[error("the proof names the chain {proof}, the receipt {receipt}")]
    Chain {
        /// Chain of `verificationMethod`.
        proof: ChainId,
        /// Chain of the receipt.
        receipt: ChainId,
    },
}
