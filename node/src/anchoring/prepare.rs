//! The next transaction: what goes into it, what it bids, and that it is stored before it is sent.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use testamur_chain::{Error, TxFees};
use testamur_core::{Address, BlockNumber};

use super::{
    Fault,
    decide::{self, Suspicion},
    fees::{self, TooDear},
    machine::{Anchoring, CONCURRENCY},
    memory::with_state,
    problem::Problem,
    transaction::{self, Load},
    view::View,
};
use crate::store::{BatchRecord, BatchState, Carries, TxRecord};

impl Anchoring {
    /// Makes a transaction for what is sealed, unless one is under way: one a block carries hundreds of batches.
    pub(super) async fn prepare(&mut self, view: &View) -> Result<(), Fault> {
        let (live, unfinished) = self.live_transactions().await?;
        let is_sealed = |batch: &BatchRecord| batch.state == BatchState::Sealed;
        let foreign = &self.memory.foreign;
        let sealed = unfinished.into_iter().filter(|batch| is_sealed(batch) && !foreign.contains(&batch.id)).collect();
        let ready = self.authorized(sealed, view).await?;
        if !live.is_empty() {
            return Ok(());
        }
        self.report_suspects(&ready, view.head.number);
        let head = view.head.number;
        let chosen = decide::gather(ready, &self.memory.suspects, head, self.memory.made, self.config.max_batches);
        let mut load = transaction::fit(&self.eyes, chosen, self.config.max_gas).await?;
        load.refused.drain(..).for_each(|refused| self.memory.meet(refused));
        if load.batches.is_empty() {
            return Ok(());
        }
        match fees::first_bid(view.fees, self.config.max_fee) {
            Ok(bid) => self.sign_and_send(load, bid, view).await,
            Err(TooDear { needed }) => {
                self.memory.meet(Problem::TooDear { needed, cap: self.config.max_fee });
                Ok(())
            }
        }
    }

    /// The batches whose issuers let the operator anchor. All issuers of the node are looked at, so that a missing
    /// appointment shows before the first batch.
    async fn authorized(&mut self, sealed: Vec<BatchRecord>, view: &View) -> Result<Vec<BatchRecord>, Fault> {
        let known = self.memory.rights_at(view.head.hash);
        let watched = self.config.issuers.iter().copied().chain(sealed.iter().map(|batch| batch.issuer));
        let unknown: BTreeSet<Address> = watched.filter(|issuer| !known.contains_key(issuer)).collect();
        let eyes = &self.eyes;
        let ask = |issuer| async move { Ok::<_, Error>((issuer, eyes.may_anchor(issuer, view).await?)) };
        let learnt: Vec<_> = stream::iter(unknown).map(ask).buffered(CONCURRENCY).try_collect().await?;
        known.extend(learnt);
        let may = known.clone();
        let operator = self.eyes.operator;
        let missing = may.iter().filter(|(_, may)| !**may).map(|(issuer, _)| *issuer);
        missing.for_each(|issuer| self.memory.meet(Problem::NotAppointed { issuer, operator }));
        Ok(sealed.into_iter().filter(|batch| may[&batch.issuer]).collect())
    }

    async fn sign_and_send(&mut self, load: Load, bid: TxFees, view: &View) -> Result<(), Fault> {
        let attempt = self.pen.first(self.eyes.registry.address(), &load, view.nonce, bid, super::now());
        let needed = transaction::cost(&attempt);
        if self.eyes.registry.endpoint().balance(self.eyes.operator).await? < needed {
            return self.report_funds(needed).await;
        }
        let carries = Carries::Batches(load.batches.iter().map(|batch| batch.id).collect());
        let tx = TxRecord { id: self.store.next_tx_id(), nonce: view.nonce, carries, attempts: vec![attempt] };
        // From here on the transaction exists: it is stored before anybody can have seen it.
        self.commit(&with_state(load.batches, BatchState::Prepared { tx: tx.id }), Some(&tx)).await?;
        self.memory.made += 1;
        self.send(&tx, view).await
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
