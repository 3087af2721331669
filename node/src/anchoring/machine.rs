//! What happens to a sealed batch until it is final, also when replies are lost and the process dies in between.
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
//! The contract's slot is the truth, and transactions are only means: a tick first reads the slot of every batch
//! that is not final, then looks after the transactions whose batches are not on chain, then makes the next one.
//! It decides from what is stored and what the chain shows, so a restart is nothing but the next tick. A root is
//! anchored once, so whatever is sent twice takes effect once.

use std::{collections::BTreeSet, sync::Arc};

use futures::{StreamExt, TryStreamExt, stream};
use testamur_chain::{Error, Fees, SendError, TxFees};
use testamur_core::{BlockNumber, Hash};

use super::{
    AnchoringConfig, Fault, Report,
    decide::{self, Standing, Step, bid_of},
    fees::{self, TooDear},
    memory::{Memory, anchor_block, carrier, included_by, newest, with_state},
    problem::Problem,
    transaction::{self, Pen},
    view::{Eyes, Progress, View},
};
use crate::store::{BatchId, BatchRecord, BatchState, Store, StoreError, TxRecord};

/// Requests that are under way at once.
pub(super) const CONCURRENCY: usize = 16;

/// Takes the batches of one store to the chain, with one account. There must be no other with the same account.
pub struct Anchoring {
    pub(super) store: Arc<Store>,
    pub(super) eyes: Eyes,
    pub(super) pen: Pen,
    pub(super) config: AnchoringConfig,
    report: Report,
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
        let looked = self.look().await;
        // While the chain does not answer, what stood in the way before is not known either.
        let view = looked.inspect_err(|_| self.memory.problems.clear())?;
        let mut unfinished = self.blocking(Store::unfinished_batches).await?;
        // What is in a block can change with a new block only.
        if self.memory.seen_at == Some(view) {
            unfinished.retain(|batch| !matches!(batch.state, BatchState::Included { .. }));
            if unfinished.is_empty() {
                return Ok(());
            }
        }
        self.memory.problems.clear();
        if !self.is_trusted(&view, &unfinished).await? {
            return Ok(());
        }
        self.read_slots(&view, unfinished).await?;
        self.memory.seen_at = Some(view);
        self.follow_transactions(&view).await?;
        self.prepare(&view).await
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

    // --- The truth

    /// Brings every batch to the state that its slot shows.
    async fn read_slots(&mut self, view: &View, unfinished: Vec<BatchRecord>) -> Result<(), Fault> {
        let txs = self.blocking(Store::open_txs).await?;
        let (eyes, carriers) = (&self.eyes, &txs);
        let read =
            |batch: BatchRecord| async move { Ok::<_, Error>((eyes.progress(&batch, view, carriers).await?, batch)) };
        let seen: Vec<_> = stream::iter(unfinished).map(read).buffered(CONCURRENCY).try_collect().await?;
        let mut moved = Vec::new();
        self.memory.foreign.clear();
        for (progress, batch) in seen {
            match progress {
                Progress::None => {}
                Progress::Moved(state) => moved.push(BatchRecord { state, ..batch }),
                Progress::OtherSize(slot) => {
                    let (batch, ours, anchored) = (batch.id, batch.size, slot.size);
                    self.memory.foreign.insert(batch);
                    self.memory.meet(Problem::OtherSize { batch, ours, anchored });
                }
            }
        }
        self.commit(&moved, None).await?;
        for batch in &moved {
            self.memory.keep_witness(batch);
            if anchor_block(batch).is_some() {
                self.memory.suspects.remove(&batch.issuer);
            }
        }
        self.report_gas(&txs, &moved).await?;
        self.retire_finished(txs).await
    }

    /// A transaction is kept until all its batches are final: a reorg may ask for it again.
    async fn retire_finished(&self, txs: Vec<TxRecord>) -> Result<(), Fault> {
        if txs.is_empty() {
            return Ok(());
        }
        let unfinished = self.blocking(Store::unfinished_batches).await?;
        let unfinished: BTreeSet<BatchId> = unfinished.iter().map(|batch| batch.id).collect();
        let is_done =
            |tx: &TxRecord| !tx.batches().is_empty() && tx.batches().iter().all(|id| !unfinished.contains(id));
        for tx in txs.into_iter().filter(is_done) {
            self.blocking(move |store| store.retire_tx(tx.id, &[])).await?;
        }
        Ok(())
    }

