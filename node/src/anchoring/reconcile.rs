//! Which bits are wanted, against which bits are there. Pure: no chain, no store, no clock.
//!
//! The chain is the truth. An open change says what its bits should be; where an index is named twice, the newer
//! change counts. A change is included once nothing of it is missing at the newest block; from then on it rests on
//! the update that completed it, and whoever toggles a bit back afterwards is not fought. When that update is gone
//! (a reorg), the change is looked at anew. Changes become final in their order, so that none is forgotten while an
//! older one could still overrule it.

use std::{collections::HashSet, sync::Arc, time::Duration};

use testamur_core::{BlockNumber, StatusIndex, status::StatusTree};

use crate::store::{ChangeId, ChangeRecord, ChangeState, UpdatedAt};

/// A change that is not final, with its status indices.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The change.
    pub change: ChangeRecord,
    /// What it names.
    pub indices: Arc<[StatusIndex]>,
}

/// What the chain shows of one issuer and purpose.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// The bits at the newest block.
    pub bits: &'a StatusTree,
    /// The update that left them; all zero where there was none.
    pub newest: UpdatedAt,
    /// The newest settled block.
    pub settled: BlockNumber,
}

/// An update of ours that is not on chain, and may yet be mined.
#[derive(Clone, Debug)]
pub struct Flight {
    /// The epoch that it makes.
    pub epoch: u64,
    /// What it toggles.
    pub toggles: HashSet<StatusIndex>,
    /// Whether its nonce is free; else only a reorg can bring it back.
    pub minable: bool,
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Changes that came to another state.
    pub moved: Vec<ChangeRecord>,
    /// What is missing, by the order of the changes that want it: the older first.
    pub missing: Vec<StatusIndex>,
    /// The changes that want it.
    pub waiting: Vec<ChangeId>,
    /// Whether a change is held back by nothing but a [`Flight`] that can be mined: another update makes that one void.
    pub contested: bool,
    /// Updates of which must be known whether they still stand, before anything can be told.
    pub unsure: Vec<UpdatedAt>,
}

/// Compares the open changes of one issuer and purpose, oldest first, with what the chain shows. `stands` holds what
/// is known of updates that changes rest on.
pub fn reconcile(open: &[Wish], sight: Sight<'_>, flights: &[Flight], stands: &[(UpdatedAt, bool)]) -> Outcome {
    let mut scale = Scale { sight, flights, stands, overruled: HashSet::new(), outcome: Outcome::default() };
    let mut weighed: Vec<_> = open.iter().rev().map(|wish| (wish, scale.weigh(wish))).collect();
    weighed.reverse();
    let Scale { mut outcome, .. } = scale;
    let mut all_final = true;
    for (wish, Weighed { mut state, missing }) in weighed {
        if let ChangeState::Included { at } = state
            && all_final
            && at.block <= sight.settled
        {
            // An update that was just seen at the newest block needs no second look.
            match if at == sight.newest { Some(true) } else { known(stands, &at) } {
                Some(true) => state = ChangeState::Final { at },
                _ => outcome.unsure.push(at),
            }
        }
        all_final &= matches!(state, ChangeState::Final { .. });
        if !missing.is_empty() {
            outcome.waiting.push(wish.change.id);
            outcome.missing.extend(missing);
        }
        if state != wish.change.state {
            outcome.moved.push(ChangeRecord { state, ..wish.change.clone() });
        }
    }
    outcome
}

struct Scale<'a> {
    sight: Sight<'a>,
    flights: &'a [Flight],
    stands: &'a [(UpdatedAt, bool)],
    /// The indices of newer changes.
    overruled: HashSet<StatusIndex>,
    outcome: Outcome,
}

struct Weighed {
    state: ChangeState,
    missing: Vec<StatusIndex>,
}

impl Scale<'_> {
    /// To be called from the newest change to the oldest.
    fn weigh(&mut self, wish: &Wish) -> Weighed {
        let Wish { change, indices } = wish;
        let own: Vec<_> = indices.iter().copied().filter(|&index| self.overruled.insert(index)).collect();
        let wanted = change.action.bit();
        let (there, missing): (Vec<_>, Vec<_>) = own.into_iter().partition(|&i| self.sight.bits.bit(i) == wanted);
        if let Some(at) = rests_on(change.state)
            && self.may_stand(&at, missing.is_empty())
        {
            return Weighed { state: ChangeState::Included { at }, missing: Vec::new() };
        }
        let threatened = there.iter().any(|index| self.in_flight(index, false));
        self.outcome.contested |= missing.is_empty() && there.iter().any(|index| self.in_flight(index, true));
        let state = match threatened || !missing.is_empty() {
            true => ChangeState::Pending,
            false => ChangeState::Included { at: self.sight.newest },
        };
        Weighed { state, missing }
    }

    /// Whether a change may go on resting on an update. It is asked for only where that makes a difference now.
    fn may_stand(&mut self, at: &UpdatedAt, satisfied: bool) -> bool {
        let newest = &self.sight.newest;
        if at == newest {
            return true;
        }
        // Epochs grow with blocks: what contradicts that is of another branch.
        if at.epoch >= newest.epoch || at.block > newest.block {
            return false;
        }
        match known(self.stands, at) {
            Some(stands) => stands,
            None => {
                if !satisfied {
                    self.outcome.unsure.push(*at);
                }
                true
            }
        }
    }

    /// Whether an update of ours that can still take effect would toggle a bit.
    fn in_flight(&self, index: &StatusIndex, minable: bool) -> bool {
        let newest = self.sight.newest.epoch;
        let alive = |flight: &&Flight| flight.epoch > newest && (flight.minable || !minable);
        self.flights.iter().filter(alive).any(|flight| flight.toggles.contains(index))
    }
}

fn known(stands: &[(UpdatedAt, bool)], at: &UpdatedAt) -> Option<bool> {
    stands.iter().find(|(known, _)| known == at).map(|(_, stands)| *stands)
}

/// The update that completed a change.
fn rests_on(state: ChangeState) -> Option<UpdatedAt> {
    match state {
        ChangeState::Pending => None,
        ChangeState::Included { at } | ChangeState::Final { at } => Some(at),
    }
}

/// When what is missing is written.
#[derive(Clone, Copy, Debug)]
pub struct StatusPolicy {
    /// At this age of the oldest change that waits.
    pub max_age: Duration,
    /// With this many toggles, at once.
    pub max_changes: usize,
}

impl Default for StatusPolicy {
    fn default() -> Self {
        Self { max_age: Duration::from_secs(30), max_changes: 50_000 }
    }
}

/// Whether missing toggles are due: `age` of the oldest change that waits, by a clock that never goes back; `now`
/// where one of the changes waits for no others.
pub fn is_due(missing: usize, age: Duration, now: bool, policy: &StatusPolicy) -> bool {
    missing > 0 && (now || missing >= policy.max_changes || age >= policy.max_age)
}

/// Whose turn it is among those that have something to write: the first after the one that had it last.
pub fn next_turn<K: Ord + Copy>(ready: &[K], last: Option<K>) -> Option<K> {
    let after = ready.iter().filter(|key| last.is_none_or(|last| **key > last)).min();
    after.or_else(|| ready.iter().min()).copied()
}

#[cfg(test)]
mod tests;
