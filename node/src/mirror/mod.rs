//! A mirror: the status of issuers, followed on the chain and kept in memory, for whoever asks.
//!
//! It trusts no issuer and needs none: bits count only under the root that the contract states. What it has seen it
//! goes on showing while the chain is out of reach; each view says of which block it is, and its age is the reader's
//! matter.
//!
//! Reading order: [`look`] (two blocks) → `track` (one issuer's status, brought to a look) → `board` (what is in
//! memory) → `rounds` (the loop) → [`store`], [`snapshot`] and [`transfer`] (what is on disk) → [`report`] (what is
//! told) → [`anchors`] and [`updates`] (beside the status) → [`settings`] and [`serve`] (a mirror as a program of its own).

pub mod anchors;
mod board;
pub mod look;
pub mod report;
mod rounds;
pub mod serve;
pub mod settings;
pub mod snapshot;
pub mod store;
mod track;
pub mod transfer;
pub mod updates;

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use testamur_chain::{Error, Finding, Registry, StatusView};
use testamur_core::{Address, ChainId, Purpose};
use tokio::{
    sync::{Notify, Semaphore, watch},
    task::{JoinHandle, spawn_blocking},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

pub use self::report::Report;
use self::{
    anchors::Shelf,
    board::{Board, Shown, Track},
    look::Look,
    store::{Store, StoreError},
};
use crate::health::Reason;

/// What one follower follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Whose status.
    pub issuer: Address,
    /// Which bit.
    pub purpose: Purpose,
}

impl Key {
    /// Issuer ‖ purpose.
    fn bytes(self) -> [u8; 21] {
        let mut bytes = [self.purpose.0; 21];
        bytes[..20].copy_from_slice(&self.issuer.0);
        bytes
    }
}

/// What a mirror must know.
#[derive(Clone, Debug)]
pub struct MirrorConfig {
    /// The contract, and the endpoint that it is read through.
    pub registry: Registry,
    /// The chain that the endpoint must serve.
    pub chain: ChainId,
    /// Its folder. Can be deleted while the mirror does not run: the chain has everything.
    pub folder: PathBuf,
    /// Issuers that are followed always, for revocation and suspension.
    pub issuers: Vec<Address>,
    /// Whether any other issuer is followed when asked for.
    pub open: bool,
    /// Pause between two looks at the chain.
    pub poll: Duration,
    /// What it defends itself with.
    pub limits: Limits,
}

/// What a mirror defends itself with. Issuers that are followed always are beyond all of them.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of trees in memory. Beyond, what was asked for longest ago is dropped, and taken up from disk when asked
    /// for. A single tree that takes more is not read at all.
    pub memory_bytes: usize,
    /// Issuers and purposes in memory.
    pub followed: usize,
    /// Issuers and purposes read for the first time at the same time; who asks for more then waits.
    pub loads: usize,
    /// How long a question waits for a first reading.
    pub patience: Duration,
    /// How long what nobody asks for is followed on.
    pub idle: Duration,
    /// How long the answer counts that nothing was ever written.
    pub unwritten: Duration,
    /// How long a settled root stands that its deltas do not lead to, until everything is read once more: perhaps not
    /// the issuer was wrong but the endpoint. Doubles each time, up to an hour.
    pub doubt: Duration,
    /// Updates on disk of one issuer and purpose, beyond which their bits replace them: a start replays no more.
    pub updates: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 512 << 20,
            followed: 4096,
            loads: 8,
            patience: Duration::from_secs(5),
            idle: Duration::from_secs(900),
            unwritten: Duration::from_secs(10),
            doubt: Duration::from_secs(30),
            updates: 1000,
        }
    }
}

/// Why a status is not known here. None of it says anything about a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotKnown {
    /// The issuer is none of those that are followed.
    #[error("this issuer is not followed here")]
    NotFollowed,
    /// It is being read; try again.
    #[error("this issuer's status is being read from the chain")]
    Loading,
    /// The chain, or the issuer's part of it, cannot be read.
    #[error("the chain cannot be read: {0}")]
    Unseen(Error),
}

/// What is known of one issuer and purpose, faults included.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The newest view, if there is one. Its bits may be faulty ([`testamur_chain::TreeAt::fault`]).
    pub view: Option<Arc<StatusView>>,
    /// Why it could not be brought to the newest look.
    pub failed: Option<Error>,
    /// What was found wrong with updates since the mirror began to follow; the newest 32.
    pub findings: Vec<Finding>,
}

/// The status of issuers. Cheap to clone; all clones are the same mirror.
#[derive(Clone)]
pub struct Mirror(Arc<Inner>);

/// What all parts of a mirror share.
struct Inner {
    registry: Registry,
    chain: ChainId,
    issuers: BTreeSet<Address>,
    open: bool,
    poll: Duration,
    limits: Limits,
    store: Arc<Store>,
    report: Report,
    board: Board,
    anchors: Shelf,
    /// Of first readings.
    loads: Arc<Semaphore>,
    look: watch::Sender<Option<Look>>,
    changes: watch::Sender<u64>,
    wake: Notify,
    /// Why the folder could not be used the last time.
    broken: Mutex<Option<Reason>>,
}

