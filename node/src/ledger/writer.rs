//! The one thread that gives status indices and commits entries.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock, mpsc::SyncSender},
    time::Instant,
};

use testamur_core::{Address, Digest, StatusIndex};
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use super::{Accepted, LedgerError, OpenBatch, Opened, Shelf, read, write};
use crate::{
    clock,
    disk::Disk,
    health::{Health, Part, Reason},
    metrics::Metrics,
    permutation::Permutations,
    seal::{Job, SealPolicy, should_seal},
    store::{Append, BatchId, BatchRecord, Store, StoreError},
};

/// Commands that are taken at once.
const GROUP: usize = 1024;
/// Digests after which a group is committed although more wait: bounds the time until the first answer.
const GROUP_DIGESTS: usize = 1 << 16;

type Reply<T> = oneshot::Sender<Result<T, LedgerError>>;

/// What the writer is asked.
pub enum Command {
    /// To take digests.
    Submit {
        /// Whose they are.
        issuer: Address,
        /// In any number.
        digests: Vec<Digest>,
        /// Answered after the commit.
        reply: Reply<Accepted>,
    },
    /// To seal an issuer's open batch now.
    Seal {
        /// Whose.
        issuer: Address,
        /// Answered when it has a record.
        reply: Reply<Option<BatchRecord>>,
    },
    /// To seal what is due.
    Tick,
    /// To end.
    Stop,
}

/// The writer's own state.
pub struct Writer {
    store: Arc<Store>,
    shelf: Arc<RwLock<Shelf>>,
    policy: SealPolicy,
    jobs: SyncSender<Job>,
    disk: Arc<Disk>,
    health: Health,
    metrics: Arc<Metrics>,
    permutations: Permutations,
    /// Status indices given so far, by issuer.
    sequences: HashMap<Address, u64>,
    /// Issuers whose open batch has entries that are not committed.
    touched: Vec<Address>,
    /// Entries that are not committed.
    uncommitted: usize,
    /// Answers that wait for the commit.
    answers: Vec<(Reply<Accepted>, Accepted)>,
    /// After a failed commit nobody knows what is on disk: nothing is taken any more.
    failed: bool,
}

impl Writer {
    pub fn new(
        store: Arc<Store>,
        shelf: Arc<RwLock<Shelf>>,
        policy: SealPolicy,
        jobs: SyncSender<Job>,
        disk: Arc<Disk>,
        health: Health,
        metrics: Arc<Metrics>,
    ) -> Self {
        let permutations = Permutations::new(*store.secret());
        let (sequences, touched, answers) = (HashMap::new(), Vec::new(), Vec::new());
        let (uncommitted, failed) = (0, false);
        Self {
            store,
            shelf,
            policy,
            jobs,
            disk,
            health,
            metrics,
            permutations,
            sequences,
            touched,
            uncommitted,
            answers,
            failed,
        }
    }

