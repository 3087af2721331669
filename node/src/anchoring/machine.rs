//! What happens to a sealed batch, and to a change of status, until it is final, also when replies are lost and the
//! process dies in between.
//!
//! ```text
//!                    sign, store, then send            in a block            finalized
//!   Sealed ────────► Prepared ────────► Broadcast ───────► Included ───────► Final
//!     ▲                 │  the endpoint     │                 │
//!     │                 │  has it           │  reorg          │
//!     └─────────────────┴───────────────────┴─────────────────┘
//!       its nonce was used in vain, or it can never be mined
//! ```
//!
//! A change of status has three states: pending, included, final. Its bits on chain decide, as [`super::reconcile`]
//! says; no transaction belongs to it.
//!
//! The contract's slots are the truth, and transactions are only means: a tick first reads the slot of every batch
//! that is not final and the bits of every issuer with open changes, then looks after the transactions that have not
//! taken effect, then makes the next one. It decides from what is stored and what the chain shows, so a restart is
//! nothing but the next tick. A root is anchored once, and an epoch made once, so whatever is sent twice takes effect
//! once.

use std::sync::Arc;

use super::{
    AnchoringConfig, Fault, Report,
    memory::{Memory, anchor_block},
    problem::Problem,
    transaction::Pen,
    view::{Eyes, View},
};
use crate::store::{BatchRecord, BatchState, Store, StoreError, TxRecord};

/// Requests that are under way at once.
pub(super) const CONCURRENCY: usize = 16;

/// Takes the batches and changes of one store to the chain, with one account. There must be no other with the same account.
pub struct Anchoring {
    pub(super) store: Arc<Store>,
    pub(super) eyes: Eyes,
    pub(super) pen: Pen,
    pub(super) config: AnchoringConfig,
    pub(super) report: Report,
    pub(super) memory: Memory,
}

impl Anchoring {
    /// Reads the store; asks the chain nothing. Blocks.
    pub fn new(store: Arc<Store>, config: AnchoringConfig, report: Report) -> Result<Self, StoreError> {
        let eyes = Eyes { registry: config.registry.clone(), chain: config.chain, operator: config.key.address() };
        let pen = Pen { key: config.key.clone(), chain: config.chain };
        let mut memory = Memory::default();
        for batch in store.all_batches() {
            memory.keep_witness(&batch?);
        }
        Ok(Self { store, eyes, pen, config, report, memory })
    }

    /// Does everything that can be done now. May be dropped at any await, and called again after any error.
    pub async fn tick(&mut self) -> Result<(), Fault> {
        let result = self.advance().await;
        if let Err(fault) = &result {
            self.memory.seen_at = None;
            self.memory.meet(fault.into());
        }
        self.report.problems(&self.memory.problems);
        result
    }

    async fn advance(&mut self) -> Result<(), Fault> {
        // Before the look, so that its blocks are never older than these.
        let statuses = self.gather_statuses().await?;
        let looked = self.look().await;
        // While the chain does not answer, what stood in the way before is not known either.
        let view = looked.inspect_err(|_| self.memory.problems.clear())?;
        let mut unfinished = self.blocking(Store::unfinished_batches).await?;
        // What is in a block can change with a new block only.
        if self.memory.seen_at == Some(view) {
            unfinished.retain(|batch| !matches!(batch.state, BatchState::Included { .. }));
            if unfinished.is_empty() && statuses.is_empty() {
                return Ok(());
            }
        }
        self.memory.problems.clear();
        if !self.is_trusted(&view, &unfinished).await? {
            return Ok(());
        }
        self.read_slots(&view, unfinished).await?;
        self.read_statuses(&statuses, &view).await?;
        self.memory.seen_at = Some(view);
        let under_way = self.follow_transactions(&view).await?;
        self.prepare(&view, under_way).await
    }

    async fn look(&mut self) -> Result<View, Fault> {
        let view = self.eyes.look().await?;
        if !self.memory.code_checked {
            self.eyes.check_code().await?;
            self.memory.code_checked = true;
        }
        Ok(view)
    }

    /// Whether decisions may rest on this view: it reaches every anchor that is known, and the last final one stands.
    async fn is_trusted(&mut self, view: &View, unfinished: &[BatchRecord]) -> Result<bool, Fault> {
        let known = unfinished.iter().chain(&self.memory.witness).filter_map(anchor_block).max().unwrap_or_default();
        if view.head.number < known {
            self.memory.meet(Problem::Behind { head: view.head.number, known });
            return Ok(false);
        }
        let Some(witness) = &self.memory.witness else { return Ok(true) };
        let slot = self.eyes.slot(witness, view).await?;
        let block = anchor_block(witness).unwrap_or_default();
        let stands = slot.is_some_and(|slot| (slot.block, slot.size) == (block, witness.size));
        if !stands {
            tracing::error!(batch = witness.id.0, %block, "a final anchor is not on chain any more");
            self.memory.meet(Problem::FinalityBroken { batch: witness.id, block });
        }
        Ok(stands)
    }

    // --- Store and report

    /// Writes all or nothing, durably; then tells.
    pub(super) async fn commit(&self, batches: &[BatchRecord], tx: Option<&TxRecord>) -> Result<(), Fault> {
        if batches.is_empty() && tx.is_none() {
            return Ok(());
        }
        let (records, tx) = (batches.to_vec(), tx.cloned());
        self.blocking(move |store| store.put_progress(&records, tx.as_ref())).await?;
        self.report.moved(batches);
        Ok(())
    }

    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Fault> {
        let store = self.store.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        Ok(done.map_err(|_| Fault::Stopping)??)
    }

    pub(super) async fn report_funds(&mut self, needed: u128) -> Result<(), Fault> {
        let operator = self.eyes.operator;
        let balance = self.eyes.registry.endpoint().balance(operator).await?;
        self.memory.meet(Problem::NoFunds { operator, balance, needed });
        Ok(())
    }
}
