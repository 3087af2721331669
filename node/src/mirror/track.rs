//! One issuer and purpose: taken up from disk, brought to a look at the chain, and put on disk once settled.
//!
//! What is on disk leads to a root that the chain confirmed. Still it is on trial after a start: where it leads
//! elsewhere now, it is thrown away before anything is said of the issuer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use testamur_chain::{
    Advance, Base, Error, Follower, StatusView, TreeAt,
    history::{Event, StatusUpdate},
};
use testamur_core::{BlockNumber, observation::StatusRecord};
use tokio::task::spawn_blocking;

use super::{
    Inner, Key,
    board::{FINDINGS, Track},
    look::Look,
    report,
    snapshot::{Snapshot, Subject},
    store::{Kept, Store, StoreError},
};

/// Bytes of deltas after the base beyond which a new base is made, however few they are.
const REBASE_BYTES: usize = 4 << 20;
/// The longest that a wrong root stands before everything is read once more.
const LONGEST_DOUBT: Duration = Duration::from_secs(3600);

/// How far one issuer and purpose is followed.
#[derive(Default)]
pub(super) struct Following {
    /// None: nothing was read yet, not even from disk.
    follower: Option<Follower>,
    /// What was on disk was taken up, and the chain has not confirmed it yet. The block of its base.
    on_trial: Option<BlockNumber>,
    /// Applied, not on disk yet.
    ahead: Vec<Event<StatusUpdate>>,
    /// On disk after the base: updates and their bytes.
    kept: (usize, usize),
    /// Findings up to this epoch were told.
    told: u64,
    doubt: Option<Doubt>,
}

/// When to read everything once more, and how long to wait after that.
struct Doubt {
    at: Instant,
    then: Duration,
}

impl Following {
    /// Whether nothing was read yet: the first time may take long.
    pub fn is_new(&self) -> bool {
        self.follower.is_none()
    }

    /// Brings a track to a look, and shows how it went.
    pub async fn advance(&mut self, inner: &Inner, track: &Track, look: Look) {
        match self.bring(inner, track, look).await {
            Ok(view) => {
                self.keep(inner, track.key, &view).await;
                track.publish(view);
                inner.changed();
            }
            Err(error) => {
                tracing::debug!(issuer = %track.key.issuer, purpose = %track.key.purpose, %error, "not read");
                track.fail(error);
            }
        }
    }

    /// The view at a look. What was kept or settled gets one chance; nothing is the other.
    async fn bring(&mut self, inner: &Inner, track: &Track, look: Look) -> Result<StatusView, Error> {
        if self.follower.is_none() {
            self.take_up(inner, track).await;
        }
        let follower = self.follower.get_or_insert_with(|| new_follower(inner, track));
        let had = follower.base().epoch > 0;
        let advanced = follower.advance(&inner.registry, look.head, look.settled).await;
        let view = follower.view();
        let refuted = if had { self.refuted(&advanced, view.as_ref(), look) } else { None };
        if let Some(reason) = refuted {
            tracing::warn!(issuer = %track.key.issuer, purpose = %track.key.purpose, %reason,
                "what was kept is thrown away and read from the chain anew");
            return self.bring_anew(inner, track, look).await;
        }
        let view = self.take_in(inner, track, advanced?, view)?;
        if self.in_doubt(&view, inner.limits.doubt) { self.bring_anew(inner, track, look).await } else { Ok(view) }
    }

    /// The view at a look, from nothing.
    async fn bring_anew(&mut self, inner: &Inner, track: &Track, look: Look) -> Result<StatusView, Error> {
        let mut follower = new_follower(inner, track);
        let advanced = follower.advance(&inner.registry, look.head, look.settled).await;
        let (view, told, doubt) = (follower.view(), self.told, self.doubt.take());
        track.log(|log| log.forget_from(0));
        *self = Self { follower: Some(follower), told, doubt, ..Self::default() };
        on_disk(inner, {
            let key = track.key;
            move |store| store.forget(key)
        })
        .await;
        self.take_in(inner, track, advanced?, view)
    }

    /// Goes on from what is on disk, if there is anything.
    async fn take_up(&mut self, inner: &Inner, track: &Track) {
        let key = track.key;
        let kept = on_disk(inner, move |store| store.load(key)).await.unwrap_or_default();
        let Kept { base, updates } = kept;
        if base.is_none() && updates.is_empty() {
            return;
        }
        self.on_trial = Some(base.as_ref().map_or(BlockNumber(0), |base| base.of.block));
        self.kept = (updates.len(), updates.iter().map(|update| update.what.delta.len()).sum());
        let base = base.map_or_else(nothing, |Snapshot { of: Subject { epoch, root, block, .. }, tree }| Base {
            epoch,
            root,
            block,
            tree,
        });
        self.told = updates.last().map_or(base.epoch, |update| update.what.epoch);
        track.log(|log| log.extend(&updates, track.pinned));
        let follower = match updates.is_empty() {
            // Perhaps it was imported.
            true => Follower::from_base(key.issuer, key.purpose, base),
            false => Follower::resume(key.issuer, key.purpose, base, &updates),
        };
        self.follower = Some(follower.bounded(bound(inner, track)));
    }

