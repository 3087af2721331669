//! What a verifier saw on the chain with its own eyes: the input of [`crate::verify`], taken elsewhere.

use serde::{Deserialize, Serialize};

use crate::{Address, BlockNumber, ChainId, Hash, Purpose, UnixSeconds, status::StatusProof};

/// How settled a block must be before an anchor in it counts. Later variants ask for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finality {
    /// In the newest block: may still be undone.
    Included,
    /// In the chain's `safe` block.
    Safe,
    /// In the chain's `finalized` block.
    #[default]
    Finalized,
}

/// A block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockRef {
    /// Height.
    pub number: BlockNumber,
    /// Hash.
    pub hash: Hash,
    /// Timestamp.
    pub time: UnixSeconds,
}

/// An anchor's slot, as `anchorOf` reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnchorRecord {
    /// Time of the anchoring block.
    pub time: UnixSeconds,
    /// Its number.
    pub block: BlockNumber,
    /// Leaves of the batch.
    pub size: u64,
    /// Whether the whole batch was withdrawn.
    pub withdrawn: bool,
}

/// A status root's slots, as `statusOf` reads them. All zero where nothing was ever revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusRecord {
    /// Root of the status tree.
    pub root: Hash,
    /// Updates so far.
    pub epoch: u64,
    /// Time of the last one.
    pub time: UnixSeconds,
    /// Its block.
    pub block: BlockNumber,
}

/// A status root at one block and, where it is not zero and could be had, the proof of the credential's bit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusAt {
    /// What the contract says.
    pub record: StatusRecord,
    /// Proof of the bit under that root. Not needed under the zero root.
    pub proof: Option<StatusProof>,
}

/// The status of one purpose, at the newest block and at the settled one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusSeen {
    /// Which bit.
    pub purpose: Purpose,
    /// At the newest block: a set bit counts at once.
    pub head: StatusAt,
    /// At the settled block: a cleared bit counts only here.
    pub settled: StatusAt,
}

/// One look at the chain, for one issuer, root and status index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    /// The chain that the endpoint really serves (`eth_chainId`).
    pub chain: ChainId,
    /// The contract that was read.
    pub registry: Address,
    /// keccak-256 of the code there; `None` where there is none.
    pub code_hash: Option<Hash>,
    /// The account whose anchors and status were read.
    pub issuer: Address,
    /// The root that was asked for.
    pub root: Hash,
    /// The newest block.
    pub head: BlockRef,
    /// The newest block that is settled as `finality` says.
    pub settled: BlockRef,
    /// What `settled` means here.
    pub finality: Finality,
    /// The anchor at the newest block; `None` where the root is not anchored.
    pub anchor_at_head: Option<AnchorRecord>,
    /// The anchor at the settled block.
    pub anchor_settled: Option<AnchorRecord>,
    /// The status of each purpose that was read.
    pub status: Vec<StatusSeen>,
}

/// Why the chain could not be seen. Never evidence against a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "camelCase")]
#[non_exhaustive]
pub enum Unseen {
    /// The verifier has no endpoint for this chain.
    NoEndpoint {
        /// The chain that the receipt names.
        wanted: ChainId,
    },
    /// The endpoint serves another chain than the receipt names.
    OtherChain {
        /// The chain that the receipt names.
        wanted: ChainId,
        /// The chain that the endpoint serves.
        served: ChainId,
    },
    /// No endpoint was asked, and no evidence speaks of the receipt's batch.
    NoEvidence {
        /// The chain that the receipt names.
        wanted: ChainId,
    },
    /// There is evidence, under a block that nobody whom the verifier trusts vouches for.
    BlockNotTrusted {
        /// The chain.
        chain: ChainId,
        /// The newest block under which there is a proof.
        block: BlockNumber,
        /// Its hash.
        hash: Hash,
    },
    /// The endpoint did not answer, or answered with an error.
    Unreachable,
    /// The endpoint's answers contradict one another or cannot be read.
    Unusable,
}
