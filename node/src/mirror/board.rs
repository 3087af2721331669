//! What a mirror holds in memory: for each issuer and purpose the newest view, for readers who never wait for the
//! chain.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use testamur_chain::{Error, Finding, StatusView};
use tokio::sync::{self, watch};

use super::{Key, Limits, track::Following, updates::Log};

/// Findings that are kept of one issuer and purpose, the newest.
pub(super) const FINDINGS: usize = 32;

/// What readers see of one issuer and purpose.
#[derive(Clone, Debug)]
pub(super) enum Shown {
    /// Nothing yet.
    Loading,
    /// The newest view. It stays while the chain cannot be seen.
    Known(Arc<StatusView>),
    /// There is no view, because of this. It is tried again.
    Failed(Error),
}

/// One issuer and purpose.
pub(super) struct Track {
    pub key: Key,
    /// Followed always, asked for or not.
    pub pinned: bool,
    pub shown: watch::Sender<Shown>,
    pub told: Mutex<Told>,
    pub log: Mutex<Log>,
    /// Held while the chain is read.
    pub following: Arc<sync::Mutex<Following>>,
    /// Milliseconds from the board's beginning to the last question.
    used: AtomicU64,
}

/// What is wrong with one issuer and purpose.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// Why the last look at it failed.
    pub failed: Option<Error>,
    /// When it ended, well or not.
    pub looked_at: Option<Instant>,
    /// The newest findings.
    pub findings: Vec<Finding>,
}

/// What is in memory, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub followed: usize,
    pub bytes: usize,
}

/// All issuers and purposes in memory.
pub(super) struct Board {
    tracks: RwLock<HashMap<Key, Arc<Track>>>,
    began: Instant,
}

