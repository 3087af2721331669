//! Submissions: each digest gets its status index and a place, in memory.

use std::sync::Arc;

use testamur_core::{Address, Digest, Entry, StatusIndex};

use super::{
    super::{Accepted, LedgerError, OpenBatch, Opened, read, reserved::conflicts, write},
    Writer,
};
use crate::{
    clock,
    store::{BatchId, Store, StoreError},
};

impl Writer {
    /// Gives each digest its status index, in memory. Nobody is told before the commit.
    pub(super) fn take(
        &mut self,
        issuer: Address,
        digests: &[Digest],
        reserved: Option<&[StatusIndex]>,
    ) -> Result<Accepted, LedgerError> {
        self.require_room()?;
        if let Some(reserved) = reserved {
            self.require_no_conflicts(issuer, digests, reserved)?;
        }
        let mut accepted = Accepted { indices: Vec::with_capacity(digests.len()), new: 0, batch: BatchId(0) };
        let mut done = 0;
        while done < digests.len() {
            // Not more than a batch holds: what a full one takes out of the open, the next round must find there.
            let part = &digests[done..digests.len().min(done + self.policy.max_size as usize)];
            let sealed = self.find_sealed(issuer, part).map_err(|error| self.fail(&error))?;
            let reserved = reserved.map(|reserved| &reserved[done..]);
            done += self.fill(issuer, part, reserved, &sealed, &mut accepted)?;
            if read(&self.shelf).open(issuer).is_some_and(|b| b.entries.len() >= self.policy.max_size as usize) {
                self.commit();
                self.freeze(issuer, None);
            }
            if self.failed {
                return Err(LedgerError::Failed);
            }
        }
        Ok(accepted)
    }

    /// Refuses entries of which one cannot have the status index that is reserved for it.
    fn require_no_conflicts(
        &mut self,
        issuer: Address,
        digests: &[Digest],
        reserved: &[StatusIndex],
    ) -> Result<(), LedgerError> {
        let pairs = digests.iter().zip(reserved);
        let entries: Vec<_> = pairs.map(|(digest, index)| Entry { digest: *digest, status_index: *index }).collect();
        let sealing = read(&self.shelf).sealing(issuer).to_vec();
        let index_of = |digest| match read(&self.shelf).open(issuer).and_then(|batch| batch.status_index(digest)) {
            Some(index) => Ok(Some(index)),
            None => Ok(find_closed(&self.store, &sealing, issuer, digest)?.map(|(_, index)| index)),
        };
        let used = self.used.get(&issuer);
        let is_free =
            |index| Ok(!used.is_some_and(|used| used.contains(&index)) && self.store.is_reserved(issuer, index)?);
        let found = conflicts(&entries, index_of, is_free).map_err(|error| self.fail(&error))?;
        if found.is_empty() { Ok(()) } else { Err(LedgerError::Conflicts(found)) }
    }

    /// Where digests are that stand in batches which take no more.
    fn find_sealed(
        &self,
        issuer: Address,
        digests: &[Digest],
    ) -> Result<Vec<Option<(BatchId, StatusIndex)>>, StoreError> {
        let sealing = read(&self.shelf).sealing(issuer).to_vec();
        digests.iter().map(|digest| find_closed(&self.store, &sealing, issuer, *digest)).collect()
    }

    /// Puts digests into the open batch until it is full; how many. `sealed` says which are elsewhere already.
    fn fill(
        &mut self,
        issuer: Address,
        digests: &[Digest],
        reserved: Option<&[StatusIndex]>,
        sealed: &[Option<(BatchId, StatusIndex)>],
        accepted: &mut Accepted,
    ) -> Result<usize, LedgerError> {
        self.sequence(issuer)?;
        let sequence = self.sequences.get_mut(&issuer).expect("loaded above");
        if !self.touched.contains(&issuer) {
            self.touched.push(issuer);
        }
        let mut shelf = write(&self.shelf);
        let open = shelf.open_mut(issuer);
        for (done, (digest, sealed)) in digests.iter().zip(sealed).enumerate() {
            let (batch, index) = match *sealed {
                Some(found) => found,
                None => {
                    let open = open.get_or_insert_with(|| new_batch(&self.store, issuer));
                    if open.entries.len() >= self.policy.max_size as usize {
                        return Ok(done);
                    }
                    let next = || match reserved {
                        Some(reserved) => Some(reserved[done]),
                        None => self.permutations.index(issuer, sequence.next),
                    };
                    let (index, new) = open.find_or_insert(*digest, next).ok_or(LedgerError::Exhausted)?;
                    if new && reserved.is_some() {
                        self.used.entry(issuer).or_default().insert(index);
                    } else if new {
                        sequence.next += 1;
                    }
                    accepted.new += u64::from(new);
                    self.uncommitted += usize::from(new);
                    (open.id, index)
                }
            };
            accepted.indices.push(index);
            accepted.batch = accepted.batch.max(batch);
        }
        Ok(digests.len())
    }
}

/// Where a digest is that stands in a batch which takes no more.
fn find_closed(
    store: &Store,
    sealing: &[Arc<OpenBatch>],
    issuer: Address,
    digest: Digest,
) -> Result<Option<(BatchId, StatusIndex)>, StoreError> {
    // Memory first: a batch leaves it only after it has come into the index.
    for batch in sealing {
        if let Some(leaf) = batch.find(digest) {
            return Ok(Some((batch.id, batch.entries[leaf as usize].status_index)));
        }
    }
    store.find(issuer, digest)
}

fn new_batch(store: &Store, issuer: Address) -> OpenBatch {
    OpenBatch::new(store.next_batch_id(), issuer, clock::now(), Opened::now())
}
