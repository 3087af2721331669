//! Runs in the background: one at a time, in the order in which they were asked for, on a thread of its own. What a run
//! has done is in the issuer's store before it is told, so one that was cut off is taken up again by going through its
//! roster once more: whoever has a credential from it keeps that one.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

use super::{
    Studio,
    books::{Counts, Deed, Run, What},
    turn::{Turn, TurnError},
};
use crate::clock::now;

/// Pauses between turns that came to nothing: the first one, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(60)];
/// How often what is old is removed.
const TIDY: Duration = Duration::from_secs(600);

/// The run that is worked on, as others see it.
pub struct Queue {
    wake: Notify,
    live: Mutex<Option<(i64, Counts)>>,
    changed: watch::Sender<u64>,
}

impl Default for Queue {
    fn default() -> Self {
        Self { wake: Notify::new(), live: Mutex::new(None), changed: watch::Sender::new(0) }
    }
}

impl Queue {
    /// There is a run to be worked on.
    pub fn wake(&self) {
        self.changed.send_modify(|number| *number += 1);
        self.wake.notify_one();
    }

    /// How far a run has come, if it is the one that is worked on.
    pub fn counts(&self, run: i64) -> Option<Counts> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.filter(|(id, _)| *id == run).map(|(_, counts)| counts)
    }

    /// Tells whenever a run may be another.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// What others see from now on.
    pub fn show(&self, live: Option<(i64, Counts)>) {
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = live;
        self.changed.send_modify(|number| *number += 1);
    }
}

impl Studio {
    /// Works on runs until the studio's shutdown, on a thread of its own: issuing computes and writes between its requests.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn work(self: &Arc<Self>) -> io::Result<JoinHandle<()>> {
        let studio = self.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let work = move || {
            let shutdown = studio.shutdown.clone();
            runtime.block_on(async {
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = studio.work_on() => {}
                }
            });
        };
        thread::Builder::new().name("runs".to_owned()).spawn(work)
    }

    async fn work_on(&self) {
        let mut failures = 0;
        loop {
            self.tidy();
            match self.books.next_run() {
                Ok(Some(run)) => {
                    let id = run.id;
                    match self.turn(run).await {
                        Ok(()) => failures = 0,
                        Err(error) => {
                            tracing::warn!(run = id, %error, "a run waits");
                            self.hold(id, &error);
                            sleep(pause(failures)).await;
                            failures += 1;
                        }
                    }
                }
                Ok(None) => {
                    let pause = if self.revoke_due().await { PAUSES[1] } else { TIDY };
                    tokio::select! {
                        () = self.queue.wake.notified() => {}
                        () = sleep(pause) => {}
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the runs cannot be read");
                    sleep(pause(failures)).await;
                    failures += 1;
                }
            }
        }
    }

    /// Carries out revocations that waited for the node. Tells whether some still do.
    async fn revoke_due(&self) -> bool {
        let undone = || self.store.lock().unwrap_or_else(PoisonError::into_inner).undone();
        if matches!(undone(), Ok(0)) {
            return false;
        }
        let tried = self.revoke_now(&[], 0).await;
        tried.is_err() || !matches!(undone(), Ok(0))
    }

    /// One turn of a run: to its end, or until it has to wait.
    async fn turn(&self, run: Run) -> Result<(), TurnError> {
        self.books.begin_run(run.id, now())?;
        let turn = Turn::begin(self, &run)?;
        let (counts, ended) = turn.take().await?;
        let (outcome, told) = match &ended {
            Ok(summary) => (Ok(summary.to_string()), told(summary)),
            Err(error) => (Err(error.to_string()), format!("failed: {error}")),
        };
        let outcome = outcome.as_ref().map(String::as_str).map_err(String::as_str);
        self.books.end_run(run.id, counts, outcome, now())?;
        self.queue.show(None);
        let deed = Deed { who: run.asked.who, what: What::Run, on: format!("{}: {}", run.id, run.asked.template) };
        self.books.note_done(&deed, &told, now())?;
        Ok(())
    }

    fn hold(&self, run: i64, why: &TurnError) {
        // Between turns it is shown as it is written down.
        let counts = self.queue.counts(run).map_or(Ok(()), |counts| self.books.note_counts(run, counts));
        if let Err(error) = counts.and_then(|()| self.books.set_run_error(run, Some(&why.to_string()))) {
            tracing::error!(%error, "the run's trouble could not be written down");
        }
        self.queue.show(None);
    }
}

/// What the log says of a run that came to its end.
fn told(summary: &Value) -> String {
    let count = |name: &str| summary[name].as_u64().unwrap_or_default();
    format!("done: {} issued, {} faults", count("issued"), count("faults"))
}

fn pause(failures: u32) -> Duration {
    let [first, longest] = PAUSES;
    first.saturating_mul(1 << failures.min(16)).min(longest)
}