impl Mirror {
    /// Opens the folder and begins to follow, until shutdown. Then the task ends, and the folder is closed with the
    /// last clone.
    pub async fn start(
        config: MirrorConfig,
        report: Report,
        shutdown: CancellationToken,
    ) -> Result<(Self, JoinHandle<()>), StoreError> {
        let MirrorConfig { registry, chain, folder, issuers, open, poll, limits } = config;
        let address = registry.address();
        let opened = spawn_blocking({
            let folder = folder.clone();
            move || Store::open(&folder, chain, address)
        });
        let store = opened.await.map_err(|error| StoreError::task(&folder, error))??;
        let mirror = Self(Arc::new(Inner {
            registry,
            chain,
            issuers: issuers.into_iter().collect(),
            open,
            poll,
            loads: Arc::new(Semaphore::new(limits.loads)),
            limits,
            store: Arc::new(store),
            report,
            board: Board::new(),
            anchors: Shelf::default(),
            look: watch::Sender::new(None),
            changes: watch::Sender::new(0),
            wake: Notify::new(),
            broken: Mutex::default(),
        }));
        for &issuer in &mirror.0.issuers {
            for purpose in [Purpose::REVOCATION, Purpose::SUSPENSION] {
                mirror.0.board.find_or_add(Key { issuer, purpose }, true);
            }
        }
        let task = tokio::spawn(rounds::run(mirror.0.clone(), shutdown));
        Ok((mirror, task))
    }

    /// The newest view, from memory; `None` where there is none yet. Faults of the issuer's are in it.
    pub fn view(&self, issuer: Address, purpose: Purpose) -> Option<Arc<StatusView>> {
        self.0.board.find(Key { issuer, purpose })?.view()
    }

    /// The newest view, for whoever asks: an open mirror reads any issuer when asked for it, and waits for that a few
    /// seconds. Bits count only without a fault ([`testamur_chain::TreeAt::bits`]): an issuer may have published deltas
    /// that do not lead to its root.
    pub async fn wanted(&self, issuer: Address, purpose: Purpose) -> Result<Arc<StatusView>, NotKnown> {
        let (key, deadline) = (Key { issuer, purpose }, Instant::now() + self.0.limits.patience);
        let track = match self.0.board.find(key) {
            Some(track) => track,
            None if !self.follows(issuer) => return Err(NotKnown::NotFollowed),
            None => timeout_at(deadline, self.0.take_on(key)).await.map_err(|_| NotKnown::Loading)?,
        };
        if let Some(view) = track.view() {
            return Ok(view);
        }
        let mut shown = track.shown.subscribe();
        let known = timeout_at(deadline, shown.wait_for(|shown| !matches!(shown, Shown::Loading))).await;
        let known = known.ok().and_then(Result::ok).map_or(Shown::Loading, |shown| shown.clone());
        match known {
            Shown::Loading => Err(NotKnown::Loading),
            Shown::Failed(error) => Err(NotKnown::Unseen(error)),
            Shown::Known(view) => Ok(view),
        }
    }

    /// All that is known of one issuer and purpose, faults included; `None` where it is not in memory.
    pub fn standing(&self, issuer: Address, purpose: Purpose) -> Option<Standing> {
        let track = self.0.board.peek(Key { issuer, purpose })?;
        let (failed, findings) = track.told(|told| (told.failed.clone(), told.findings.clone()));
        Some(Standing { view: track.view(), failed, findings })
    }

    /// Whether an issuer's status can be asked for here.
    pub fn follows(&self, issuer: Address) -> bool {
        self.0.open || self.0.issuers.contains(&issuer)
    }

    /// The settled bits of a view as a snapshot.
    pub fn snapshot(&self, view: &StatusView) -> Result<snapshot::Snapshot, Error> {
        view.settled.bits()?;
        Ok(self.0.snapshot(Key { issuer: view.issuer, purpose: view.purpose }, &view.settled))
    }

    /// The last look at the chain; `None` before the first.
    pub fn look(&self) -> Option<Look> {
        *self.0.look.borrow()
    }

    /// Counts changes of any view: a writer waits for the next one. What matters is the change, not the number.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Looks at the chain now, not at the next poll.
    pub fn refresh(&self) {
        self.0.wake.notify_one();
    }

    /// The contract that is followed.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The chain that is followed.
    pub fn chain(&self) -> ChainId {
        self.0.chain
    }
}

impl Inner {
    /// Begins to follow, once there is a place for a first reading and the chain was looked at.
    async fn take_on(self: &Arc<Self>, key: Key) -> Arc<Track> {
        let place = self.loads.clone().acquire_owned().await.expect("the semaphore is never closed");
        let look = self.looked().await;
        let track = self.board.find_or_add(key, false);
        // Whoever was faster reads it.
        if let Ok(mut following) = track.following.clone().try_lock_owned()
            && following.is_new()
        {
            let (inner, track) = (self.clone(), track.clone());
            tokio::spawn(async move {
                following.advance(&inner, &track, look).await;
                drop(place);
            });
        }
        track
    }

    /// The last look at the chain; waits for the first.
    async fn looked(&self) -> Look {
        let mut looks = self.look.subscribe();
        let look = looks.wait_for(Option::is_some).await.map(|look| *look);
        look.ok().flatten().expect("its sender is in self, and it was waited for")
    }

    fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    fn broken(&self, now: Option<Reason>) {
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}
