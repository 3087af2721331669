//! Batches: the state that the chain shows, and letting them go where a transaction came to nothing.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use testamur_chain::Error;
use testamur_core::BlockNumber;

use super::{
    Fault,
    machine::{Anchoring, CONCURRENCY},
    memory::{anchor_block, carrier, with_state},
    problem::Problem,
    view::{Progress, View},
};
use crate::store::{BatchId, BatchRecord, BatchState, Store, TxRecord};

impl Anchoring {
    /// Brings every batch to the state that its slot shows.
    pub(super) async fn read_slots(&mut self, view: &View, unfinished: Vec<BatchRecord>) -> Result<(), Fault> {
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
                Progress::Moved(state) => moved.push(batch.moved(state, super::now())),
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
        self.keep_costs_of(&txs, &moved).await?;
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

    /// The endpoint has it.
    pub(super) async fn mark_broadcast(&self, tx: &TxRecord) -> Result<(), Fault> {
        let state = BatchState::Broadcast { tx: tx.id };
        let prepared = |batch: &BatchRecord| batch.state == BatchState::Prepared { tx: tx.id };
        let batches = self.batches_where(prepared).await?;
        self.commit(&with_state(batches, state), None).await
    }

    /// The nonce is used and the batches are not there: learns why, and lets the batches go. False where the endpoint
    /// contradicts itself, so that nothing is let go.
    pub(super) async fn bury(&mut self, tx: &TxRecord, view: &View) -> Result<bool, Fault> {
        let mut failed = false;
        for attempt in &tx.attempts {
            let Some(tx_receipt) = self.eyes.registry.endpoint().tx_receipt(attempt.hash).await? else { continue };
            if tx_receipt.success {
                // Slots, events and receipts come from different blocks; the next tick reads them again.
                self.memory.meet(Problem::Contradiction { transaction: attempt.hash });
                return Ok(false);
            }
            failed = true;
            self.keep_cost(tx, attempt.hash, tx_receipt.block).await?;
        }
        if failed {
            self.suspect_issuers_of(tx, view.head.number).await?;
        }
        let why = if failed { "it failed" } else { "another transaction of this account used its nonce" };
        self.release(tx, why).await?;
        Ok(true)
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
    pub(super) async fn release(&self, tx: &TxRecord, why: &str) -> Result<(), Fault> {
        tracing::warn!(nonce = tx.nonce, why, "a transaction is given up, its batches go into a new one");
        let batches = self.batches_where(|batch| carrier(batch) == Some(tx.id)).await?;
        let (id, batches) = (tx.id, with_state(batches, BatchState::Sealed));
        let released = batches.clone();
        self.blocking(move |store| store.retire_tx(id, &released)).await?;
        self.report.moved(&batches);
        Ok(())
    }

    async fn batches_where(&self, wanted: impl Fn(&BatchRecord) -> bool) -> Result<Vec<BatchRecord>, Fault> {
        let unfinished = self.blocking(Store::unfinished_batches).await?;
        Ok(unfinished.into_iter().filter(wanted).collect())
    }
}
