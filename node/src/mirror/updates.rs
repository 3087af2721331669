//! The status updates of one issuer and purpose, page by page: whatever the mirror took in, whoever wrote it.

use std::{collections::VecDeque, sync::PoisonError};

use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use testamur_chain::{
    Error,
    history::{Event, StatusUpdate},
};
use testamur_core::{Address, BlockNumber, Hash, Purpose, UnixSeconds, observation::BlockRef, status::delta};

use super::{Key, Mirror, NotKnown, board::Track};

/// Updates on a page.
const PAGE: usize = 50;
/// Blocks read at the same time.
const PARALLEL: usize = 8;
/// Updates in memory, of an issuer that is followed always and of a stranger: for those 9 kB at most, beside the tree,
/// which is what [`super::Limits::memory_bytes`] counts.
const KEPT: [usize; 2] = [1000, 64];

/// Some of an issuer's updates of one purpose, the newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The block at which they were read.
    pub block: BlockRef,
    /// How many there are in all.
    pub count: u64,
    /// The number of the oldest that is told here; those before it are on the chain.
    pub since: u64,
    /// At most 50.
    pub updates: Vec<Update>,
    /// Where the next page begins (`before`), if there is one.
    pub next: Option<u64>,
}

/// One update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    /// Its number, from 1.
    pub epoch: u64,
    /// The root that it states.
    pub root: Hash,
    /// How many bits it toggles; none where what was published cannot be read.
    pub toggled: Option<u64>,
    /// Its block.
    pub block: BlockNumber,
    /// The time of that block.
    pub time: UnixSeconds,
    /// Its transaction.
    pub transaction: Hash,
    /// Whether its block is settled.
    pub settled: bool,
}

/// The newest updates, oldest first.
#[derive(Debug, Default)]
pub(super) struct Log(VecDeque<Taken>);

/// An update that was taken in.
#[derive(Clone, Copy, Debug)]
struct Taken {
    epoch: u64,
    root: Hash,
    toggled: Option<u64>,
    block: BlockNumber,
    block_hash: Hash,
    transaction: Hash,
    /// Once its block was read.
    time: Option<UnixSeconds>,
}

impl Log {
    /// Forgets those from an epoch on: they were undone, or are read anew.
    pub fn forget_from(&mut self, epoch: u64) {
        self.0.retain(|taken| taken.epoch < epoch);
    }

    /// Adds updates, in place of those with the same numbers.
    pub fn extend(&mut self, events: &[Event<StatusUpdate>], pinned: bool) {
        let [always, stranger] = KEPT;
        if let Some(first) = events.first() {
            self.forget_from(first.what.epoch);
        }
        self.0.extend(events.iter().map(Taken::from));
        let over = self.0.len().saturating_sub(if pinned { always } else { stranger });
        self.0.drain(..over);
    }

    /// At most a page before an epoch, newest first.
    fn page(&self, before: Option<u64>) -> Vec<Taken> {
        let older = self.0.iter().rev().filter(|taken| before.is_none_or(|before| taken.epoch < before));
        older.take(PAGE).copied().collect()
    }

    fn dated(&mut self, read: &Taken) {
        let same = |taken: &&mut Taken| (taken.epoch, taken.block_hash) == (read.epoch, read.block_hash);
        if let Some(taken) = self.0.iter_mut().find(same) {
            taken.time = read.time;
        }
    }
}

impl From<&Event<StatusUpdate>> for Taken {
    fn from(Event { what, place }: &Event<StatusUpdate>) -> Self {
        Self {
            epoch: what.epoch,
            root: what.root,
            toggled: delta::decode(&what.delta).ok().map(|indices| indices.len() as u64),
            block: place.block,
            block_hash: place.block_hash,
            transaction: place.transaction,
            time: None,
        }
    }
}

impl Track {
    pub(super) fn log<R>(&self, act: impl FnOnce(&mut Log) -> R) -> R {
        act(&mut self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Mirror {
    /// An issuer's updates of one purpose with a number below `before` (all: `None`), newest first.
    pub async fn updates(&self, issuer: Address, purpose: Purpose, before: Option<u64>) -> Result<Page, NotKnown> {
        let view = self.wanted(issuer, purpose).await?;
        let Some(track) = self.0.board.peek(Key { issuer, purpose }) else { return Err(NotKnown::Loading) };
        let (since, chosen) = track.log(|log| (log.0.front().map_or(0, |oldest| oldest.epoch), log.page(before)));
        let next = chosen.last().map(|taken| taken.epoch).filter(|epoch| *epoch > since);
        let read = stream::iter(chosen).map(|taken| self.date(&track, taken)).buffered(PARALLEL);
        let taken: Vec<Taken> = read.try_collect().await.map_err(NotKnown::Unseen)?;
        let settled = view.settled.block.number;
        let updates = taken.into_iter().map(|taken| taken.told(settled)).collect();
        Ok(Page { block: view.head.block, count: view.head.record.epoch, since, updates, next })
    }

    /// An update with the time of its block, which is read once.
    async fn date(&self, track: &Track, mut taken: Taken) -> Result<Taken, Error> {
        if taken.time.is_none() {
            let block = self.0.registry.endpoint().block(taken.block.into()).await?;
            if block.hash != taken.block_hash {
                return Err(Error::Reorganised { block: taken.block });
            }
            taken.time = Some(block.time);
            track.log(|log| log.dated(&taken));
        }
        Ok(taken)
    }
}

impl Taken {
    fn told(self, settled: BlockNumber) -> Update {
        let Self { epoch, root, toggled, block, transaction, time, .. } = self;
        let time = time.unwrap_or_default();
        Update { epoch, root, toggled, block, time, transaction, settled: block <= settled }
    }
}
