//! Taking digests: each gets a status index and a place in an open batch, and is on disk before anybody is told.
//!
//! One thread writes (`writer`). It takes all submissions that wait, commits them together and answers them.
//! A second one seals ([`crate::seal`]). Readers look at the same batches in memory.

mod open;
mod reserved;
mod writer;

use std::{
    io,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    thread::{self, JoinHandle},
    time::Duration,
};

use testamur_core::{Address, Digest, Entry, StatusIndex};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task,
    time::{MissedTickBehavior, interval},
};

use self::writer::{Command, Writer};
pub use self::{
    open::{OpenBatch, Opened, Shelf},
    reserved::{Conflict, ConflictReason},
};
use crate::{
    clock,
    disk::Disk,
    events,
    health::Health,
    metrics::Metrics,
    seal::{SealPolicy, Sealer, age_at_start},
    store::{BatchId, BatchRecord, ChangeRecord, NewChange, Store, StoreError},
    trees::Trees,
};

/// Commands that wait for the writer; who comes then waits outside.
const QUEUE: usize = 1024;
/// Frozen batches that wait to be sealed; the writer then waits, so that memory stays bounded.
const SEALING: usize = 2;

/// Why nothing was taken. None of the request's digests counts, unless they were there before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Too little space on disk. It ends when there is room.
    #[error("too little space on the disk of the data folder")]
    DiskFull,
    /// A write failed; nothing is taken until the node is started again.
    #[error("the store failed; nothing is taken until the node is started again")]
    Failed,
    /// The node is shutting down.
    #[error("the node is shutting down")]
    Stopped,
    /// The issuer has used all 2^40 status indices.
    #[error("the issuer has used all 2^40 status indices")]
    Exhausted,
    /// Entries cannot have the status indices that are reserved for them.
    #[error("{} entries cannot have their status indices", .0.len())]
    Conflicts(Vec<Conflict>),
    /// The idempotency key came with another body before.
    #[error("the idempotency key came with another body before")]
    KeyUsed,
}

impl LedgerError {
    /// The same about entries with `before` others before them.
    pub fn behind(mut self, before: usize) -> Self {
        if let Self::Conflicts(conflicts) = &mut self {
            conflicts.iter_mut().for_each(|conflict| conflict.place += before);
        }
        self
    }
}

/// What became of one submission. All of it is on disk.
#[derive(Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The status index of each digest, in the order of submission.
    pub indices: Vec<StatusIndex>,
    /// How many of them the node had not seen before.
    pub new: u64,
    /// The newest batch among those that hold them.
    pub batch: BatchId,
}

/// Where a digest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a batch without a root.
    Open {
        /// The batch.
        batch: BatchId,
    },
    /// In a sealed batch.
    Sealed {
        /// The batch.
        batch: BatchId,
        /// Its leaf.
        leaf: u32,
    },
}

/// The way to the writer. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    commands: mpsc::Sender<Command>,
    shelf: Arc<RwLock<Shelf>>,
    store: Arc<Store>,
}

/// What the ledger works with.
pub struct Parts {
    /// The store.
    pub store: Arc<Store>,
    /// When batches are sealed.
    pub policy: SealPolicy,
    /// Where trees of sealed batches go.
    pub trees: Arc<Trees>,
    /// Who is told of sealed batches.
    pub events: events::Sender,
    /// Wakes anchoring.
    pub wake: Arc<Notify>,
    /// Where problems are reported.
    pub health: Health,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The free space.
    pub disk: Arc<Disk>,
}

/// The ledger's threads.
pub struct Threads {
    writer: JoinHandle<()>,
    sealer: JoinHandle<()>,
}

/// Why the ledger did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Open batches could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
}

impl Ledger {
    /// Reads the open batches, starts the threads, and goes on where the last process ended. Needs a tokio runtime.
    pub fn start(parts: Parts) -> Result<(Self, Threads), StartError> {
        let shelf = Arc::new(RwLock::new(Shelf::default()));
        let (commands, receiver) = mpsc::channel(QUEUE);
        let (jobs, waiting) = std::sync::mpsc::sync_channel(SEALING);
        let ledger = Self { commands, shelf: shelf.clone(), store: parts.store.clone() };
        let left_over = restore(&parts.store, &mut write(&shelf), &parts.policy)?;
        let sealer = Sealer {
            store: parts.store.clone(),
            shelf: shelf.clone(),
            trees: parts.trees,
            events: parts.events,
            wake: parts.wake,
            health: parts.health.clone(),
        };
        let sealer = thread::Builder::new().name("sealer".to_owned()).spawn(move || sealer.run(waiting))?;
        let writer = Writer::new(parts.store, shelf, parts.policy, jobs, parts.disk, parts.health, parts.metrics);
        let writer = thread::Builder::new().name("writer".to_owned()).spawn(move || {
            let mut writer = writer;
            left_over.into_iter().for_each(|batch| writer.seal(batch, None));
            writer.run(receiver);
        })?;
        ledger.start_clock(parts.policy.max_age);
        Ok((ledger, Threads { writer, sealer }))
    }

    /// Submits digests for an issuer. They are on disk when this returns.
    ///
    /// A digest that the issuer submitted before keeps its status index.
    pub async fn submit(&self, issuer: Address, digests: Vec<Digest>) -> Result<Accepted, LedgerError> {
        self.ask(|reply| Command::Submit { issuer, digests, reserved: None, reply }).await
    }

