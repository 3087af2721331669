//! The way back from the newest update to one that is known, which may be long and is not walked twice.

use std::cmp::Ordering;

use testamur_core::{BlockNumber, observation::StatusRecord};

use super::Follower;
use crate::{
    Error, Registry,
    history::{Event, Link, StatusUpdate, status_link},
};

/// Deltas held at a time: many times what the largest issuer publishes in its life.
const LONGEST: usize = 256 << 20;

/// Updates in one piece, newest first.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) events: Vec<Event<StatusUpdate>>,
    /// The block of the update before the last of them.
    next: BlockNumber,
    bytes: usize,
    /// An earlier walk that was not finished: this one may come upon it.
    before: Option<Box<Walk>>,
}

impl Walk {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn take(&mut self) -> Vec<Event<StatusUpdate>> {
        let mut events = std::mem::take(self).events;
        events.reverse();
        events
    }

    /// Begins at a record. Of two unfinished walks the one that came further is kept.
    fn begin(&mut self, newest: BlockNumber) {
        let mut last = std::mem::take(self);
        let earlier = last.before.take().map(|earlier| *earlier);
        let furthest = [Some(last), earlier].into_iter().flatten().filter_map(|walk| Some((walk.lowest()?, walk)));
        self.before = furthest.min_by_key(|(lowest, _)| *lowest).map(|(_, walk)| Box::new(walk));
        self.next = newest;
    }

    fn lowest(&self) -> Option<u64> {
        self.events.last().map(|event| event.what.epoch)
    }

    fn push(&mut self, event: Event<StatusUpdate>) {
        self.bytes += event.what.delta.len();
        self.events.push(event);
    }

    /// Where the earlier walk has the last event, in the same block, the rest of it is had as well.
    fn join(&mut self) {
        let Some(last) = self.events.last() else { return };
        let same = |event: &Event<StatusUpdate>| event.what.epoch == last.what.epoch && event.place == last.place;
        let Some(earlier) = self.before.take_if(|earlier| earlier.events.iter().any(same)) else { return };
        let epoch = last.what.epoch;
        self.next = earlier.next;
        earlier.events.into_iter().filter(|event| event.what.epoch < epoch).for_each(|event| self.push(event));
    }
}

impl Follower {
    /// Walks back from a record to the newest known update, and returns that one's epoch.
    pub(super) async fn walk_back(&mut self, registry: &Registry, record: &StatusRecord) -> Result<u64, Error> {
        self.walk.begin(record.block);
        loop {
            let block = self.walk.next;
            if let Some(known) = self.reached(record, block)? {
                return Ok(known);
            }
            let link = status_link(registry, self.issuer, self.purpose, block).await?;
            if let Some(known) = self.add(record, link)? {
                return Ok(known);
            }
            self.walk.join();
            let longest = LONGEST.min(self.bound);
            if self.walk.bytes > longest {
                self.walk.clear();
                return Err(Error::TooLong { issuer: self.issuer, bytes: longest });
            }
        }
    }

    /// What is settled is reached by its number and block alone. Nothing may lead past it.
    fn reached(&self, record: &StatusRecord, block: BlockNumber) -> Result<Option<u64>, Error> {
        let before = self.walk.lowest().map_or(record.epoch, |lowest| lowest - 1);
        let known = &self.settled;
        match before.cmp(&known.epoch) {
            Ordering::Greater if block.0 > 0 => Ok(None),
            Ordering::Greater => Err(Error::unusable(format!("no status update {before}"))),
            Ordering::Equal if block == known.block && self.walk.lowest().is_some() => {
                Ok((!self.unchecked).then_some(before)) // a stranger's is looked at: its root must be there
            }
            _ => Err(self.contradicted()),
        }
    }

    /// Adds the updates of a block down to a known one, whose epoch is returned.
    fn add(&mut self, record: &StatusRecord, link: Link<StatusUpdate>) -> Result<Option<u64>, Error> {
        for event in link.events.into_iter().rev() {
            // A walk that was stopped within this block has its newer ones.
            if self
                .walk
                .events
                .last()
                .is_some_and(|last| last.place.block == event.place.block && last.what.epoch <= event.what.epoch)
            {
                continue;
            }
            let (expected, root) = match self.walk.lowest() {
                Some(lowest) => (lowest - 1, event.what.root),
                None => (record.epoch, record.root),
            };
            if (event.what.epoch, event.what.root) != (expected, root) || expected == 0 {
                return Err(Error::unusable(format!("a status update {} for {expected}", event.what.epoch)));
            }
            if self.knows(&event)? {
                return Ok(Some(event.what.epoch));
            }
            self.walk.push(event);
        }
        self.walk.next = link.previous;
        Ok(None)
    }

    fn knows(&self, event: &Event<StatusUpdate>) -> Result<bool, Error> {
        let (epoch, root, block) = (event.what.epoch, event.what.root, event.place.block);
        if epoch > self.settled.epoch {
            let same = |step: &super::Step| (step.epoch, step.block_hash) == (epoch, event.place.block_hash);
            return Ok(self.recent.iter().any(same));
        }
        let settled = (self.settled.epoch, self.settled.root, self.settled.block);
        if (epoch, root, block) == settled { Ok(true) } else { Err(self.contradicted()) }
    }
}
