//! The loop: a look at the chain, then everything that is followed is brought to it, several at a time.
//!
//! Whatever one issuer's status takes, the others do not wait for it: a round leaves behind what is not done in time,
//! and the next one passes it over while it is still under way.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use testamur_chain::Error;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Inner, Limits, board::Track, look::Look, report};
use crate::health::Reason;

/// How many are brought to a look at the same time.
const PARALLEL: usize = 8;
/// How long a round waits for those that take longer.
const ROUND: Duration = Duration::from_secs(5);
/// The longest pause after failed looks in a row.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Follows until shutdown.
pub(super) async fn run(inner: Arc<Inner>, shutdown: CancellationToken) {
    let (mut under_way, mut failures) = (JoinSet::new(), 0);
    let places = Arc::new(Semaphore::new(PARALLEL));
    loop {
        let looked = tokio::select! {
            () = shutdown.cancelled() => break,
            looked = round(&inner, &places, &mut under_way) => looked,
        };
        failures = if looked.is_ok() { 0 } else { failures + 1 };
        tell(&inner, looked);
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = sleep(pause(inner.poll, failures)) => {}
            () = inner.wake.notified() => {}
        }
    }
    under_way.shutdown().await;
}

/// Doubles with each failure in a row.
fn pause(poll: Duration, failures: u32) -> Duration {
    poll.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX)).min(LONGEST_PAUSE.max(poll))
}

/// One look, and everybody brought to it.
async fn round(inner: &Arc<Inner>, places: &Arc<Semaphore>, under_way: &mut JoinSet<()>) -> Result<(), Error> {
    let before = *inner.look.borrow();
    let look = Look::take(inner.registry.endpoint(), inner.chain, before).await?;
    inner.report.measures.looked(&look);
    inner.look.send_replace(Some(look));
    for track in inner.board.all() {
        if needs(&track, look) {
            bring(inner, places, track, look, under_way);
        }
    }
    let all = async { while under_way.join_next().await.is_some() {} };
    // Those that take longer go on meanwhile.
    let _ = timeout(ROUND, all).await;
    Ok(())
}

/// Whether a track is not at this look yet, or has something to make good. What nobody ever wrote, and what is too long
/// to be read here, is asked for again when it is wanted again.
fn needs(track: &Track, look: Look) -> bool {
    let failed = track.told(|told| told.failed.is_some());
    if track.is_too_long() && !track.pinned {
        return false;
    }
    let Some(view) = track.view() else { return true };
    let is_there = Look { head: view.head.block, settled: view.settled.block } == look;
    failed || view.settled.fault.is_some() || (!is_there && (track.pinned || !track.is_unwritten()))
}

/// Unless it is under way still.
fn bring(inner: &Arc<Inner>, places: &Arc<Semaphore>, track: Arc<Track>, look: Look, under_way: &mut JoinSet<()>) {
    let Ok(mut following) = track.following.clone().try_lock_owned() else { return };
    // First readings may take long: they must not keep the others from their places.
    let places = if following.is_new() { inner.loads.clone() } else { places.clone() };
    let inner = inner.clone();
    under_way.spawn(async move {
        let _place = places.acquire().await.expect("the semaphore is never closed");
        following.advance(&inner, &track, look).await;
    });
}

/// Tells how things stand, and drops what is not needed in memory. While the chain is out of reach, all of it is.
fn tell(inner: &Inner, looked: Result<(), Error>) {
    let (mut problems, seen) = (Vec::new(), looked.is_ok());
    match looked {
        Ok(()) => inner.report.measures.held(&inner.board.tidy(&inner.limits)),
        Err(error) => {
            tracing::warn!(%error, "the mirror cannot see the chain");
            // What was seen is shown meanwhile, however old; but not without end is taken on.
            let kept = Limits { idle: Duration::MAX, unwritten: Duration::MAX, ..inner.limits.clone() };
            inner.report.measures.held(&inner.board.tidy(&kept));
            problems.push(report::unseen(&error));
        }
    }
    // A stranger's faults are no reason for a mirror not to be ready.
    problems.extend(inner.board.all().iter().filter(|track| track.pinned).filter_map(|track| problem(track, seen)));
    problems.extend(inner.broken.lock().unwrap_or_else(PoisonError::into_inner).clone());
    inner.report.problems(problems);
}

/// What is wrong with the newest root, which the next update can heal; else why there is none, or no newer one.
fn problem(track: &Track, seen: bool) -> Option<Reason> {
    let view = track.view();
    let fault = view.as_ref().and_then(|view| view.head.fault.clone());
    match fault.or_else(|| track.told(|told| told.failed.clone())) {
        Some(error) => Some(report::of_issuer(track.key, &error)),
        None if seen && view.is_none() => Some(report::loading(track.key)),
        None => None,
    }
}