    fn take_in(
        &mut self,
        inner: &Inner,
        track: &Track,
        advance: Advance,
        view: Option<StatusView>,
    ) -> Result<StatusView, Error> {
        self.on_trial = None;
        let Advance { undone, applied, findings } = advance;
        inner.report.measures.moved(applied.len(), undone.len());
        if let Some(first) = undone.first() {
            self.ahead.retain(|update| update.what.epoch < *first);
            self.told = self.told.min(first - 1);
            track.log(|log| log.forget_from(*first));
            track.told(|told| told.findings.retain(|finding| finding.epoch() < *first));
        }
        let new: Vec<_> = findings.into_iter().filter(|finding| finding.epoch() > self.told).collect();
        // A whole history of wrong updates fills no log.
        let older = new.len().saturating_sub(FINDINGS);
        if older > 0 {
            tracing::error!(issuer = %track.key.issuer, purpose = %track.key.purpose, older, "more findings than are told");
        }
        for finding in new.into_iter().skip(older) {
            inner.report.found(track.key, &finding);
            track.told(|told| told.add(finding));
        }
        self.told = applied.last().map_or(self.told, |update| self.told.max(update.what.epoch));
        track.log(|log| log.extend(&applied, track.pinned));
        self.ahead.extend(applied);
        view.ok_or(Error::Unusable { detail: "a look without a view".to_owned() })
    }

    /// Why what was kept or settled is not what the chain has; none: it is, or that could not be told.
    fn refuted(&self, advanced: &Result<Advance, Error>, view: Option<&StatusView>, look: Look) -> Option<String> {
        match (advanced, self.on_trial) {
            (Err(error @ (Error::Contradicted { .. } | Error::StatusRoot { .. })), _) => Some(error.to_string()),
            // A snapshot of an update after the settled block can wait for it; one from the future cannot.
            (Err(error @ Error::Behind { .. }), Some(taken)) => {
                let waits = look.settled.number < taken && taken <= look.head.number;
                (!waits).then(|| error.to_string())
            }
            (Ok(_), Some(_)) => {
                let faults = view.into_iter().flat_map(|view| [&view.settled.fault, &view.head.fault]);
                faults.flatten().next().map(Error::to_string)
            }
            _ => None,
        }
    }

    /// Whether a wrong root at the settled block has stood long enough to read everything once more.
    fn in_doubt(&mut self, view: &StatusView, first: Duration) -> bool {
        if view.settled.fault.is_none() {
            self.doubt = None;
            return false;
        }
        let now = Instant::now();
        let doubt = self.doubt.get_or_insert(Doubt { at: now + first, then: first });
        if now < doubt.at {
            return false;
        }
        doubt.then = (doubt.then * 2).min(LONGEST_DOUBT);
        doubt.at = now + doubt.then;
        true
    }

    /// Puts on disk what is settled, and now and then a new base. While the settled root is wrong nothing is kept: the
    /// fault may be the endpoint's.
    async fn keep(&mut self, inner: &Inner, key: Key, view: &StatusView) {
        let settled = &view.settled;
        let ripe = self.ahead.iter().take_while(|update| update.what.epoch <= settled.record.epoch).count();
        if settled.fault.is_some() || ripe == 0 {
            return;
        }
        let updates: Vec<_> = self.ahead.drain(..ripe).collect();
        self.kept.0 += updates.len();
        self.kept.1 += updates.iter().map(|update| update.what.delta.len()).sum::<usize>();
        let rebase = self.kept.0 > inner.limits.updates || self.kept.1 > REBASE_BYTES;
        let base = rebase.then(|| inner.snapshot(key, settled));
        if rebase {
            self.kept = (0, 0);
        }
        on_disk(inner, move |store| {
            match base.map(|base| base.to_bytes()) {
                Some(Ok(file)) => store.rebase(key, file),
                // Too many bits for a snapshot: the updates will do.
                _ => store.append(key, &updates),
            }
        })
        .await;
    }
}

fn new_follower(inner: &Inner, track: &Track) -> Follower {
    Follower::new(track.key.issuer, track.key.purpose).bounded(bound(inner, track))
}

/// A stranger gets no more memory than all strangers together.
fn bound(inner: &Inner, track: &Track) -> usize {
    if track.pinned { usize::MAX } else { inner.limits.memory_bytes }
}

fn nothing() -> Base {
    Base { epoch: 0, root: testamur_core::Hash::ZERO, block: BlockNumber(0), tree: Default::default() }
}

/// Does something with the store. A failure is told to the operator; the chain has everything.
async fn on_disk<T: Send + 'static>(
    inner: &Inner,
    act: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Option<T> {
    let store: Arc<Store> = inner.store.clone();
    let done = spawn_blocking(move || act(&store)).await.ok()?;
    inner.broken(done.as_ref().err().map(report::store_failed));
    done.ok()
}

impl Inner {
    /// The settled bits as a snapshot.
    pub(super) fn snapshot(&self, key: Key, at: &TreeAt) -> Snapshot {
        let Key { issuer, purpose } = key;
        let (chain, registry) = (self.chain, self.registry.address());
        let StatusRecord { epoch, root, block, .. } = at.record;
        let of = Subject { chain, registry, issuer, purpose, epoch, root, block };
        Snapshot { of, tree: at.tree.clone() }
    }
}
