//! The one thread that gives status indices and commits entries.

mod alone;
mod take;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, RwLock, mpsc::SyncSender},
    time::Instant,
};

use testamur_core::{Address, Digest, StatusIndex};
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use super::{Accepted, LedgerError, OpenBatch, Shelf, read, write};
use crate::{
    disk::Disk,
    health::{Health, Part, Reason},
    metrics::Metrics,
    permutation::{Permutations, first_position},
    seal::{Job, SealPolicy, should_seal},
    store::{Append, BatchRecord, ChangeRecord, NewChange, Sequence, Store, StoreError},
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
        /// The reserved status index of each; none: new ones are given.
        reserved: Option<Vec<StatusIndex>>,
        /// Answered after the commit.
        reply: Reply<Accepted>,
    },
    /// To reserve status indices.
    Reserve {
        /// For whom.
        issuer: Address,
        /// How many.
        count: u32,
        /// Answered after the commit.
        reply: Reply<Vec<StatusIndex>>,
    },
    /// To keep a change of status.
    Change {
        /// Which.
        new: Box<NewChange>,
        /// Answered after the commit.
        reply: Reply<ChangeRecord>,
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
    sequences: HashMap<Address, Sequence>,
    /// Reserved status indices that uncommitted entries use up.
    used: HashMap<Address, HashSet<StatusIndex>>,
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
        let (sequences, used, touched, answers) = (HashMap::new(), HashMap::new(), Vec::new(), Vec::new());
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
            used,
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
                    Command::Submit { issuer, digests, reserved, reply } => {
                        self.submit(issuer, &digests, reserved.as_deref(), reply);
                    }
                    Command::Reserve { issuer, count, reply } => drop(reply.send(self.reserve(issuer, count))),
                    Command::Change { new, reply } => drop(reply.send(self.accept_change(&new))),
                    Command::Seal { issuer, reply } => self.seal_now(issuer, reply),
                    Command::Tick => self.seal_due(),
                    // What still waits behind it is dropped, which its senders see.
                    Command::Stop => return self.commit(),
                }
            }
            self.commit();
        }
    }

    fn submit(
        &mut self,
        issuer: Address,
        digests: &[Digest],
        reserved: Option<&[StatusIndex]>,
        reply: Reply<Accepted>,
    ) {
        match self.take(issuer, digests, reserved) {
            Ok(accepted) => self.answers.push((reply, accepted)),
            Err(refused) => drop(reply.send(Err(refused))),
        }
        if self.uncommitted >= GROUP_DIGESTS {
            self.commit();
        }
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
        self.used.clear();
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
            used: self.used.get(&batch.issuer).into_iter().flatten().copied().collect(),
            sequence: *self.sequences.get(&batch.issuer).expect("loaded before the issuer is touched"),
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

    /// Refuses while nothing can be taken.
    fn require_room(&self) -> Result<(), LedgerError> {
        match (self.failed, self.disk.has_room()) {
            (true, _) => Err(LedgerError::Failed),
            (false, false) => Err(LedgerError::DiskFull),
            (false, true) => Ok(()),
        }
    }

    /// Status indices given to an issuer so far, to be counted on.
    fn sequence(&mut self, issuer: Address) -> Result<Sequence, LedgerError> {
        if let Some(sequence) = self.sequences.get(&issuer) {
            return Ok(*sequence);
        }
        let stored = self.store.sequence(issuer).map_err(|error| self.fail(&error))?;
        let first = first_position(rand::random());
        Ok(*self.sequences.entry(issuer).or_insert(stored.unwrap_or(Sequence { first, next: first })))
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
