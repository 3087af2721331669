//! Trees of sealed batches in memory, as many as fit; the others are built again from their entries when asked for.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hashbrown::HashTable;
use testamur_core::{BatchTree, Digest, Entry, StatusIndex};
use tokio::{sync, task};

use crate::store::{BatchId, Store, StoreError};

/// From as many leaves on a tree is searched in memory. Of such there are few; the many small ones are left to the
/// store's index, where one look-up costs less than one in each of them.
const SEARCHED: usize = 1 << 16;

/// What a receipt needs of a sealed batch.
pub struct SealedTree {
    /// Its tree.
    pub tree: BatchTree,
    /// The status indices of its leaves.
    pub status_indices: Vec<StatusIndex>,
    /// Leaf indices by digest, where the tree is searched.
    leaves: HashTable<u32>,
    /// Seeded: digests are chosen by whoever submits them.
    hasher: RandomState,
}

impl SealedTree {
    /// Of these entries; none where there are none.
    pub fn build(entries: &[Entry]) -> Option<Self> {
        let tree = BatchTree::new(entries.iter().map(Entry::leaf_hash).collect()).ok()?;
        let status_indices = entries.iter().map(|entry| entry.status_index).collect();
        let (leaves, hasher) = (HashTable::new(), RandomState::new());
        let built = Self { tree, status_indices, leaves, hasher };
        Some(if entries.len() < SEARCHED { built } else { built.searched(entries) })
    }

    fn searched(mut self, entries: &[Entry]) -> Self {
        let hash = |leaf: &u32| self.hasher.hash_one(entries[*leaf as usize].digest);
        self.leaves.reserve(entries.len(), hash);
        for (leaf, entry) in (0..).zip(entries) {
            self.leaves.insert_unique(self.hasher.hash_one(entry.digest), leaf, hash);
        }
        self
    }

    fn is_searched(&self) -> bool {
        !self.leaves.is_empty()
    }

    /// The leaf of a digest, where the tree is searched.
    fn find(&self, digest: Digest) -> Option<u32> {
        let is_its = |leaf: &u32| {
            let status_index = self.status_indices[*leaf as usize];
            self.tree.leaf(u64::from(*leaf)) == Some(Entry { digest, status_index }.leaf_hash())
        };
        self.leaves.find(self.hasher.hash_one(digest), is_its).copied()
    }

    fn memory(&self) -> usize {
        let status_indices = self.status_indices.capacity() * size_of::<StatusIndex>();
        self.tree.memory() + status_indices + self.leaves.allocation_size()
    }
}

/// The trees in memory, limited by bytes; those not used for longest go first.
pub struct Trees {
    store: Arc<Store>,
    limit: usize,
    kept: Mutex<Kept>,
    /// One tree is built at a time: building takes memory of its own.
    building: sync::Mutex<()>,
}

#[derive(Default)]
struct Kept {
    trees: HashMap<BatchId, (Arc<SealedTree>, u64)>,
    /// Those of them that are searched.
    searched: BTreeSet<BatchId>,
    bytes: usize,
    /// Counts uses.
    clock: u64,
}

impl Trees {
    /// Keeps at most `limit` bytes of trees, and always the last one.
    pub fn new(store: Arc<Store>, limit: usize) -> Self {
        Self { store, limit, kept: Mutex::default(), building: sync::Mutex::default() }
    }

    /// The tree of a sealed batch.
    pub async fn get(&self, id: BatchId) -> Result<Arc<SealedTree>, StoreError> {
        if let Some(tree) = self.kept(id) {
            return Ok(tree);
        }
        let _turn = self.building.lock().await;
        if let Some(tree) = self.kept(id) {
            return Ok(tree);
        }
        let store = self.store.clone();
        let built = task::spawn_blocking(move || SealedTree::build(&store.entries(id)?).ok_or(MISSING)).await;
        let tree = Arc::new(built.unwrap_or(Err(MISSING))?);
        self.insert(id, tree.clone());
        Ok(tree)
    }

    /// Keeps a tree.
    pub fn insert(&self, id: BatchId, tree: Arc<SealedTree>) {
        let mut kept = self.lock();
        kept.clock += 1;
        kept.bytes += tree.memory();
        if tree.is_searched() {
            kept.searched.insert(id);
        }
        let now = kept.clock;
        if let Some((before, _)) = kept.trees.insert(id, (tree, now)) {
            kept.bytes -= before.memory();
        }
        while kept.bytes > self.limit && kept.trees.len() > 1 {
            kept.drop_oldest();
        }
    }

    /// A digest's batch, leaf and tree, if it is in a large tree in memory. Whose the batch is, its record tells.
    pub fn find(&self, digest: Digest) -> Option<(BatchId, u32, Arc<SealedTree>)> {
        let mut kept = self.lock();
        let find = |id: &BatchId| Some((*id, kept.trees.get(id)?.0.find(digest)?));
        let (id, leaf) = kept.searched.iter().rev().find_map(find)?;
        Some((id, leaf, kept.used(id)?))
    }

    fn kept(&self, id: BatchId) -> Option<Arc<SealedTree>> {
        self.lock().used(id)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn used(&mut self, id: BatchId) -> Option<Arc<SealedTree>> {
        self.clock += 1;
        let (tree, used) = self.trees.get_mut(&id)?;
        *used = self.clock;
        Some(tree.clone())
    }

    fn drop_oldest(&mut self) {
        let oldest = self.trees.iter().min_by_key(|(_, (_, used))| *used).map(|(id, _)| *id);
        if let Some((tree, _)) = oldest.and_then(|id| self.trees.remove(&id)) {
            self.bytes -= tree.memory();
        }
        self.searched.retain(|id| self.trees.contains_key(id));
    }
}

const MISSING: StoreError = StoreError::Damaged { what: "batch: its entries are missing" };

#[cfg(test)]
mod tests {
    use sha2::Digest as _;

    use super::*;

    fn entries(count: usize) -> Vec<Entry> {
        let digest = |seed: usize| Digest(sha2::Sha256::digest(seed.to_be_bytes()).into());
        let index = |seed: usize| StatusIndex::new(seed as u64 * 3).unwrap();
        (0..count).map(|seed| Entry { digest: digest(seed), status_index: index(seed) }).collect()
    }

    #[test]
    fn a_large_tree_is_searched_and_a_small_one_is_not() {
        let all = entries(SEARCHED + 1);
        let large = SealedTree::build(&all[..SEARCHED]).unwrap();
        assert!(all[..SEARCHED].iter().zip(0..).all(|(entry, leaf)| large.find(entry.digest) == Some(leaf)));
        assert_eq!(large.find(all[SEARCHED].digest), None);
        let small = SealedTree::build(&all[..SEARCHED - 1]).unwrap();
        assert_eq!(small.find(all[0].digest), None);
        assert!(small.memory() < large.memory());
    }
}
