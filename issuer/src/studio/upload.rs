//! Rosters as they come in: each a file of its owner's alone (0600) in the studio's folder, until its run has ended.

use std::{fs, path::PathBuf, time::Duration};

use axum::body::Body;
use futures::StreamExt as _;
use rand::{TryRngCore as _, rngs::OsRng};
use testamur_core::UnixSeconds;
use tokio::{fs::File, io::AsyncWriteExt as _, time::timeout};

use super::{
    Studio,
    problem::{Kind, Problem},
};
use crate::clock::now;

/// Where rosters wait.
pub const ROSTERS: &str = "rosters";
/// Where the rows are that failed.
pub const FAILED: &str = "failed";
/// The largest roster.
const MAX_ROSTER: usize = 64 << 20;
/// The next bytes are here within this.
const NEXT_BYTES: Duration = Duration::from_secs(30);
/// Seconds after which a roster that got no run is removed.
const DAY: u64 = 24 * 3_600;
/// Days that rows which failed are kept for whoever mends them.
const FAILED_DAYS: u64 = 30;

impl Studio {
    /// Takes a roster, and returns its id, which nobody guesses.
    pub(super) async fn receive(&self, body: Body) -> Result<String, Problem> {
        let mut random = [0; 16];
        OsRng.try_fill_bytes(&mut random).map_err(|error| Problem::internal(&error))?;
        let id = hex::encode(random);
        let path = self.roster_path(&id);
        let received = receive_into(&path, body).await;
        if received.is_err() {
            // What is left is removed with what is old.
            let _ = fs::remove_file(&path);
        }
        received.map(|()| id)
    }

    /// The file of a roster: its id is 32 hex digits, or it is none.
    pub(super) fn roster_path(&self, id: &str) -> PathBuf {
        self.folder.join(ROSTERS).join(id)
    }

    /// The file of a run's rows that failed.
    pub(super) fn failed_path(&self, run: i64, ending: &str) -> PathBuf {
        self.folder.join(FAILED).join(format!("{run}.{ending}"))
    }

    /// Removes rosters that broke off when the program ended. Only before any are taken.
    pub(super) fn remove_broken_rosters(&self) {
        let Ok(entries) = fs::read_dir(self.folder.join(ROSTERS)) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if name.to_str().is_none_or(|id| matches!(self.books.roster(id), Ok(None))) {
                remove(&entry.path());
            }
        }
    }

    /// Removes rosters whose run has ended or that got none for a day, rows that failed a month ago, and sessions that
    /// nobody came back to.
    pub fn tidy(&self) {
        self.attempts.tidy();
        let now = now();
        let before = UnixSeconds(now.0.saturating_sub(DAY));
        let tidied = self.books.tidy_sessions(self.lifetime(), now).and_then(|()| {
            for id in self.books.stale_rosters(before)? {
                remove(&self.roster_path(&id));
                self.books.remove_roster(&id)?;
            }
            Ok(())
        });
        if let Err(error) = tidied {
            tracing::warn!(%error, "what is old could not be removed");
        }
        remove_older(&self.folder.join(FAILED), Duration::from_secs(FAILED_DAYS * DAY));
    }
}

async fn receive_into(path: &std::path::Path, body: Body) -> Result<(), Problem> {
    let failed = |error: std::io::Error| Problem::internal(&error);
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path).await.map_err(failed)?;
    let (mut chunks, mut length) = (body.into_data_stream(), 0);
    loop {
        let next = timeout(NEXT_BYTES, chunks.next()).await;
        let Some(chunk) = next.map_err(|_| Problem::new(Kind::TooSlow, "send it again"))? else { break };
        let chunk = chunk.map_err(|_| Problem::new(Kind::TooSlow, "the file broke off: send it again"))?;
        length += chunk.len();
        if length > MAX_ROSTER {
            return Err(Problem::new(Kind::TooLarge, "a roster has at most 64 MiB: send it in parts"));
        }
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.sync_all().await.map_err(failed)
}

fn remove(path: &std::path::Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "a file could not be removed");
    }
}

/// Files that nobody has written to for so long. What cannot be looked at now is removed another time.
fn remove_older(folder: &std::path::Path, age: Duration) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let written = entry.metadata().and_then(|metadata| metadata.modified());
        if written.is_ok_and(|written| written.elapsed().is_ok_and(|elapsed| elapsed > age)) {
            remove(&entry.path());
        }
    }
}
