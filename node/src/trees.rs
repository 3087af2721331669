//! Trees of sealed batches in memory, as many as fit; the others are built again from their entries when asked for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use testamur_core::{BatchTree, Entry, StatusIndex};
use tokio::{sync, task};

use crate::store::{BatchId, Store, StoreError};

/// What a receipt needs of a sealed batch.
pub struct SealedTree {
    /// Its tree.
    pub tree: BatchTree,
    /// The status indices of its leaves.
    pub status_indices: Vec<StatusIndex>,
}

impl SealedTree {
    /// Of these entries; none where there are none.
    pub fn build(entries: &[Entry]) -> Option<Self> {
        let tree = BatchTree::new(entries.iter().map(Entry::leaf_hash).collect()).ok()?;
        Some(Self { tree, status_indices: entries.iter().map(|entry| entry.status_index).collect() })
    }

    fn memory(&self) -> usize {
        self.tree.memory() + self.status_indices.capacity() * size_of::<StatusIndex>()
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
        let now = kept.clock;
        if let Some((before, _)) = kept.trees.insert(id, (tree, now)) {
            kept.bytes -= before.memory();
        }
        while kept.bytes > self.limit && kept.trees.len() > 1 {
            kept.drop_oldest();
        }
    }

    fn kept(&self, id: BatchId) -> Option<Arc<SealedTree>> {
        let mut kept = self.lock();
        kept.clock += 1;
        let now = kept.clock;
        let (tree, used) = kept.trees.get_mut(&id)?;
        *used = now;
        Some(tree.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn drop_oldest(&mut self) {
        let oldest = self.trees.iter().min_by_key(|(_, (_, used))| *used).map(|(id, _)| *id);
        if let Some((tree, _)) = oldest.and_then(|id| self.trees.remove(&id)) {
            self.bytes -= tree.memory();
        }
    }
}

const MISSING: StoreError = StoreError::Damaged { what: "batch: its entries are missing" };
