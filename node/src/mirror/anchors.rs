//! What the chain says of an issuer's anchors, page by page. What is settled is read once and kept in memory.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use testamur_chain::{
    Error, Registry,
    history::{Anchored, Event, anchors_after},
};
use testamur_core::{
    Address, BlockNumber, Hash, UnixSeconds,
    observation::{AnchorRecord, BlockRef},
};
use tokio::{sync, time::timeout};

use super::{Inner, Mirror, NotKnown, look::Look};

/// Anchors on a page.
const PAGE: usize = 50;
/// Issuers whose anchors are kept in memory.
const ISSUERS: usize = 256;
/// Slots read at the same time.
const PARALLEL: usize = 8;
/// Issuers whose anchors are read at the same time. Not from the places of first readings of status: an issuer with
/// very many anchors must not stand in their way.
const READINGS: usize = 4;

/// Some of an issuer's anchors, the newest first.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// The block at which they were read.
    pub block: BlockRef,
    /// How many there are in all.
    pub count: u64,
    /// At most 50.
    pub anchors: Vec<Anchor>,
    /// Where the next page begins (`before`), if there is one.
    pub next: Option<u64>,
}

/// One anchor, as event and contract state it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Anchor {
    /// Its number among the issuer's anchors, from 0.
    pub number: u64,
    /// The root.
    pub root: Hash,
    /// Leaves of the batch.
    pub size: u64,
    /// Its block.
    pub block: BlockNumber,
    /// The time of that block.
    pub time: UnixSeconds,
    /// Its transaction.
    pub transaction: Hash,
    /// Whether the issuer withdrew the whole batch.
    pub withdrawn: bool,
    /// Whether its block is settled.
    pub settled: bool,
}

/// The anchors of all issuers that were asked for.
pub(super) struct Shelf {
    issuers: Mutex<HashMap<Address, Arc<sync::Mutex<Known>>>>,
    readings: Arc<sync::Semaphore>,
}

/// The anchors of one issuer.
#[derive(Default)]
struct Known {
    /// Up to this block nothing changes any more.
    settled: BlockNumber,
    /// Oldest first.
    events: Vec<Event<Anchored>>,
}

impl Mirror {
    /// An issuer's anchors with a number below `before` (all: `None`), newest first.
    pub async fn anchors(&self, issuer: Address, before: Option<u64>) -> Result<Page, NotKnown> {
        if !self.follows(issuer) {
            return Err(NotKnown::NotFollowed);
        }
        let inner = self.0.clone();
        let read = async move {
            // One of an issuer's questions reads; the others wait without a place.
            let known = inner.anchors.of(issuer).lock_owned().await;
            let place = inner.anchors.readings.clone().acquire_owned().await.expect("the semaphore is never closed");
            let look = inner.looked().await;
            // In a task of its own: who asked may leave, and what is read counts for the next.
            let read = tokio::spawn(async move {
                let page = inner.anchors(known, issuer, before, look).await;
                drop(place);
                page
            });
            read.await
        };
        match timeout(self.0.limits.patience, read).await {
            Ok(Ok(page)) => page.map_err(NotKnown::Unseen),
            _ => Err(NotKnown::Loading),
        }
    }
}

impl Mirror {
    /// What the contract says of one root at the newest block; `None`: it is not anchored under this issuer.
    pub async fn anchor(&self, issuer: Address, root: Hash) -> Result<Option<(AnchorRecord, Look)>, NotKnown> {
        if !self.follows(issuer) {
            return Err(NotKnown::NotFollowed);
        }
        let read = async {
            let look = self.0.looked().await;
            let slot = self.0.registry.anchor_of(issuer, root, look.head.number.into()).await?;
            Ok(slot.map(|slot| (slot, look)))
        };
        let read = timeout(self.0.limits.patience, read).await.map_err(|_| NotKnown::Loading)?;
        read.map_err(NotKnown::Unseen)
    }
}

impl Inner {
    async fn anchors(
        &self,
        mut known: sync::OwnedMutexGuard<Known>,
        issuer: Address,
        before: Option<u64>,
        look: Look,
    ) -> Result<Page, Error> {
        known.bring(&self.registry, issuer, look).await?;
        let end = before.map_or(known.events.len(), |before| usize::try_from(before).unwrap_or(usize::MAX));
        let end = end.min(known.events.len());
        let first = end.saturating_sub(PAGE);
        let chosen: Vec<_> = (first..end).rev().map(|n| (n as u64, known.events[n].clone())).collect();
        let count = known.events.len() as u64;
        drop(known);
        let next = chosen.last().map(|(number, _)| *number).filter(|number| *number > 0);
        let slots = stream::iter(chosen).map(|(number, event)| self.anchor(issuer, number, event, look));
        let anchors = slots.buffered(PARALLEL).try_collect().await?;
        Ok(Page { block: look.head, count, anchors, next })
    }

    /// What the contract says of an event: it must be the same.
    async fn anchor(&self, issuer: Address, number: u64, event: Event<Anchored>, look: Look) -> Result<Anchor, Error> {
        let (Anchored { root, size }, place) = (event.what, event.place);
        let slot = self.registry.anchor_of(issuer, root, look.head.number.into()).await?;
        match slot {
            Some(AnchorRecord { time, block, size: stated, withdrawn }) if (block, stated) == (place.block, size) => {
                let settled = block <= look.settled.number;
                Ok(Anchor { number, root, size, block, time, transaction: place.transaction, withdrawn, settled })
            }
            _ => Err(Error::Unusable { detail: format!("the contract does not hold the anchor of root {root}") }),
        }
    }
}

impl Default for Shelf {
    fn default() -> Self {
        Self { issuers: Mutex::default(), readings: Arc::new(sync::Semaphore::new(READINGS)) }
    }
}

impl Shelf {
    fn of(&self, issuer: Address) -> Arc<sync::Mutex<Known>> {
        let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        if issuers.len() >= ISSUERS && !issuers.contains_key(&issuer) {
            // Which one hardly matters: it is read again.
            let any = issuers.keys().next().copied();
            any.and_then(|any| issuers.remove(&any));
        }
        issuers.entry(issuer).or_default().clone()
    }
}

impl Known {
    /// Reads what came after the settled ones, unless an earlier question at a later look did.
    async fn bring(&mut self, registry: &Registry, issuer: Address, look: Look) -> Result<(), Error> {
        let newest = registry.last_blocks_of(issuer, look.head.number.into()).await?.anchor;
        let kept = self.events.partition_point(|event| event.place.block <= self.settled);
        let recent = anchors_after(registry, issuer, newest, self.settled).await?;
        if !registry.endpoint().has(look.head).await? {
            return Err(Error::Reorganised { block: look.head.number });
        }
        self.events.truncate(kept);
        self.events.extend(recent);
        self.settled = self.settled.max(look.settled.number);
        Ok(())
    }
}