    // --- The means

    /// Looks after the transactions whose batches are not on chain, in the order of their nonces.
    async fn follow_transactions(&mut self, view: &View) -> Result<(), Fault> {
        let (live, unfinished) = self.live_transactions().await?;
        self.memory.pending_since.retain(|id, _| live.iter().any(|tx| tx.id == *id));
        let mut next_nonce = view.nonce;
        for tx in live {
            let standing = self.standing(&tx, view, next_nonce, &unfinished).await?;
            let patience = self.config.patience;
            match decide::follow(&tx, standing, view.fees, patience, self.config.max_fee) {
                Step::Wait => self.mark_broadcast(&tx).await?,
                Step::Send => self.send(&tx, view).await?,
                Step::Replace(bid) => self.replace(tx.clone(), bid, view).await?,
                Step::Stuck(TooDear { needed }) => {
                    self.memory.meet(Problem::TooDear { needed, cap: self.config.max_fee });
                    if !standing.known {
                        self.send(&tx, view).await?;
                    }
                }
                Step::NonceUsed => self.bury(&tx, view).await?,
                Step::GiveUp => self.release(&tx, "it cannot take effect any more").await?,
            }
            next_nonce = next_nonce.max(tx.nonce + 1);
        }
        Ok(())
    }

    /// Transactions that batches wait for, by nonce, and all unfinished batches.
    pub(super) async fn live_transactions(&self) -> Result<(Vec<TxRecord>, Vec<BatchRecord>), Fault> {
        let (mut txs, unfinished) = self.blocking(|store| Ok((store.open_txs()?, store.unfinished_batches()?))).await?;
        txs.retain(|tx| unfinished.iter().any(|batch| carrier(batch) == Some(tx.id)));
        txs.sort_by_key(|tx| (tx.nonce, tx.id));
        Ok((txs, unfinished))
    }

    async fn standing(
        &mut self,
        tx: &TxRecord,
        view: &View,
        next_nonce: u64,
        unfinished: &[BatchRecord],
    ) -> Result<Standing, Fault> {
        let newest = newest(tx)?.hash;
        let known = self.eyes.registry.endpoint().tx_known(newest).await?;
        let since = self.memory.pending_since.entry(tx.id).or_insert((newest, view.head.number));
        if since.0 != newest || !known || tx.nonce > view.nonce {
            *since = (newest, view.head.number);
        }
        let blocks_pending = view.head.number.0.saturating_sub(since.1.0);
        let waiting = unfinished.iter().filter(|batch| carrier(batch) == Some(tx.id)).count();
        let doomed = waiting < tx.batches().len();
        Ok(Standing { account_nonce: view.nonce, next_nonce, known, blocks_pending, doomed })
    }

    /// Stores a version with another fee, then sends it.
    async fn replace(&mut self, tx: TxRecord, bid: TxFees, view: &View) -> Result<(), Fault> {
        let tx = self.sign_again(tx, bid).await?;
        tracing::info!(nonce = tx.nonce, max_fee = bid.max_fee, "replacing a transaction");
        self.send(&tx, view).await
    }

    async fn sign_again(&self, mut tx: TxRecord, bid: TxFees) -> Result<TxRecord, Fault> {
        let attempt = self.pen.again(newest(&tx)?, bid, super::now());
        tx.attempts.push(attempt.ok_or(StoreError::Damaged { what: "signed transaction" })?);
        self.commit(&[], Some(&tx)).await?;
        Ok(tx)
    }

    /// Hands in the newest version. Whatever is answered, the stored bytes can be sent again.
    pub(super) async fn send(&mut self, tx: &TxRecord, view: &View) -> Result<(), Fault> {
        let sent = self.eyes.registry.endpoint().send_raw(&newest(tx)?.raw).await;
        match sent {
            Ok(_) | Err(SendError::AlreadyKnown) => self.mark_broadcast(tx).await,
            // It, or what took its nonce, is in a block that the next tick will see.
            Err(SendError::NonceTooLow) => Ok(()),
            Err(SendError::Underpriced) => self.outbid(tx, view.fees).await,
            Err(SendError::InsufficientFunds) => self.report_funds(transaction::cost(newest(tx)?)).await,
            Err(SendError::Other(error)) if error.is_transient() => Err(error.into()),
            Err(error) => {
                // It will never take it: a new one is made for what it takes now.
                self.release(tx, "the endpoint does not take it").await?;
                Err(Fault::NotTaken(error))
            }
        }
    }

