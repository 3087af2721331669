//! What the store keeps about batches and the transactions that anchor them.

use serde::{Deserialize, Serialize};
use testamur_core::{Address, BlockNumber, Hash, UnixSeconds};

/// A batch's number in this node: from 1, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BatchId(pub u64);

/// The number of an anchoring transaction in this node: one for each nonce that is used, whatever its fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TxId(pub u64);

/// A sealed batch. Its entries are kept apart; they never change once it is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRecord {
    /// The number.
    pub id: BatchId,
    /// Whose batch it is.
    pub issuer: Address,
    /// Root over its entries.
    pub root: Hash,
    /// Number of entries.
    pub size: u64,
    /// When it was sealed.
    pub sealed_at: UnixSeconds,
    /// How far it has come.
    pub state: BatchState,
}

/// How far a sealed batch has come. The contract's slot decides between the last three; a reorg leads back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum BatchState {
    /// Its root is fixed; no transaction carries it yet.
    Sealed,
    /// A signed transaction that carries it is stored, and may have been sent.
    Prepared {
        /// That transaction.
        tx: TxId,
    },
    /// An endpoint has accepted the transaction.
    Broadcast {
        /// That transaction.
        tx: TxId,
    },
    /// The root stands in the contract at the newest block.
    Included {
        /// Where.
        anchor: AnchoredAt,
    },
    /// The root stands in the contract at the finalized block. It will not change any more.
    Final {
        /// Where.
        anchor: AnchoredAt,
    },
}

/// Where a root stands on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchoredAt {
    /// The block of the `Anchored` event.
    pub block: BlockNumber,
    /// Its timestamp.
    pub time: UnixSeconds,
    /// The transaction that emitted it.
    pub transaction: Hash,
}

/// A transaction that anchors batches: one nonce, and every version of it that was ever signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxRecord {
    /// The number.
    pub id: TxId,
    /// The operator's account nonce that it uses.
    pub nonce: u64,
    /// What it anchors.
    pub batches: Vec<BatchId>,
    /// Signed versions, oldest first. Any of them may be the one that is mined. Never empty.
    pub attempts: Vec<Attempt>,
}

/// One signed version of a transaction, stored before it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its hash.
    pub hash: Hash,
    /// The signed EIP-1559 envelope (EIP-2718).
    pub raw: Vec<u8>,
    /// Wei per gas, at most.
    pub max_fee: u128,
    /// Wei per gas for the proposer.
    pub max_priority_fee: u128,
    /// When it was signed.
    pub signed_at: UnixSeconds,
}
