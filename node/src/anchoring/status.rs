//! Changes of status: the state that the chain shows, and what is missing there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use testamur_chain::StatusView;
use testamur_core::{BlockNumber, Hash, StatusIndex};

use super::{
    Fault,
    decide::Suspicion,
    machine::Anchoring,
    problem::Problem,
    reconcile::{Flight, Outcome, Sight, Wish, reconcile},
    update,
    view::View,
};
use crate::{
    mirror::Key,
    store::{Attempt, Carries, ChangeId, ChangeRecord, Store, TxId, TxRecord},
};

/// What a restart may forget about changes, and about transactions with updates.
#[derive(Default)]
pub struct StatusMemory {
    /// What each issuer and purpose with open changes or transactions needs, as last seen.
    pub(super) needs: BTreeMap<Key, Need>,
    /// The status indices of open changes.
    indices: BTreeMap<ChangeId, Arc<[StatusIndex]>>,
    /// When open changes were accepted, by a clock that never goes back.
    pub(super) accepted: BTreeMap<ChangeId, Instant>,
    /// Whose updates failed.
    pub(super) suspects: BTreeMap<Key, Suspicion>,
    /// Transactions that the endpoint refuses for good.
    pub refused: BTreeSet<TxId>,
    /// The root that an update was found to fit on.
    pub fits: BTreeMap<TxId, Hash>,
    /// At which block an update's nonce was first seen to be used.
    pub(super) used_at: BTreeMap<TxId, BlockNumber>,
    /// Transactions of which it is known how they ended.
    pub(super) learnt: BTreeSet<TxId>,
}

/// What one issuer and purpose needs.
pub(super) struct Need {
    pub(super) view: Arc<StatusView>,
    pub(super) inputs: Inputs,
    pub(super) outcome: Outcome,
    /// An update of ours with a wrong root is the newest.
    pub(super) heals: bool,
    /// The bits are not known, or do not show yet what became of our last transaction.
    pub(super) blind: bool,
}

/// All that an outcome follows from. While it is the same, so is the outcome.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Inputs {
    blocks: [Hash; 2],
    pub(super) open: Vec<ChangeRecord>,
    /// Updates that may yet take effect, and whether their nonces are free.
    txs: Vec<(TxId, bool)>,
}

/// What the store and the mirror say about changes before a look at the chain.
pub struct Statuses {
    open: BTreeMap<Key, Vec<ChangeRecord>>,
    /// Transactions without batches: with updates, and those that took the nonce of one.
    pub(super) txs: Vec<TxRecord>,
    views: BTreeMap<Key, Arc<StatusView>>,
}

impl Statuses {
    /// Whether there is nothing to be done.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty() && self.txs.is_empty()
    }

    fn txs_of(&self, key: Key) -> impl Iterator<Item = (&TxRecord, Update)> {
        self.txs.iter().filter_map(move |tx| Some((tx, update_of(tx).filter(|update| update.key == key)?)))
    }
}

/// Which update a transaction makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Update {
    pub key: Key,
    pub epoch: u64,
    pub root: Hash,
}

pub(super) fn update_of(tx: &TxRecord) -> Option<Update> {
    match tx.carries {
        Carries::Status { issuer, purpose, epoch, root } => Some(Update { key: Key { issuer, purpose }, epoch, root }),
        Carries::Batches(_) => None,
    }
}

impl Anchoring {
    /// Reads what there is to do, and what the mirror shows of it.
    pub(super) async fn gather_statuses(&mut self) -> Result<Statuses, Fault> {
        let read = |store: &Store| Ok((store.open_changes()?, store.open_txs()?));
        let (changes, mut txs) = self.blocking(read).await?;
        txs.retain(|tx| tx.batches().is_empty());
        self.memory.status.forget(&changes, &txs);
        let mut open = BTreeMap::<Key, Vec<ChangeRecord>>::new();
        for change in changes {
            let key = Key { issuer: change.issuer, purpose: change.action.purpose() };
            open.entry(key).or_default().push(change);
        }
        let keys: BTreeSet<Key> = open.keys().copied().chain(txs.iter().filter_map(update_of).map(|u| u.key)).collect();
        let mirror = &self.config.mirror;
        let views = keys.iter().filter_map(|key| Some((*key, mirror.view(key.issuer, key.purpose)?))).collect();
        self.memory.status.needs.retain(|key, _| keys.contains(key));
        Ok(Statuses { open, txs, views })
    }

    /// Brings every open change to the state that the chain shows, and finds out what is missing there.
    pub(super) async fn read_statuses(&mut self, statuses: &Statuses, view: &View) -> Result<(), Fault> {
        if self.memory.seen_at != Some(*view) {
            self.learn(statuses, view).await?;
        }
        let keys: BTreeSet<Key> =
            statuses.open.keys().copied().chain(statuses.txs.iter().filter_map(update_of).map(|u| u.key)).collect();
        for key in keys {
            match statuses.views.get(&key) {
                // The mirror asks another server than we did; a tick later both have the block.
                Some(seen) if seen.head.block.number > view.head.number => drop(self.memory.status.needs.remove(&key)),
                Some(seen) => {
                    if seen.head.block.number < view.head.number {
                        self.config.mirror.refresh();
                    }
                    self.read_status(key, seen.clone(), statuses, view).await?;
                }
                None => {
                    self.memory.status.needs.remove(&key);
                    self.memory.meet(Problem::StatusUnknown { key });
                }
            }
        }
        self.report.missing(self.memory.status.needs.values().map(|need| need.outcome.missing.len()).sum());
        Ok(())
    }