    /// Submits digests with status indices that were reserved for the issuer: all, or none.
    ///
    /// A digest that was submitted before must have its index already.
    pub async fn submit_entries(&self, issuer: Address, entries: &[Entry]) -> Result<Accepted, LedgerError> {
        let (digests, indices) = entries.iter().map(|entry| (entry.digest, entry.status_index)).unzip();
        self.ask(|reply| Command::Submit { issuer, digests, reserved: Some(indices), reply }).await
    }

    /// Reserves status indices for an issuer. On disk when this returns; they are given to nothing else.
    pub async fn reserve(&self, issuer: Address, count: u32) -> Result<Vec<StatusIndex>, LedgerError> {
        self.ask(|reply| Command::Reserve { issuer, count, reply }).await
    }

    /// Keeps a change of status. It is on disk when this returns. Under an idempotency key that was used before, with
    /// the same body, nothing is kept, and the change of then is told.
    pub async fn accept_change(&self, new: NewChange) -> Result<ChangeRecord, LedgerError> {
        self.ask(|reply| Command::Change { new: Box::new(new), reply }).await
    }

    /// Seals an issuer's open batch now; none where nothing is open.
    pub async fn seal(&self, issuer: Address) -> Result<Option<BatchRecord>, LedgerError> {
        self.ask(|reply| Command::Seal { issuer, reply }).await
    }

    /// Where an issuer's digest is.
    pub fn find(&self, issuer: Address, digest: Digest) -> Result<Option<Place>, StoreError> {
        // Memory first: a batch leaves it only after it has come into the index.
        if let Some((batch, _)) = read(&self.shelf).find(issuer, digest) {
            return Ok(Some(Place::Open { batch: batch.id }));
        }
        let place = self.store.locate(issuer, digest)?;
        Ok(place.map(|(batch, leaf)| Place::Sealed { batch, leaf }))
    }

    /// The status index of an issuer's digest.
    pub fn status_index(&self, issuer: Address, digest: Digest) -> Result<Option<StatusIndex>, StoreError> {
        // Memory first, as above.
        if let Some((batch, leaf)) = read(&self.shelf).find(issuer, digest) {
            return Ok(Some(batch.entries[leaf as usize].status_index));
        }
        Ok(self.store.find(issuer, digest)?.map(|(_, index)| index))
    }

    /// Which entries cannot be submitted with the reserved status indices that they name.
    pub fn conflicts(&self, issuer: Address, entries: &[Entry]) -> Result<Vec<Conflict>, StoreError> {
        let index_of = |digest| self.status_index(issuer, digest);
        reserved::conflicts(entries, index_of, |index| self.store.is_reserved(issuer, index))
    }

    /// An issuer's batches without a record, newest first: number and committed entries.
    pub fn unsealed(&self, issuer: Address) -> Vec<(BatchId, u64)> {
        let shelf = read(&self.shelf);
        let sealing = shelf.sealing(issuer).iter().rev().map(|batch| &**batch);
        shelf.open(issuer).into_iter().chain(sealing).map(|batch| (batch.id, batch.committed as u64)).collect()
    }

    /// Stops taking digests. What was taken before is answered.
    pub async fn stop(&self) {
        // Where it stopped already, there is nothing to do.
        let _ = self.commands.send(Command::Stop).await;
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, LedgerError>>) -> Command,
    ) -> Result<T, LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| LedgerError::Stopped)?;
        answer.await.unwrap_or(Err(LedgerError::Stopped))
    }

    /// Asks the writer often enough whether a batch is due.
    fn start_clock(&self, max_age: Duration) {
        let commands = self.commands.downgrade();
        let mut ticks = interval((max_age / 8).clamp(Duration::from_millis(20), Duration::from_secs(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        task::spawn(async move {
            loop {
                ticks.tick().await;
                let Some(commands) = commands.upgrade() else { break };
                if commands.send(Command::Tick).await.is_err() {
                    break;
                }
            }
        });
    }
}

impl Threads {
    /// Waits until all that was taken is committed and sealing has ended. Blocks; call [`Ledger::stop`] before.
    pub fn join(self) {
        for thread in [self.writer, self.sealer] {
            if thread.join().is_err() {
                tracing::error!("a ledger thread panicked");
            }
        }
    }
}

/// Brings the batches without a record back to memory. The newest of an issuer goes on taking digests; a restart caught
/// the others while they were being sealed, and they are given back to be.
fn restore(store: &Store, shelf: &mut Shelf, policy: &SealPolicy) -> Result<Vec<Arc<OpenBatch>>, StoreError> {
    let mut left_over = Vec::new();
    for record in store.open_batches()? {
        left_over.extend(shelf.freeze(record.issuer));
        let opened = Opened::ago(age_at_start(clock::now(), record.opened_at, policy));
        let batch = OpenBatch::new(record.id, record.issuer, record.opened_at, opened);
        *shelf.open_mut(record.issuer) = Some(batch.restore(&store.entries(record.id)?));
    }
    Ok(left_over)
}

/// The lock's content. A panic while it was held ends the process's writing anyway.
pub(crate) fn read(shelf: &RwLock<Shelf>) -> RwLockReadGuard<'_, Shelf> {
    shelf.read().unwrap_or_else(PoisonError::into_inner)
}

/// Likewise.
pub(crate) fn write(shelf: &RwLock<Shelf>) -> RwLockWriteGuard<'_, Shelf> {
    shelf.write().unwrap_or_else(PoisonError::into_inner)
}