    /// Works until it is told to stop, or nobody can ask any more.
    pub fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut waiting = Vec::with_capacity(GROUP);
        while commands.blocking_recv_many(&mut waiting, GROUP) > 0 {
            for command in waiting.drain(..) {
                match command {
                    Command::Submit { issuer, digests, reply } => self.submit(issuer, &digests, reply),
                    Command::Seal { issuer, reply } => self.seal_now(issuer, reply),
                    Command::Tick => self.seal_due(),
                    // What still waits behind it is dropped, which its senders see.
                    Command::Stop => return self.commit(),
                }
            }
            self.commit();
        }
    }

    fn submit(&mut self, issuer: Address, digests: &[Digest], reply: Reply<Accepted>) {
        match self.take(issuer, digests) {
            Ok(accepted) => self.answers.push((reply, accepted)),
            Err(refused) => drop(reply.send(Err(refused))),
        }
        if self.uncommitted >= GROUP_DIGESTS {
            self.commit();
        }
    }

    /// Gives each digest its status index, in memory. Nobody is told before the commit.
    fn take(&mut self, issuer: Address, digests: &[Digest]) -> Result<Accepted, LedgerError> {
        if self.failed {
            return Err(LedgerError::Failed);
        }
        if !self.disk.has_room() {
            return Err(LedgerError::DiskFull);
        }
        let mut accepted = Accepted { indices: Vec::with_capacity(digests.len()), new: 0, batch: BatchId(0) };
        let mut rest = digests;
        while !rest.is_empty() {
            // Not more than a batch holds: what a full one takes out of the open, the next round must find there.
            let part = &rest[..rest.len().min(self.policy.max_size as usize)];
            let sealed = self.find_sealed(issuer, part).map_err(|error| self.fail(&error))?;
            rest = &rest[self.fill(issuer, part, &sealed, &mut accepted)?..];
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

    /// Where digests are that stand in batches which take no more.
    fn find_sealed(
        &self,
        issuer: Address,
        digests: &[Digest],
    ) -> Result<Vec<Option<(BatchId, StatusIndex)>>, StoreError> {
        // Memory first: a batch leaves it only after it has come into the index.
        let sealing = read(&self.shelf).sealing(issuer).to_vec();
        let find = |digest: &Digest| {
            for batch in &sealing {
                if let Some(leaf) = batch.find(*digest) {
                    return Ok(Some((batch.id, batch.entries[leaf as usize].status_index)));
                }
            }
            let Some((batch, leaf)) = self.store.locate(issuer, *digest)? else { return Ok(None) };
            let entry = self.store.entry(batch, leaf)?.filter(|entry| entry.digest == *digest);
            Ok(Some((batch, entry.ok_or(StoreError::Damaged { what: "index entry" })?.status_index)))
        };
        digests.iter().map(find).collect()
    }

    /// Puts digests into the open batch until it is full; how many. `sealed` says which are elsewhere already.
    fn fill(
        &mut self,
        issuer: Address,
        digests: &[Digest],
        sealed: &[Option<(BatchId, StatusIndex)>],
        accepted: &mut Accepted,
    ) -> Result<usize, LedgerError> {
        let sequence = match self.sequences.get_mut(&issuer) {
            Some(sequence) => sequence,
            None => {
                let given = self.store.sequence(issuer).map_err(|error| self.fail(&error))?;
                self.sequences.entry(issuer).or_insert(given)
            }
        };
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
                    let next = || self.permutations.index(issuer, *sequence);
                    let (index, new) = open.find_or_insert(*digest, next).ok_or(LedgerError::Exhausted)?;
                    if new {
                        *sequence += 1;
                        accepted.new += 1;
                        self.uncommitted += 1;
                    }
                    (open.id, index)
                }
            };
            accepted.indices.push(index);
            accepted.batch = accepted.batch.max(batch);
        }
        Ok(digests.len())
    }

    /// Writes what was taken since the last commit, then answers.
    fn commit(&mut self) {
        let started = Instant::now();
        let written = if self.failed { Ok(()) } else { self.write() };
        match written {
            Ok(()) => self.mark_committed(),
            Err(error) => drop(self.fail(&error)),
        }
        if self.uncommitted > 0 {
            self.metrics.committed(self.uncommitted, started.elapsed());
        }
        self.uncommitted = 0;
        self.touched.clear();
        for (reply, accepted) in self.answers.drain(..) {
            // Whoever asked may have gone; its digests count all the same.
            let _ = reply.send(if self.failed { Err(LedgerError::Failed) } else { Ok(accepted) });
        }
    }

    fn write(&self) -> Result<(), StoreError> {
        let shelf = read(&self.shelf);
        let appends: Vec<_> = self.touched.iter().filter_map(|issuer| self.append(shelf.open(*issuer)?)).collect();
        if appends.is_empty() { Ok(()) } else { self.store.append(&appends) } // the one commit point of submissions
    }

    fn append<'a>(&self, batch: &'a OpenBatch) -> Option<Append<'a>> {
        let entries = batch.entries.get(batch.committed..).filter(|entries| !entries.is_empty())?;
        Some(Append {
            batch: batch.id,
            issuer: batch.issuer,
            opened_at: batch.opened_at,
            first_leaf: u32::try_from(batch.committed).expect("a batch has fewer than 2^32 entries"),
            entries,
            sequence: self.sequences.get(&batch.issuer).copied().unwrap_or(0),
        })
    }

    fn mark_committed(&self) {
        let mut shelf = write(&self.shelf);
        for issuer in &self.touched {
            if let Some(batch) = shelf.open_mut(*issuer) {
                batch.committed = batch.entries.len();
            }
        }
    }

    fn seal_now(&mut self, issuer: Address, reply: Reply<Option<BatchRecord>>) {
        self.commit();
        if self.failed {
            drop(reply.send(Err(LedgerError::Failed)));
        } else if read(&self.shelf).open(issuer).is_none_or(|batch| batch.committed == 0) {
            drop(reply.send(Ok(None)));
        } else {
            self.freeze(issuer, Some(reply));
        }
    }

    fn seal_due(&mut self) {
        self.commit();
        let due = |batch: &&OpenBatch| should_seal(batch.opened.age(), batch.committed, &self.policy);
        let due: Vec<_> = read(&self.shelf).all_open().filter(due).map(|batch| batch.issuer).collect();
        due.into_iter().for_each(|issuer| self.freeze(issuer, None));
    }

    /// Gives an issuer's open batch, which is committed, to the sealer.
    fn freeze(&mut self, issuer: Address, reply: Option<Reply<Option<BatchRecord>>>) {
        if self.failed {
            return;
        }
        let frozen = write(&self.shelf).freeze(issuer);
        if let Some(batch) = frozen {
            self.seal(batch, reply);
        }
    }

    /// Gives a batch to the sealer.
    pub fn seal(&mut self, batch: Arc<OpenBatch>, reply: Option<Reply<Option<BatchRecord>>>) {
        if self.jobs.send(Job { batch, reply }).is_err() {
            self.report("the sealer ended");
        }
    }

    fn fail(&mut self, error: &StoreError) -> LedgerError {
        error!(%error, "a write failed; nothing is taken until the node is started again");
        self.report("a write failed");
        LedgerError::Failed
    }

    fn report(&mut self, what: &str) {
        self.failed = true;
        let detail = format!("{what}; see the log, then start the node again");
        self.health.set(Part::Store, vec![Reason { problem: "store-failed", issuer: None, detail }]);
    }
}

fn new_batch(store: &Store, issuer: Address) -> OpenBatch {
    OpenBatch::new(store.next_batch_id(), issuer, clock::now(), Opened::now())
}
