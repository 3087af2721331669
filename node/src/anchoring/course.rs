//! Our updates on their way: whether they still fit, how they ended, and when they are forgotten.

use std::collections::BTreeMap;

use testamur_core::{Hash, StatusIndex, status::StatusTree};

use super::{
    Fault,
    machine::Anchoring,
    status::{Statuses, Update, toggles_of, update_of},
    view::View,
};
use crate::{
    mirror::Key,
    store::{TxId, TxRecord},
};

/// The bits behind the transactions that were followed so far in a tick.
#[derive(Default)]
pub struct Course(BTreeMap<Key, Ahead>);

struct Ahead {
    epoch: u64,
    root: Hash,
    /// The bits some updates ago, and those updates.
    tree: StatusTree,
    since: Vec<Vec<StatusIndex>>,
}

impl Anchoring {
    /// Learns how transactions without batches ended whose nonces are used, and forgets those that are settled.
    pub(super) async fn learn(&mut self, statuses: &Statuses, view: &View) -> Result<(), Fault> {
        let (used, free): (Vec<_>, Vec<_>) = statuses.txs.iter().partition(|tx| tx.nonce < view.nonce);
        for tx in free {
            // Unless a reorg has made it free again.
            self.memory.status.used_at.remove(&tx.id);
            self.memory.status.learnt.remove(&tx.id);
        }
        for tx in &used {
            self.memory.status.used_at.entry(tx.id).or_insert(view.head.number);
            if !self.memory.status.learnt.contains(&tx.id) {
                self.learn_end(tx, view).await?;
            }
        }
        if used.is_empty() {
            return Ok(());
        }
        let settled = match self.eyes.registry.endpoint().nonce(self.eyes.operator, view.finalized.into()).await {
            // An endpoint may not know the state of a finalized block that is far behind. Forgetting can wait.
            Err(error) if !error.is_transient() => return Ok(()),
            settled => settled?,
        };
        for tx in used.into_iter().filter(|tx| tx.nonce < settled) {
            // While its wrong root stands, it says whose fault that is.
            let heals = update_of(tx).and_then(|update| self.memory.status.needs.get(&update.key));
            if !heals.is_some_and(|need| need.heals) {
                self.forget_tx(tx.id).await?;
            }
        }
        Ok(())
    }

    async fn learn_end(&mut self, tx: &TxRecord, view: &View) -> Result<(), Fault> {
        for attempt in &tx.attempts {
            let Some(tx_receipt) = self.eyes.registry.endpoint().tx_receipt(attempt.hash).await? else { continue };
            self.memory.status.learnt.insert(tx.id);
            let Some(Update { key, epoch, .. }) = update_of(tx) else {
                self.keep_cost(tx, attempt.hash, tx_receipt.block).await?;
                continue;
            };
            self.keep_cost(tx, attempt.hash, tx_receipt.block).await?;
            self.report.update(tx_receipt.gas_used, tx_receipt.success);
            let at_head = self.eyes.registry.status_of(key.issuer, key.purpose, view.head.number.into()).await?;
            if tx_receipt.success || at_head.epoch >= epoch {
                self.memory.status.suspects.remove(&key); // it took effect, or somebody was faster
            } else {
                let suspicion = self.memory.status.suspects.entry(key).or_default();
                *suspicion = suspicion.again(view.head.number);
            }
        }
        Ok(())
    }

    /// An update that cannot be mined now, or only fail. It may be mined later all the same, so it is remembered until
    /// its epoch is settled.
    pub(super) async fn leave(&mut self, tx: &TxRecord) -> Result<(), Fault> {
        let Some(Update { key, epoch, .. }) = update_of(tx) else { return Ok(()) };
        let settled = self.memory.status.needs.get(&key).map_or(0, |need| need.view.settled.record.epoch);
        if epoch <= settled { self.forget_tx(tx.id).await } else { Ok(()) }
    }

    pub(super) async fn forget_tx(&self, id: TxId) -> Result<(), Fault> {
        self.blocking(move |store| store.retire_status_tx(id, &[])).await
    }

    /// Whether a transaction carries an update that is none any more, after those that `course` followed before:
    /// its epoch is taken, or its root would be wrong, because a reorg replaced what it was made for. `None` while
    /// that cannot be told.
    pub(super) fn is_void(&mut self, tx: &TxRecord, course: &mut Course) -> Option<bool> {
        let Some(Update { key, epoch, root }) = update_of(tx) else { return Some(false) };
        let need = self.memory.status.needs.get(&key)?;
        let head = &need.view.head;
        let ahead = course.0.entry(key).or_insert_with(|| Ahead {
            epoch: head.record.epoch,
            root: head.tree.root(),
            tree: head.tree.clone(),
            since: Vec::new(),
        });
        if epoch != ahead.epoch + 1 {
            return Some(true);
        }
        if head.fault.is_some() && !need.heals {
            return None;
        }
        let toggled = toggles_of(tx);
        if self.memory.status.fits.get(&tx.id) != Some(&ahead.root) {
            ahead.since.drain(..).for_each(|toggled| ahead.tree.toggle(&toggled));
            let mut after = ahead.tree.clone();
            after.toggle(&toggled);
            if after.root() != root {
                return Some(true);
            }
            self.memory.status.fits.insert(tx.id, ahead.root);
        }
        ahead.since.push(toggled);
        (ahead.epoch, ahead.root) = (epoch, root);
        Some(false)
    }
}
