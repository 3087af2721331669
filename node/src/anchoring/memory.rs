//! What a tick remembers of the one before, and small questions to records.

use std::collections::{BTreeMap, BTreeSet};

use testamur_chain::Roles;
use testamur_core::{Address, BlockNumber, Hash};

use super::{Fault, decide::Suspicion, prepare::Turn, problem::Problem, status::StatusMemory, view::View};
use crate::store::{Attempt, BatchId, BatchRecord, BatchState, StoreError, TxId, TxRecord};

/// What a restart may forget: it saves requests, gas or time, and decides nothing about a batch.
#[derive(Default)]
pub struct Memory {
    /// The final batch in the highest block, which must stay where it is.
    pub witness: Option<BatchRecord>,
    /// Whether the code at the registry's address was seen to be the Registry.
    pub code_checked: bool,
    /// The view at which the last tick read all slots.
    pub seen_at: Option<View>,
    /// Since which block the newest version of a transaction has been pending.
    pub pending_since: BTreeMap<TxId, (Hash, BlockNumber)>,
    /// Whether the operator may do something (role bits) for an issuer, as of a block.
    pub rights: (Hash, BTreeMap<(Address, u8), bool>),
    /// Issuers whose batches were in transactions that failed.
    pub suspects: BTreeMap<Address, Suspicion>,
    /// Transactions with batches made.
    pub made: u64,
    /// What the last transaction was made for.
    pub last_turn: Option<Turn>,
    /// What is known of status changes, and of transactions with status updates.
    pub status: StatusMemory,
    /// Batches whose roots somebody else anchored with another size: the contract refuses them for ever.
    pub foreign: BTreeSet<BatchId>,
    /// What this tick met.
    pub problems: Vec<Problem>,
}

impl Memory {
    /// Something is in the way.
    pub fn meet(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// The rights that are known at a block; none of another block.
    pub fn rights_at(&mut self, block: Hash) -> &mut BTreeMap<(Address, u8), bool> {
        if self.rights.0 != block {
            self.rights = (block, BTreeMap::new());
        }
        &mut self.rights.1
    }

    /// Whether the operator may do something for an issuer, as far as is known.
    pub fn may(&self, issuer: Address, role: Roles) -> bool {
        self.rights.1.get(&(issuer, role.0)).is_some_and(|may| *may)
    }

    /// Remembers a final batch if none stands higher.
    pub fn keep_witness(&mut self, batch: &BatchRecord) {
        let is_final = matches!(batch.state, BatchState::Final { .. });
        if is_final && self.witness.as_ref().and_then(anchor_block) <= anchor_block(batch) {
            self.witness = Some(batch.clone());
        }
    }
}

/// The transaction that a batch waits for.
pub fn carrier(batch: &BatchRecord) -> Option<TxId> {
    match batch.state {
        BatchState::Prepared { tx } | BatchState::Broadcast { tx } => Some(tx),
        _ => None,
    }
}

/// The block in which its anchor was seen.
pub fn anchor_block(batch: &BatchRecord) -> Option<BlockNumber> {
    batch.anchor().map(|anchor| anchor.block)
}

/// The same batches in another state.
pub fn with_state(mut batches: Vec<BatchRecord>, state: BatchState) -> Vec<BatchRecord> {
    batches.iter_mut().for_each(|batch| batch.state = state);
    batches
}

/// The version that counts: what is sent, and raised.
pub fn newest(tx: &TxRecord) -> Result<&Attempt, Fault> {
    tx.attempts.last().ok_or(Fault::Store(StoreError::Damaged { what: "transaction record" }))
}