    async fn read_status(
        &mut self,
        key: Key,
        seen: Arc<StatusView>,
        statuses: &Statuses,
        view: &View,
    ) -> Result<(), Fault> {
        let record = seen.head.record;
        let ours = |update: &Update| (update.epoch, update.root) == (record.epoch, record.root);
        let heals = seen.head.fault.is_some() && statuses.txs_of(key).any(|(_, update)| ours(&update));
        let damaged = seen.head.fault.as_ref().filter(|_| !heals).map(ToString::to_string);
        let waits = |(tx, update): (&TxRecord, Update)| {
            let used_at = self.memory.status.used_at.get(&tx.id);
            update.epoch > record.epoch && used_at.is_some_and(|block| *block > seen.head.block.number)
        };
        let blind = damaged.is_some() || statuses.txs_of(key).any(waits);
        if heals {
            self.memory.meet(Problem::WrongRoot { key, epoch: record.epoch });
        }
        let txs = statuses.txs_of(key).filter(|(_, update)| update.epoch > record.epoch);
        let inputs = Inputs {
            blocks: [seen.head.block.hash, seen.settled.block.hash],
            open: statuses.open.get(&key).cloned().unwrap_or_default(),
            txs: txs.map(|(tx, _)| (tx.id, tx.nonce >= view.nonce)).collect(),
        };
        let outcome = match self.memory.status.needs.remove(&key) {
            Some(need) if need.inputs == inputs => need.outcome,
            _ if damaged.is_some() => Outcome::default(),
            _ => self.weigh(key, &seen, statuses, &inputs).await?,
        };
        if let Some(detail) = damaged {
            self.memory.meet(Problem::StatusDamaged { key, detail });
        } else if !heals {
            self.commit_changes(&outcome.moved).await?;
        }
        self.memory.status.needs.insert(key, Need { view: seen, inputs, outcome, heals, blind });
        Ok(())
    }

    /// Compares what is wanted with what is there, and asks the chain what that takes.
    async fn weigh(
        &mut self,
        key: Key,
        seen: &StatusView,
        statuses: &Statuses,
        inputs: &Inputs,
    ) -> Result<Outcome, Fault> {
        let open = self.wishes(&inputs.open).await?;
        let mut flights = Vec::new();
        for (id, minable) in &inputs.txs {
            let Some(tx) = statuses.txs.iter().find(|tx| tx.id == *id) else { continue };
            let epoch = update_of(tx).map_or(0, |update| update.epoch);
            flights.push(Flight { epoch, toggles: toggles_of(tx).into_iter().collect(), minable: *minable });
        }
        let record = &seen.head.record;
        let ours =
            statuses.txs_of(key).filter(|(_, update)| (update.epoch, update.root) == (record.epoch, record.root));
        let ours: Vec<Attempt> = ours.flat_map(|(tx, _)| tx.attempts.clone()).collect();
        let newest = self.eyes.updated_at(record, &ours).await?;
        let sight = Sight { bits: &seen.head.tree, newest, settled: seen.settled.block.number };
        let mut stands = Vec::new();
        loop {
            let outcome = reconcile(&open, sight, &flights, &stands);
            let unknown: Vec<_> =
                outcome.unsure.iter().filter(|at| !stands.iter().any(|(known, _)| known == *at)).copied().collect();
            if unknown.is_empty() {
                return Ok(outcome);
            }
            for at in unknown {
                stands.push((at, self.eyes.stands(key, &at).await?));
            }
        }
    }

    /// Open changes with their indices.
    async fn wishes(&mut self, open: &[ChangeRecord]) -> Result<Vec<Wish>, Fault> {
        let known = &self.memory.status.indices;
        let unknown: Vec<ChangeId> = open.iter().map(|change| change.id).filter(|id| !known.contains_key(id)).collect();
        if !unknown.is_empty() {
            let read =
                |store: &Store| unknown.into_iter().map(|id| Ok((id, store.change_indices(id)?.into()))).collect();
            let read: Vec<_> = self.blocking(read).await?;
            self.memory.status.indices.extend(read);
        }
        let known = &self.memory.status.indices;
        Ok(open.iter().map(|change| Wish { change: change.clone(), indices: known[&change.id].clone() }).collect())
    }

    async fn commit_changes(&mut self, moved: &[ChangeRecord]) -> Result<(), Fault> {
        if !moved.is_empty() {
            let records = moved.to_vec();
            self.blocking(move |store| store.put_changes(&records, None)).await?;
            self.report.changed(moved);
        }
        Ok(())
    }
}

impl Need {
    pub(super) fn wants_update(&self) -> bool {
        self.heals || self.outcome.contested || !self.outcome.missing.is_empty()
    }
}

impl StatusMemory {
    /// Whether an issuer has changes or transactions under way.
    pub fn concerns(&self, issuer: testamur_core::Address) -> bool {
        self.needs.keys().any(|key| key.issuer == issuer)
    }

    fn forget(&mut self, open: &[ChangeRecord], txs: &[TxRecord]) {
        let changes: BTreeSet<ChangeId> = open.iter().map(|change| change.id).collect();
        self.indices.retain(|id, _| changes.contains(id));
        self.accepted.retain(|id, _| changes.contains(id));
        let txs: BTreeSet<TxId> = txs.iter().map(|tx| tx.id).collect();
        self.fits.retain(|id, _| txs.contains(id));
        self.used_at.retain(|id, _| txs.contains(id));
        self.learnt.retain(|id| txs.contains(id));
        self.refused.retain(|id| txs.contains(id));
    }
}

/// What an update of ours toggles. All versions of it toggle the same.
pub(super) fn toggles_of(tx: &TxRecord) -> Vec<StatusIndex> {
    tx.attempts.last().and_then(update::toggles).unwrap_or_default()
}
