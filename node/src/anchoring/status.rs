//! Changes of status: the state that the chain shows, what is missing there, and what became of our updates.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use testamur_chain::{BlockTag, Roles, StatusView};
use testamur_core::{BlockNumber, Hash, StatusIndex, UnixSeconds, status::StatusTree};

use super::{
    Fault,
    decide::Suspicion,
    machine::Anchoring,
    problem::Problem,
    reconcile::{Flight, Outcome, Sight, Wish, is_due, reconcile},
    transaction::Load,
    update::{self, Fitted},
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
    needs: BTreeMap<Key, Need>,
    /// The status indices of open changes.
    indices: BTreeMap<ChangeId, Arc<[StatusIndex]>>,
    /// When open changes were accepted, by a clock that never goes back.
    accepted: BTreeMap<ChangeId, Instant>,
    /// Whose updates failed.
    suspects: BTreeMap<Key, Suspicion>,
    /// Transactions that the endpoint refuses for good.
    pub refused: BTreeSet<TxId>,
    /// The root that an update was found to fit on.
    pub fits: BTreeMap<TxId, Hash>,
    /// At which block an update's nonce was first seen to be used.
    used_at: BTreeMap<TxId, BlockNumber>,
    /// Transactions of which it is known how they ended.
    learnt: BTreeSet<TxId>,
}

/// What one issuer and purpose needs.
struct Need {
    view: Arc<StatusView>,
    inputs: Inputs,
    outcome: Outcome,
    /// An update of ours with a wrong root is the newest.
    heals: bool,
    /// The bits are not known, or do not show yet what became of our last transaction.
    blind: bool,
}

/// All that an outcome follows from. While it is the same, so is the outcome.
#[derive(Clone, PartialEq, Eq)]
struct Inputs {
    blocks: [Hash; 2],
    open: Vec<ChangeRecord>,
    /// Updates that may yet take effect, and whether their nonces are free.
    txs: Vec<(TxId, bool)>,
}

/// What the store and the mirror say about changes before a look at the chain.
pub struct Statuses {
    open: BTreeMap<Key, Vec<ChangeRecord>>,
    /// Transactions without batches: with updates, and those that took the nonce of one.
    txs: Vec<TxRecord>,
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
struct Update {
    key: Key,
    epoch: u64,
    root: Hash,
}

fn update_of(tx: &TxRecord) -> Option<Update> {
    match tx.carries {
        Carries::Status { issuer, purpose, epoch, root } => Some(Update { key: Key { issuer, purpose }, epoch, root }),
        Carries::Batches(_) => None,
    }
}

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
    // --- The truth

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

    // --- What became of our updates

    /// Learns how transactions without batches ended whose nonces are used, and forgets those that are settled.
    async fn learn(&mut self, statuses: &Statuses, view: &View) -> Result<(), Fault> {
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
        let settled = self.eyes.registry.endpoint().nonce(self.eyes.operator, view.finalized.into()).await?;
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
                self.report.gas(tx_receipt.gas_used);
                continue;
            };
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

    async fn forget_tx(&self, id: TxId) -> Result<(), Fault> {
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

    // --- The next update

    /// Whose updates are due, and may be written.
    pub(super) async fn due_statuses(&mut self, view: &View) -> Result<Vec<Key>, Fault> {
        let needs = self.memory.status.needs.iter().filter(|(_, need)| need.wants_update() && !need.blind);
        let wanting: Vec<Key> = needs.map(|(key, _)| *key).collect();
        self.learn_rights(wanting.iter().map(|key| key.issuer), Roles::REVOKE, view).await?;
        let now = Instant::now();
        let mut due = Vec::new();
        for key in wanting {
            if !self.memory.may(key.issuer, Roles::REVOKE) {
                let (issuer, operator) = (key.issuer, self.eyes.operator);
                let roles = Roles::ANCHOR.with(Roles::REVOKE);
                self.memory.meet(Problem::NotAppointed { issuer, operator, missing: Roles::REVOKE, roles });
                continue;
            }
            let Suspicion { failures, not_before } = self.memory.status.suspects.get(&key).copied().unwrap_or_default();
            if not_before > view.head.number {
                self.memory.meet(Problem::UpdateFailed { key, failures, not_before });
            } else if self.is_due(key, now) {
                due.push(key);
            }
        }
        Ok(due)
    }

    fn is_due(&mut self, key: Key, now: Instant) -> bool {
        let Need { outcome, heals, inputs, .. } = &self.memory.status.needs[&key];
        if *heals || outcome.contested {
            return true;
        }
        let waiting = inputs.open.iter().filter(|change| outcome.waiting.contains(&change.id));
        let at_once = waiting.clone().any(|change| change.now);
        let policy = &self.config.status;
        let accepted = &mut self.memory.status.accepted;
        let ages = waiting.map(|change| {
            let since = *accepted.entry(change.id).or_insert_with(|| {
                let age = age_at_start(super::now(), change.accepted_at, policy.max_age);
                now.checked_sub(age).unwrap_or(now)
            });
            now.saturating_duration_since(since)
        });
        let age = ages.max().unwrap_or_default();
        is_due(outcome.missing.len(), age, at_once, policy)
    }

    /// The next update of one issuer and purpose.
    pub(super) async fn load_status(&mut self, key: Key) -> Result<Option<Load>, Fault> {
        let Need { view, outcome, .. } = &self.memory.status.needs[&key];
        let (seen, missing) = (view.clone(), outcome.missing.clone());
        let (max_gas, max_delta) = (self.config.max_gas, self.config.max_delta);
        let detail = match update::fit(&self.eyes, &seen, &missing, max_gas, max_delta).await? {
            Fitted::Load(load) => return Ok(Some(load)),
            Fitted::Refused(detail) => detail,
        };
        let newest = self.eyes.registry.status_of(key.issuer, key.purpose, BlockTag::Latest).await?;
        if newest == seen.head.record {
            self.memory.meet(Problem::UpdateRefused { key, detail });
        } else {
            // Somebody else's update came first; the mirror will show it.
            self.config.mirror.refresh();
        }
        Ok(None)
    }
}

impl Need {
    fn wants_update(&self) -> bool {
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

/// How old a change is held to be at a start: between nothing and the age at which it is due, whatever the wall clock
/// did in between.
fn age_at_start(now: UnixSeconds, accepted_at: UnixSeconds, max_age: Duration) -> Duration {
    Duration::from_secs(now.0.saturating_sub(accepted_at.0)).min(max_age)
}

/// What an update of ours toggles. All versions of it toggle the same.
fn toggles_of(tx: &TxRecord) -> Vec<StatusIndex> {
    tx.attempts.last().and_then(update::toggles).unwrap_or_default()
}