    /// The pool wants more, or holds a transaction with the same nonce: stores a higher bid for the next tick.
    async fn outbid(&mut self, tx: &TxRecord, fees: Fees) -> Result<(), Fault> {
        match fees::raised_bid(bid_of(newest(tx)?), fees, self.config.max_fee) {
            Ok(bid) => self.sign_again(tx.clone(), bid).await.map(drop),
            Err(TooDear { needed }) => {
                self.memory.meet(Problem::TooDear { needed, cap: self.config.max_fee });
                Ok(())
            }
        }
    }

    async fn mark_broadcast(&self, tx: &TxRecord) -> Result<(), Fault> {
        let state = BatchState::Broadcast { tx: tx.id };
        let prepared = |batch: &BatchRecord| batch.state == BatchState::Prepared { tx: tx.id };
        let batches = self.batches_where(prepared).await?;
        self.commit(&with_state(batches, state), None).await
    }

    /// The nonce is used and the batches are not there: learns why, and lets the batches go.
    async fn bury(&mut self, tx: &TxRecord, view: &View) -> Result<(), Fault> {
        let mut failed = false;
        for attempt in &tx.attempts {
            let Some(tx_receipt) = self.eyes.registry.endpoint().tx_receipt(attempt.hash).await? else { continue };
            if tx_receipt.success {
                // Slots, events and receipts come from different blocks; the next tick reads them again.
                self.memory.meet(Problem::Contradiction { transaction: attempt.hash });
                return Ok(());
            }
            failed = true;
            self.report.gas(tx_receipt.gas_used);
        }
        if failed {
            self.suspect_issuers_of(tx, view.head.number).await?;
        }
        let why = if failed { "it failed" } else { "another transaction of this account used its nonce" };
        self.release(tx, why).await
    }

    async fn suspect_issuers_of(&mut self, tx: &TxRecord, head: BlockNumber) -> Result<(), Fault> {
        let batches = self.batches_where(|batch| carrier(batch) == Some(tx.id)).await?;
        for issuer in batches.iter().map(|batch| batch.issuer).collect::<BTreeSet<_>>() {
            let suspicion = self.memory.suspects.entry(issuer).or_default();
            *suspicion = suspicion.again(head);
        }
        Ok(())
    }

    /// Gives the batches of a transaction back, and forgets the transaction.
    async fn release(&self, tx: &TxRecord, why: &str) -> Result<(), Fault> {
        tracing::warn!(nonce = tx.nonce, why, "a transaction is given up, its batches go into a new one");
        let batches = self.batches_where(|batch| carrier(batch) == Some(tx.id)).await?;
        let (id, batches) = (tx.id, with_state(batches, BatchState::Sealed));
        let released = batches.clone();
        self.blocking(move |store| store.retire_tx(id, &released)).await?;
        self.report.moved(&batches);
        Ok(())
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

    async fn batches_where(&self, wanted: impl Fn(&BatchRecord) -> bool) -> Result<Vec<BatchRecord>, Fault> {
        let unfinished = self.blocking(Store::unfinished_batches).await?;
        Ok(unfinished.into_iter().filter(wanted).collect())
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Fault> {
        let store = self.store.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        Ok(done.map_err(|_| Fault::Stopping)??)
    }

    async fn report_gas(&self, txs: &[TxRecord], moved: &[BatchRecord]) -> Result<(), Fault> {
        let fresh: BTreeSet<Hash> = moved.iter().filter_map(included_by).collect();
        let ours = txs.iter().flat_map(|tx| &tx.attempts).map(|attempt| attempt.hash);
        for hash in ours.filter(|hash| fresh.contains(hash)) {
            let tx_receipt = self.eyes.registry.endpoint().tx_receipt(hash).await?;
            tx_receipt.iter().for_each(|tx_receipt| self.report.gas(tx_receipt.gas_used));
        }
        Ok(())
    }

    pub(super) async fn report_funds(&mut self, needed: u128) -> Result<(), Fault> {
        let operator = self.eyes.operator;
        let balance = self.eyes.registry.endpoint().balance(operator).await?;
        self.memory.meet(Problem::NoFunds { operator, balance, needed });
        Ok(())
    }
}