impl Track {
    pub fn told<R>(&self, act: impl FnOnce(&mut Told) -> R) -> R {
        act(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn view(&self) -> Option<Arc<StatusView>> {
        match &*self.shown.borrow() {
            Shown::Known(view) => Some(view.clone()),
            _ => None,
        }
    }

    /// Shows a view.
    pub fn publish(&self, view: StatusView) {
        self.told(|told| (told.failed, told.looked_at) = (None, Some(Instant::now())));
        self.shown.send_replace(Shown::Known(Arc::new(view)));
    }

    /// Shows why there is none, unless there was one before.
    pub fn fail(&self, error: Error) {
        self.told(|told| (told.failed, told.looked_at) = (Some(error.clone()), Some(Instant::now())));
        self.shown.send_if_modified(|shown| {
            let none = !matches!(shown, Shown::Known(_));
            if none {
                *shown = Shown::Failed(error);
            }
            none
        });
    }

    /// Nobody ever wrote it: nothing to follow, and nothing to keep for long.
    pub fn is_unwritten(&self) -> bool {
        self.view().is_some_and(|view| view.head.record.epoch == 0)
    }

    /// The issuer published more than is read here: asking the chain again only takes the same time again.
    pub fn is_too_long(&self) -> bool {
        self.told(|told| matches!(told.failed, Some(Error::TooLong { .. })))
    }

    /// Whether it holds bits that somebody set: what is hard to come by again.
    fn is_worth_keeping(&self) -> bool {
        self.view().is_some_and(|view| view.head.record.epoch > 0)
    }

    /// Whether its answer has stood for long enough, and is to be asked for anew.
    fn is_outlived(&self, limits: &Limits) -> bool {
        let stands = match () {
            () if self.is_unwritten() => limits.unwritten,
            () if self.is_too_long() => limits.idle,
            () => return false,
        };
        self.told(|told| told.looked_at).is_some_and(|at| at.elapsed() > stands)
    }

    fn bytes(&self) -> usize {
        self.view().map_or(0, |view| view.head.tree.footprint()) + size_of::<Self>()
    }
}

impl Told {
    /// Remembers a finding, and forgets the oldest where there are many.
    pub fn add(&mut self, finding: Finding) {
        if self.findings.len() == FINDINGS {
            self.findings.remove(0);
        }
        self.findings.push(finding);
    }
}

impl Board {
    pub fn new() -> Self {
        Self { tracks: RwLock::default(), began: Instant::now() }
    }

    /// One issuer and purpose, which is then held to be in use.
    pub fn find(&self, key: Key) -> Option<Arc<Track>> {
        let track = self.peek(key)?;
        track.used.store(self.now(), Ordering::Relaxed);
        Some(track)
    }

    /// The same, without holding it to be in use.
    pub fn peek(&self, key: Key) -> Option<Arc<Track>> {
        self.tracks.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    /// The same; a new one where there is none.
    pub fn find_or_add(&self, key: Key, pinned: bool) -> Arc<Track> {
        let mut tracks = self.tracks.write().unwrap_or_else(PoisonError::into_inner);
        let track = tracks.entry(key).or_insert_with(|| {
            let (shown, told, following) = (watch::Sender::new(Shown::Loading), Mutex::default(), Arc::default());
            Arc::new(Track { key, pinned, shown, told, log: Mutex::default(), following, used: AtomicU64::new(0) })
        });
        track.used.store(self.now(), Ordering::Relaxed);
        track.clone()
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<Track>> {
        self.tracks.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Drops from memory what nobody asked for lately, what is to be asked anew and, while there is too much, what was
    /// asked for longest ago. Before that goes what holds nothing: to ask for strangers without number drives out no
    /// issuer's bits.
    pub fn tidy(&self, limits: &Limits) -> Held {
        let now = self.now();
        let mut all: Vec<_> = self.all().into_iter().map(|track| (track.used.load(Ordering::Relaxed), track)).collect();
        all.sort_by_cached_key(|(used, track)| (track.is_worth_keeping(), *used, track.key));
        let mut held = Held { followed: all.len(), bytes: all.iter().map(|(_, track)| track.bytes()).sum() };
        let mut gone = Vec::new();
        for (used, track) in all.iter().filter(|(_, track)| !track.pinned) {
            let idle = Duration::from_millis(now - used.min(&now));
            let too_old = track.is_outlived(limits);
            // The last one stays, however large: it would only be loaded again.
            let too_much = held.followed > 1 && (held.bytes > limits.memory_bytes || held.followed > limits.followed);
            if idle > limits.idle || too_old || too_much {
                held.followed -= 1;
                held.bytes -= track.bytes().min(held.bytes);
                gone.push(track.key);
            }
        }
        let mut tracks = self.tracks.write().unwrap_or_else(PoisonError::into_inner);
        gone.iter().for_each(|key| drop(tracks.remove(key)));
        held
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use testamur_chain::TreeAt;
    use testamur_core::{
        Address, BlockNumber, Hash, Purpose, UnixSeconds,
        observation::{BlockRef, StatusRecord},
    };

    use super::*;

    fn view(Key { issuer, purpose }: Key, epoch: u64) -> StatusView {
        let block = BlockRef { number: BlockNumber(9), hash: Hash([9; 32]), time: UnixSeconds(9) };
        let record = StatusRecord { epoch, ..StatusRecord::default() };
        let at = TreeAt { block, record, tree: Default::default(), fault: None };
        StatusView { issuer, purpose, head: at.clone(), settled: at }
    }

    #[test]
    fn who_asks_for_strangers_without_number_drives_out_no_bits() {
        let (board, limits) = (Board::new(), Limits { followed: 2, ..Limits::default() });
        let key = |n| Key { issuer: Address([n; 20]), purpose: Purpose::REVOCATION };
        board.find_or_add(key(0), false).publish(view(key(0), 1));
        for n in 1..10 {
            // Asked for later than the first: never written, or not read.
            let stranger = board.find_or_add(key(n), false);
            if n % 2 == 0 {
                stranger.publish(view(key(n), 0));
            }
        }
        assert_eq!(board.tidy(&limits).followed, 2);
        assert!(board.peek(key(0)).is_some());
    }
}
