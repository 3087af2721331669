//! What the store keeps about batches, changes of status, and the transactions that carry them.

use serde::{Deserialize, Serialize};
use testamur_core::{Address, BlockNumber, Hash, Purpose, UnixSeconds};

/// A batch's number in this node: from 1, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BatchId(pub u64);

/// The number of a change of status in this node: from 1, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangeId(pub u64);

/// The number of a transaction in this node: one for each nonce that is used, whatever its fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TxId(pub u64);

/// How far an issuer's order of status indices ([`crate::permutation`]) is used: this node gave the indices of the
/// positions `first..next`, to digests or as reservations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Where this node began: at a list of its own, chosen at random.
    pub first: u64,
    /// The next position to give.
    pub next: u64,
}

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
    /// When the node saw that its anchor is final; none before, and in records from before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_at: Option<UnixSeconds>,
    /// How far it has come.
    pub state: BatchState,
}

impl BatchRecord {
    /// The same batch in another state, which the node sees now.
    pub fn moved(self, state: BatchState, now: UnixSeconds) -> Self {
        let final_at = matches!(state, BatchState::Final { .. }).then_some(now);
        Self { state, final_at, ..self }
    }

    /// Where its root stands on the chain, as last seen.
    pub fn anchor(&self) -> Option<AnchoredAt> {
        match self.state {
            BatchState::Included { anchor } | BatchState::Final { anchor } => Some(anchor),
            _ => None,
        }
    }
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

/// What a change of status wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// To set the bits of [`Purpose::REVOCATION`], for good.
    Revoke,
    /// To set the bits of [`Purpose::SUSPENSION`].
    Suspend,
    /// To clear the bits of [`Purpose::SUSPENSION`].
    Reinstate,
}

impl Action {
    /// The bits that it is about.
    pub fn purpose(self) -> Purpose {
        match self {
            Self::Revoke => Purpose::REVOCATION,
            Self::Suspend | Self::Reinstate => Purpose::SUSPENSION,
        }
    }

    /// What it wants them to be.
    pub fn bit(self) -> bool {
        self != Self::Reinstate
    }
}

/// A change of status that was accepted. Its status indices are kept apart; they never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeRecord {
    /// The number. Of two changes of one bit, the higher one counts.
    pub id: ChangeId,
    /// Whose status it changes.
    pub issuer: Address,
    /// What is wanted.
    pub action: Action,
    /// Why, in the issuer's own code; 0 where none was given.
    pub reason: u8,
    /// Number of its status indices.
    pub count: u64,
    /// When it was accepted.
    pub accepted_at: UnixSeconds,
    /// Whether it waits for no others.
    pub now: bool,
    /// How far it has come.
    pub state: ChangeState,
}

/// How far a change of status has come. The bits on chain decide; a reorg leads back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum ChangeState {
    /// Its bits are not on chain, or not all.
    Pending,
    /// All its bits are on chain, or overruled by a later change, at the newest block.
    Included {
        /// The newest update that it needed.
        at: UpdatedAt,
    },
    /// Likewise at the finalized block. It will not change any more.
    Final {
        /// The newest update that it needed.
        at: UpdatedAt,
    },
}

/// Where a status update stands on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdatedAt {
    /// Its number among the updates of that issuer and purpose, from 1.
    pub epoch: u64,
    /// The block of the `StatusUpdated` event.
    pub block: BlockNumber,
    /// Its timestamp.
    pub time: UnixSeconds,
    /// The transaction that emitted it.
    pub transaction: Hash,
}

/// A transaction: one nonce, and every version of it that was ever signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxRecord {
    /// The number.
    pub id: TxId,
    /// The operator's account nonce that it uses.
    pub nonce: u64,
    /// What it writes to the chain.
    #[serde(flatten)]
    pub carries: Carries,
    /// Signed versions, oldest first. Any of them may be the one that is mined. Never empty.
    pub attempts: Vec<Attempt>,
}

impl TxRecord {
    /// The batches that it anchors; none where it carries a status update.
    pub fn batches(&self) -> &[BatchId] {
        match &self.carries {
            Carries::Batches(batches) => batches,
            Carries::Status { .. } => &[],
        }
    }
}

/// What a transaction writes to the chain. In JSON `"batches": […]`, or `"status": {…}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Carries {
    /// The roots of these batches.
    Batches(Vec<BatchId>),
    /// One status update. It can only take effect while the epoch before it is the newest.
    Status {
        /// Whose.
        issuer: Address,
        /// Of which bits.
        purpose: Purpose,
        /// The epoch that it makes.
        epoch: u64,
        /// The root that it states.
        root: Hash,
    },
}

/// What a transaction of ours cost, once it was in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// That block. After a reorg the same transaction may stand in another one, at another price.
    pub block: BlockNumber,
    /// Gas used.
    pub gas_used: u64,
    /// Wei per gas that was paid; none where the endpoint does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas_price: Option<u128>,
    /// Batches that it carried: each has an equal share in it. 0: it carried a status update.
    pub batches: u64,
}

impl Cost {
    /// Wei in all.
    pub fn fee(&self) -> Option<u128> {
        Some(self.gas_price?.saturating_mul(self.gas_used.into()))
    }
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
