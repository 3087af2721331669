//! The next transaction: whose turn it is, what it bids, and that it is stored before it is sent.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use testamur_chain::{Error, Roles, TxFees};
use testamur_core::{Address, BlockNumber};

use super::{
    Fault,
    decide::{self, Suspicion},
    fees::{self, TooDear},
    machine::{Anchoring, CONCURRENCY},
    memory::with_state,
    problem::Problem,
    reconcile::next_turn,
    status::update_of,
    transaction::{self, Cargo, Load},
    view::View,
};
use crate::{
    mirror::Key,
    store::{BatchRecord, BatchState, Store, TxRecord},
};

/// What a transaction is made for. They take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// One issuer's status of one purpose.
    Status(Key),
    /// The sealed batches: those of all issuers go together.
    Batches,
}

impl Anchoring {
    /// Makes a transaction for what is due, unless one is under way: one a block carries hundreds of batches, or tens
    /// of thousands of toggles.
    pub(super) async fn prepare(&mut self, view: &View, under_way: bool) -> Result<(), Fault> {
        let ready = self.ready_batches(view).await?;
        let due = self.due_statuses(view).await?;
        if under_way {
            return Ok(());
        }
        self.report_suspects(&ready, view.head.number);
        let batches = (!ready.is_empty()).then_some(Turn::Batches);
        let mut turns: Vec<Turn> = due.into_iter().map(Turn::Status).chain(batches).collect();
        while let Some(turn) = next_turn(&turns, self.memory.last_turn) {
            let load = match turn {
                Turn::Status(key) => self.load_status(key).await?,
                Turn::Batches => self.load_batches(&ready, view).await?,
            };
            let Some(load) = load else {
                turns.retain(|other| *other != turn);
                continue;
            };
            return match fees::first_bid(view.fees, self.config.max_fee) {
                Ok(bid) => {
                    self.memory.last_turn = Some(turn);
                    self.sign_and_send(load, view.nonce, bid, view).await
                }
                Err(TooDear { needed }) => {
                    self.memory.meet(Problem::TooDear { needed, cap: self.config.max_fee });
                    Ok(())
                }
            };
        }
        Ok(())
    }

    /// The sealed batches whose issuers let the operator anchor. All issuers of the node are looked at, so that a
    /// missing appointment shows before the first batch.
    async fn ready_batches(&mut self, view: &View) -> Result<Vec<BatchRecord>, Fault> {
        let mut sealed = self.blocking(Store::unfinished_batches).await?;
        let foreign = &self.memory.foreign;
        sealed.retain(|batch| batch.state == BatchState::Sealed && !foreign.contains(&batch.id));
        let watched = self.config.issuers.iter().copied().chain(sealed.iter().map(|batch| batch.issuer));
        let watched: BTreeSet<Address> = watched.collect();
        self.learn_rights(watched.iter().copied(), Roles::ANCHOR, view).await?;
        let (operator, missing) = (self.eyes.operator, Roles::ANCHOR);
        for issuer in watched.into_iter().filter(|issuer| !self.memory.may(*issuer, Roles::ANCHOR)).collect::<Vec<_>>()
        {
            // An appointment replaces the one before.
            let also = if self.memory.status.concerns(issuer) { Roles::REVOKE } else { Roles::default() };
            self.memory.meet(Problem::NotAppointed { issuer, operator, missing, roles: missing.with(also) });
        }
        sealed.retain(|batch| self.memory.may(batch.issuer, Roles::ANCHOR));
        Ok(sealed)
    }

    /// Learns what the operator may do for some issuers; asks once in each block.
    pub(super) async fn learn_rights(
        &mut self,
        issuers: impl Iterator<Item = Address>,
        role: Roles,
        view: &View,
    ) -> Result<(), Fault> {
        let known = self.memory.rights_at(view.head.hash);
        let unknown: BTreeSet<Address> = issuers.filter(|issuer| !known.contains_key(&(*issuer, role.0))).collect();
        let eyes = &self.eyes;
        let ask = |issuer| async move { Ok::<_, Error>(((issuer, role.0), eyes.may(issuer, role, view).await?)) };
        let learnt: Vec<_> = stream::iter(unknown).map(ask).buffered(CONCURRENCY).try_collect().await?;
        known.extend(learnt);
        Ok(())
    }

    async fn load_batches(&mut self, ready: &[BatchRecord], view: &View) -> Result<Option<Load>, Fault> {
        let (head, turn) = (view.head.number, self.memory.made);
        let chosen = decide::gather(ready.to_vec(), &self.memory.suspects, head, turn, self.config.max_batches);
        let mut refused = Vec::new();
        let load = transaction::fit(&self.eyes, chosen, self.config.max_gas, &mut refused).await?;
        refused.into_iter().for_each(|refused| self.memory.meet(refused));
        Ok(load)
    }

    /// Makes a transaction exist: from its record on, it may have been sent.
    pub(super) async fn sign_and_send(
        &mut self,
        load: Load,
        nonce: u64,
        bid: TxFees,
        view: &View,
    ) -> Result<(), Fault> {
        let attempt = self.pen.first(&load, nonce, bid, super::now());
        let needed = transaction::cost(&attempt);
        if self.eyes.registry.endpoint().balance(self.eyes.operator).await? < needed {
            return self.report_funds(needed).await;
        }
        let id = self.store.next_tx_id();
        let tx = TxRecord { id, nonce, carries: load.cargo.carries(), attempts: vec![attempt] };
        let batches = match load.cargo {
            Cargo::Batches(batches) => with_state(batches, BatchState::Prepared { tx: id }),
            Cargo::Status { base, .. } => {
                self.memory.status.fits.insert(id, base);
                Vec::new()
            }
            Cargo::Nothing => Vec::new(),
        };
        self.memory.made += u64::from(!batches.is_empty());
        // It is stored before anybody can have seen it.
        self.commit(&batches, Some(&tx)).await?;
        self.forget_refused(&tx).await?;
        self.send(&tx, view).await
    }

    /// What the endpoint refused before and is the same, under the same nonce: one record of it is enough, however
    /// often it is tried.
    async fn forget_refused(&mut self, made: &TxRecord) -> Result<(), Fault> {
        if self.memory.status.refused.is_empty() {
            return Ok(());
        }
        let mut same = self.blocking(Store::open_txs).await?;
        same.retain(|tx| tx.id != made.id && (tx.nonce, &tx.carries) == (made.nonce, &made.carries));
        for tx in same.iter().filter(|tx| update_of(tx).is_some()) {
            self.forget_tx(tx.id).await?;
        }
        Ok(())
    }

    fn report_suspects(&mut self, ready: &[BatchRecord], head: BlockNumber) {
        let waits = |issuer| ready.iter().any(|batch| batch.issuer == issuer);
        for (issuer, Suspicion { failures, not_before }) in self.memory.suspects.clone() {
            if not_before > head && waits(issuer) {
                self.memory.meet(Problem::Failed { issuer, failures, not_before });
            }
        }
    }
}
