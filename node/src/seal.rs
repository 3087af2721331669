//! When a batch is sealed, and sealing it.

use std::{
    sync::{Arc, RwLock, mpsc},
    time::Duration,
};

use testamur_core::UnixSeconds;
use tokio::sync::{Notify, oneshot};
use tracing::{error, info};

use crate::{
    clock,
    events::Sender,
    health::{Health, Part, Reason},
    ledger::{LedgerError, OpenBatch, Shelf, write},
    store::{BatchRecord, BatchState, Store, StoreError},
    trees::{SealedTree, Trees},
};

/// When batches are sealed.
#[derive(Clone, Copy, Debug)]
pub struct SealPolicy {
    /// With this many entries, at once.
    pub max_size: u32,
    /// At this age, if it has entries.
    pub max_age: Duration,
}

/// Whether a batch of this age (by a clock that never goes back) and size is due.
pub fn should_seal(age: Duration, size: usize, policy: &SealPolicy) -> bool {
    size >= policy.max_size as usize || (size > 0 && age >= policy.max_age)
}

/// How old a batch is held to be at a start, from what the wall clock said when it was opened. Between 0 and the age
/// at which it is sealed: a clock that was set back delays the sealing by one period at most, never for ever.
pub fn age_at_start(now: UnixSeconds, opened_at: UnixSeconds, policy: &SealPolicy) -> Duration {
    Duration::from_secs(now.0.saturating_sub(opened_at.0)).min(policy.max_age)
}

/// A batch that takes no more digests, and who waits for its record.
pub struct Job {
    /// The batch. All its entries are on disk.
    pub batch: Arc<OpenBatch>,
    /// Who asked for it.
    pub reply: Option<oneshot::Sender<Result<Option<BatchRecord>, LedgerError>>>,
}

/// Seals batches, one after the other, on a thread of its own: a tree of a million leaves takes a moment.
pub struct Sealer {
    /// Where records go.
    pub store: Arc<Store>,
    /// Where the batches stand until they have one.
    pub shelf: Arc<RwLock<Shelf>>,
    /// Where their trees go.
    pub trees: Arc<Trees>,
    /// Who is told.
    pub events: Sender,
    /// Wakes anchoring.
    pub wake: Arc<Notify>,
    /// Where a failure is reported.
    pub health: Health,
}

impl Sealer {
    /// Works until nobody can send jobs any more.
    pub fn run(self, jobs: mpsc::Receiver<Job>) {
        for Job { batch, reply } in jobs {
            let sealed = self.seal(&batch);
            if let Err(error) = &sealed {
                error!(batch = batch.id.0, %error, "sealing failed; it is tried again at the next start");
                let detail = "sealing a batch failed; see the log, then start the node again".to_owned();
                self.health.set(Part::Store, vec![Reason { problem: "store-failed", issuer: None, detail }]);
            }
            if let Some(reply) = reply {
                // Whoever asked may have gone.
                let _ = reply.send(sealed.map(Some).map_err(|_| LedgerError::Failed));
            }
        }
    }

    fn seal(&self, batch: &OpenBatch) -> Result<BatchRecord, StoreError> {
        let tree = SealedTree::build(&batch.entries).ok_or(StoreError::Damaged { what: "batch without entries" })?;
        let (root, size) = (tree.tree.root(), tree.tree.size());
        let (id, issuer, sealed_at) = (batch.id, batch.issuer, clock::now());
        let record = BatchRecord { id, issuer, root, size, sealed_at, final_at: None, state: BatchState::Sealed };
        self.store.seal(&record, &batch.entries)?; // from here on it is sealed
        self.trees.insert(id, Arc::new(tree));
        write(&self.shelf).remove(issuer, id);
        info!(batch = id.0, %issuer, size, %root, "sealed");
        self.events.announce(&record, sealed_at);
        self.wake.notify_one();
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: SealPolicy = SealPolicy { max_size: 10, max_age: Duration::from_secs(60) };

    #[test]
    fn a_batch_is_sealed_at_a_size_or_an_age() {
        let seconds = Duration::from_secs;
        assert!(!should_seal(seconds(0), 9, &POLICY));
        assert!(should_seal(seconds(0), 10, &POLICY));
        assert!(!should_seal(seconds(59), 1, &POLICY));
        assert!(should_seal(seconds(60), 1, &POLICY));
        assert!(!should_seal(seconds(600), 0, &POLICY), "an empty batch has no root");
    }

    #[test]
    fn a_clock_that_was_set_back_seals_neither_at_once_nor_never() {
        let age = |now, opened| age_at_start(UnixSeconds(now), UnixSeconds(opened), &POLICY);
        assert_eq!(age(1000, 990), Duration::from_secs(10));
        assert_eq!(age(500, 990), Duration::ZERO, "set back: it waits one period from now, no longer");
        assert_eq!(age(u64::MAX, 0), POLICY.max_age, "set forward: due, and no overflow");
        assert!(!should_seal(age(500, 990), 5, &POLICY));
        assert!(should_seal(age(500, 990) + POLICY.max_age, 5, &POLICY));
    }
}
