//! What happens to batches and to changes of status, told to whoever listens while it happens. Nothing is kept: who
//! missed something reads the batches and the changes.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use serde::Serialize;
use testamur_core::{Address, UnixSeconds};
use tokio::sync::broadcast;

use crate::{
    metrics::Metrics,
    store::{BatchId, BatchRecord, BatchState, ChangeId, ChangeRecord, ChangeState},
};

/// Events kept for a listener that is slower than they come.
const BACKLOG: usize = 1024;

/// A batch or a change of status has come to another state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Counts the events since the node's start, from 1.
    pub id: u64,
    /// Which one.
    #[serde(flatten)]
    pub subject: Subject,
    /// Whose it is.
    pub issuer: Address,
    /// Where it is now.
    pub state: Stage,
    /// When the node saw it.
    pub at: UnixSeconds,
}

/// What an event is about: in JSON `"batch": 7` or `"change": 7`. Which credentials a change names is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// A batch.
    Batch(BatchId),
    /// A change of status.
    Change(ChangeId),
}

/// The name of a state, as the API writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Takes digests, or is being sealed.
    Open,
    /// Its root is fixed.
    Sealed,
    /// A signed transaction carries it.
    Prepared,
    /// That transaction was sent.
    Broadcast,
    /// Accepted, and not on chain.
    Pending,
    /// On chain at the newest block.
    Included,
    /// On chain at the finalized block.
    Final,
}

impl Stage {
    /// The name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Sealed => "sealed",
            Self::Prepared => "prepared",
            Self::Broadcast => "broadcast",
            Self::Pending => "pending",
            Self::Included => "included",
            Self::Final => "final",
        }
    }
}

impl From<BatchState> for Stage {
    fn from(state: BatchState) -> Self {
        match state {
            BatchState::Sealed => Self::Sealed,
            BatchState::Prepared { .. } => Self::Prepared,
            BatchState::Broadcast { .. } => Self::Broadcast,
            BatchState::Included { .. } => Self::Included,
            BatchState::Final { .. } => Self::Final,
        }
    }
}

impl From<ChangeState> for Stage {
    fn from(state: ChangeState) -> Self {
        match state {
            ChangeState::Pending => Self::Pending,
            ChangeState::Included { .. } => Self::Included,
            ChangeState::Final { .. } => Self::Final,
        }
    }
}

/// Tells events. Cheap to clone.
#[derive(Clone)]
pub struct Sender {
    channel: broadcast::Sender<Event>,
    last: Arc<AtomicU64>,
    metrics: Arc<Metrics>,
}

impl Default for Sender {
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

impl Sender {
    /// Counts what it tells.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { channel: broadcast::Sender::new(BACKLOG), last: Arc::default(), metrics }
    }

    /// Tells that a batch is in the state of its record, which is on disk.
    pub fn announce(&self, record: &BatchRecord, at: UnixSeconds) {
        let state = Stage::from(record.state);
        self.metrics.came_to(state.name());
        self.tell(Subject::Batch(record.id), record.issuer, state, at);
    }

    /// Tells that a change of status is in the state of its record, which is on disk.
    pub fn announce_change(&self, record: &ChangeRecord, at: UnixSeconds) {
        let state = Stage::from(record.state);
        self.metrics.change_came_to(state.name());
        self.tell(Subject::Change(record.id), record.issuer, state, at);
    }

    fn tell(&self, subject: Subject, issuer: Address, state: Stage, at: UnixSeconds) {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        // It is no fault that nobody listens.
        let _ = self.channel.send(Event { id, subject, issuer, state, at });
    }

    /// Everything announced from now on.
    pub fn listen(&self) -> broadcast::Receiver<Event> {
        self.channel.subscribe()
    }

    /// The number of the last event; 0 where there was none.
    pub fn last(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }
}
