//! Records of sealed batches that were asked for, parsed: every receipt needs the one of its batch.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockWriteGuard},
};

use super::super::{BatchId, BatchRecord, StoreError};

/// Records in memory, at most; when there are as many, all are forgotten.
const MOST: usize = 4096;

/// The records.
#[derive(Default)]
pub(super) struct Known(RwLock<HashMap<BatchId, BatchRecord>>);

impl Known {
    /// A record, which `read` gets where it is not known.
    pub fn get(
        &self,
        id: BatchId,
        read: impl FnOnce() -> Result<Option<BatchRecord>, StoreError>,
    ) -> Result<Option<BatchRecord>, StoreError> {
        if let Some(record) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(Some(record.clone()));
        }
        // Held while it is read: what is read before a commit is here before that commit has it forgotten.
        let mut known = self.write();
        let record = read()?;
        if known.len() >= MOST {
            known.clear();
        }
        known.extend(record.clone().map(|record| (id, record)));
        Ok(record)
    }

    /// To be called after a commit that may have changed these.
    pub fn forget(&self, changed: &[BatchRecord]) {
        let mut known = self.write();
        for record in changed {
            known.remove(&record.id);
        }
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<BatchId, BatchRecord>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
