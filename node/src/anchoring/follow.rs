//! The means: transactions that have not taken effect are sent, outbid, replaced, taken back or given up.

use std::collections::BTreeMap;

use testamur_chain::{Fees, SendError, TxFees};

use super::{
    Fault,
    course::Course,
    decide::{self, Standing, Step, bid_of},
    fees::{self, TooDear},
    machine::Anchoring,
    memory::{carrier, newest},
    problem::Problem,
    transaction::{self, Cargo, Load},
    view::View,
};
use crate::store::{BatchRecord, StoreError, TxId, TxRecord};

impl Anchoring {
    /// Looks after the transactions that have not taken effect, in the order of their nonces. Whether one of them
    /// still can: then no other is made.
    pub(super) async fn follow_transactions(&mut self, view: &View) -> Result<bool, Fault> {
        let (live, unfinished) = self.live_transactions(view).await?;
        self.memory.pending_since.retain(|id, _| live.iter().any(|tx| tx.id == *id));
        let (mut next_nonce, mut under_way, mut course) = (view.nonce, false, Course::default());
        for tx in live {
            let Some(void) = self.is_void(&tx, &mut course) else {
                (under_way, next_nonce) = (true, next_nonce.max(tx.nonce + 1));
                continue;
            };
            let standing = self.standing(&tx, view, next_nonce, &unfinished, void).await?;
            let patience = self.config.patience;
            let released = match decide::follow(&tx, standing, view.fees, patience, self.config.max_fee) {
                Step::Wait => self.mark_broadcast(&tx).await.map(|()| false)?,
                Step::Send => self.send(&tx, view).await.map(|()| false)?,
                Step::Replace(bid) => self.replace(tx.clone(), bid, view).await.map(|()| false)?,
                Step::Stuck(too_dear) => self.stuck(&tx, too_dear, standing, view).await.map(|()| false)?,
                Step::Cancel(bid) => self.cancel(&tx, bid, view).await.map(|()| false)?,
                Step::NonceUsed => self.bury(&tx, view).await?,
                Step::GiveUp => self.give_up(&tx).await.map(|()| true)?,
            };
            if !released {
                under_way = true;
                next_nonce = next_nonce.max(tx.nonce + 1);
            }
        }
        Ok(under_way)
    }

    /// Transactions that something waits for, by nonce, and all unfinished batches.
    async fn live_transactions(&self, view: &View) -> Result<(Vec<TxRecord>, Vec<BatchRecord>), Fault> {
        let (mut txs, unfinished) = self.blocking(|store| Ok((store.open_txs()?, store.unfinished_batches()?))).await?;
        let refused = &self.memory.status.refused;
        txs.retain(|tx| match tx.batches() {
            [] => tx.nonce >= view.nonce && !refused.contains(&tx.id),
            _ => unfinished.iter().any(|batch| carrier(batch) == Some(tx.id)),
        });
        // What a later one replaced under its nonce is kept, because it may be mined, and not looked after.
        let newest: BTreeMap<u64, TxId> = txs.iter().map(|tx| (tx.nonce, tx.id)).collect();
        txs.retain(|tx| !tx.batches().is_empty() || newest[&tx.nonce] == tx.id);
        txs.sort_by_key(|tx| (tx.nonce, tx.id));
        Ok((txs, unfinished))
    }

    async fn standing(
        &mut self,
        tx: &TxRecord,
        view: &View,
        next_nonce: u64,
        unfinished: &[BatchRecord],
        void: bool,
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
        Ok(Standing { account_nonce: view.nonce, next_nonce, known, blocks_pending, doomed, void })
    }

    /// A higher bid is not allowed. What the endpoint does not know is sent as it is; what must not be mined, never.
    async fn stuck(&mut self, tx: &TxRecord, too_dear: TooDear, standing: Standing, view: &View) -> Result<(), Fault> {
        self.memory.meet(Problem::TooDear { needed: too_dear.needed, cap: self.config.max_fee });
        if standing.known { Ok(()) } else { self.send(tx, view).await }
    }

    /// Takes a transaction's nonce with one that does nothing.
    async fn cancel(&mut self, tx: &TxRecord, bid: TxFees, view: &View) -> Result<(), Fault> {
        tracing::warn!(nonce = tx.nonce, "a status update is taken back: its epoch or what it was made for is gone");
        let to = self.eyes.operator;
        let gas = transaction::estimate_call(&self.eyes, to, &[]).await?;
        let load = Load { cargo: Cargo::Nothing, to, calldata: Vec::new(), gas };
        self.sign_and_send(load, tx.nonce, bid, view).await
    }

    /// It cannot be mined now, or only fail.
    async fn give_up(&mut self, tx: &TxRecord) -> Result<(), Fault> {
        match tx.batches() {
            [] => self.leave(tx).await,
            _ => self.release(tx, "it cannot take effect any more").await,
        }
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
                match tx.batches() {
                    [] => drop(self.memory.status.refused.insert(tx.id)),
                    _ => self.release(tx, "the endpoint does not take it").await?,
                }
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
}
