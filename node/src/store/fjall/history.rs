//! What happened, for whoever looks back: batches by root and by time, and what transactions cost.

use testamur_core::{Address, Hash};

use super::{
    super::{BatchId, BatchRecord, Cost, StoreError},
    Store,
    values::{batch_key, issuer_batch_key, parse_json, parse_u64, to_json},
};

impl Store {
    /// The sealed batch with a root.
    pub fn batch_by_root(&self, root: Hash) -> Result<Option<BatchRecord>, StoreError> {
        let Some(id) = self.roots.get(root.0)? else { return Ok(None) };
        self.batch(BatchId(parse_u64(&id)?))
    }

    /// An issuer's sealed batches, newest first, as [`Store::batches_of`] lists them. Made for long walks: what is
    /// read here does not drive the records of receipts that are asked for out of memory.
    pub fn walk_batches(&self, issuer: Address) -> impl Iterator<Item = Result<BatchRecord, StoreError>> {
        let (first, end) = (BatchId(0), BatchId(u64::MAX));
        let pairs = self.issuer_batches.range(issuer_batch_key(issuer, first)..issuer_batch_key(issuer, end));
        pairs.rev().map(|pair| {
            let missing = StoreError::Damaged { what: "list of batches" };
            let json = self.batches.get(&pair.key()?[20..])?.ok_or(missing)?;
            parse_json(&json, "batch record")
        })
    }

    /// Keeps what a transaction cost. Durable when it returns.
    pub fn put_cost(&self, transaction: Hash, cost: &Cost) -> Result<(), StoreError> {
        let mut write = self.write();
        write.insert(&self.costs, transaction.0, to_json(cost));
        Ok(write.commit()?)
    }

    /// What a transaction cost; none where it is not ours, or from before this was kept.
    pub fn cost(&self, transaction: Hash) -> Result<Option<Cost>, StoreError> {
        self.costs.get(transaction.0)?.map(|json| parse_json(&json, "cost of a transaction")).transpose()
    }

    /// Fills the index of roots of a folder from before there was one.
    pub(super) fn index_roots(&self) -> Result<(), StoreError> {
        if self.roots.first_key_value().is_some() {
            return Ok(());
        }
        let mut write = self.write();
        for batch in self.all_batches() {
            let batch = batch?;
            write.insert(&self.roots, batch.root.0, batch_key(batch.id));
        }
        Ok(write.commit()?)
    }
}
