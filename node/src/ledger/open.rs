//! Batches that still take digests, and those that are being sealed, in memory.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::{Duration, Instant},
};

use hashbrown::{HashTable, hash_table};
use testamur_core::{Address, Digest, Entry, StatusIndex, UnixSeconds};

use crate::store::BatchId;

/// For how long a batch has been open: by the monotonic clock while the node runs, and what the wall clock told
/// at the last start.
#[derive(Clone, Copy, Debug)]
pub struct Opened {
    at: Instant,
    before: Duration,
}

impl Opened {
    /// Opened now.
    pub fn now() -> Self {
        Self { at: Instant::now(), before: Duration::ZERO }
    }

    /// Already this old.
    pub fn ago(before: Duration) -> Self {
        Self { at: Instant::now(), before }
    }

    /// Its age.
    pub fn age(&self) -> Duration {
        self.at.elapsed() + self.before
    }
}

/// A batch without a root.
pub struct OpenBatch {
    /// The number.
    pub id: BatchId,
    /// Whose batch it is.
    pub issuer: Address,
    /// When its first entry came.
    pub opened_at: UnixSeconds,
    /// The same for measuring its age.
    pub opened: Opened,
    /// In the order of their leaf indices.
    pub entries: Vec<Entry>,
    /// How many of the entries are on disk. What comes after them was promised to nobody.
    pub committed: usize,
    /// Leaf indices by digest.
    leaves: HashTable<u32>,
    /// Seeded: digests are chosen by whoever submits them.
    hasher: RandomState,
}

impl OpenBatch {
    /// An empty one.
    pub fn new(id: BatchId, issuer: Address, opened_at: UnixSeconds, opened: Opened) -> Self {
        let (entries, leaves, hasher) = (Vec::new(), HashTable::new(), RandomState::new());
        Self { id, issuer, opened_at, opened, entries, committed: 0, leaves, hasher }
    }

    /// Adds entries that are on disk.
    pub fn restore(mut self, entries: &[Entry]) -> Self {
        for entry in entries {
            self.find_or_insert(entry.digest, || Some(entry.status_index));
        }
        self.committed = self.entries.len();
        self
    }

    /// The leaf of a digest that is here and on disk.
    pub fn find(&self, digest: Digest) -> Option<u32> {
        let leaf =
            *self.leaves.find(self.hasher.hash_one(digest), |leaf| self.entries[*leaf as usize].digest == digest)?;
        ((leaf as usize) < self.committed).then_some(leaf)
    }

    /// The status index that a digest has here, on disk or not.
    pub fn status_index(&self, digest: Digest) -> Option<StatusIndex> {
        let same = |leaf: &u32| self.entries[*leaf as usize].digest == digest;
        let leaf = self.leaves.find(self.hasher.hash_one(digest), same)?;
        Some(self.entries[*leaf as usize].status_index)
    }

    /// The status index of a digest, and whether it is new here; a new one gets what `next` gives. None: `next` has none.
    pub fn find_or_insert(
        &mut self,
        digest: Digest,
        next: impl FnOnce() -> Option<StatusIndex>,
    ) -> Option<(StatusIndex, bool)> {
        let Self { entries, leaves, hasher, .. } = self;
        let same = |leaf: &u32| entries[*leaf as usize].digest == digest;
        match leaves.entry(hasher.hash_one(digest), same, |leaf| hasher.hash_one(entries[*leaf as usize].digest)) {
            hash_table::Entry::Occupied(leaf) => Some((entries[*leaf.get() as usize].status_index, false)),
            hash_table::Entry::Vacant(place) => {
                let status_index = next()?;
                place.insert(u32::try_from(entries.len()).expect("a batch has fewer than 2^32 entries"));
                entries.push(Entry { digest, status_index });
                Some((status_index, true))
            }
        }
    }
}

/// All batches without a record.
#[derive(Default)]
pub struct Shelf {
    issuers: HashMap<Address, Slot>,
}

/// Those of one issuer.
#[derive(Default)]
struct Slot {
    open: Option<OpenBatch>,
    sealing: Vec<Arc<OpenBatch>>,
}

impl Shelf {
    /// An issuer's open batch.
    pub fn open(&self, issuer: Address) -> Option<&OpenBatch> {
        self.issuers.get(&issuer)?.open.as_ref()
    }

    /// An issuer's open batch, to be set or changed.
    pub fn open_mut(&mut self, issuer: Address) -> &mut Option<OpenBatch> {
        &mut self.issuers.entry(issuer).or_default().open
    }

    /// All open batches.
    pub fn all_open(&self) -> impl Iterator<Item = &OpenBatch> {
        self.issuers.values().filter_map(|slot| slot.open.as_ref())
    }

    /// An issuer's batches that are being sealed.
    pub fn sealing(&self, issuer: Address) -> &[Arc<OpenBatch>] {
        self.issuers.get(&issuer).map_or(&[], |slot| &slot.sealing)
    }

    /// Takes no more digests into an issuer's open batch.
    pub fn freeze(&mut self, issuer: Address) -> Option<Arc<OpenBatch>> {
        let batch = Arc::new(self.open_mut(issuer).take()?);
        self.issuers.entry(issuer).or_default().sealing.push(batch.clone());
        Some(batch)
    }

    /// Forgets a batch that has a record now.
    pub fn remove(&mut self, issuer: Address, id: BatchId) {
        if let Some(slot) = self.issuers.get_mut(&issuer) {
            slot.sealing.retain(|batch| batch.id != id);
        }
    }

    /// The batch and leaf of a digest that is here and on disk.
    pub fn find(&self, issuer: Address, digest: Digest) -> Option<(&OpenBatch, u32)> {
        let slot = self.issuers.get(&issuer)?;
        let all = slot.open.iter().chain(slot.sealing.iter().map(|batch| &**batch));
        all.filter_map(|batch| Some((batch, batch.find(digest)?))).next()
    }
}
