//! What the studio keeps beside the issuer's own store: who signs in, who is signed in, who did what, and which runs were
//! asked for. One SQLite file, `studio.sqlite`, its owner's alone (0600). Whoever reads it learns no password and no
//! session: there are only hashes of them.
//!
//! What a method has returned is on disk. Each takes milliseconds.

mod audit;
mod rosters;
mod runs;
mod sessions;
#[cfg(test)]
mod tests;
mod users;

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, Row};
use testamur_core::UnixSeconds;

use crate::{sqlite, store::StoreError};

pub use audit::{Deed, Entry, EntryId, What};
pub use runs::{Asked, Counts, PassedRow, Run, RunState};
pub use sessions::{Lifetime, Session};
pub use users::{User, check_name};

/// The name of the file in the data folder.
pub const FILE: &str = "studio.sqlite";
/// Each brings the file from the version before (its place from 0) to the next one.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];

/// Why the books did not take or give what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BooksError {
    /// The file, or what stands in it.
    #[error("{FILE}: {0}")]
    Store(#[from] StoreError),
    /// SQLite.
    #[error("{FILE}: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// There is nobody of this name.
    #[error("there is no user {name}")]
    NoUser {
        /// The name.
        name: String,
    },
    /// There is somebody of this name.
    #[error("there is a user {name} already")]
    UserExists {
        /// The name.
        name: String,
    },
    /// Nobody could manage users any more.
    #[error("{name} is the only admin: make somebody else one first")]
    LastAdmin {
        /// The name.
        name: String,
    },
    /// A name that is none.
    #[error("no name for a user: up to 128 letters, digits and . _ @ + -, a letter or digit first")]
    Name,
}

/// The studio's books.
#[derive(Debug)]
pub struct Books {
    connection: Mutex<Connection>,
}

impl Books {
    /// Opens them in this file, or makes it; one of an older version is brought up to date.
    pub fn open(path: &Path) -> Result<Self, BooksError> {
        let connection = sqlite::open(path, &MIGRATIONS)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// A panic in between left no transaction open: it was rolled back when dropped.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn seconds(row: &Row<'_>, column: usize) -> rusqlite::Result<UnixSeconds> {
    Ok(UnixSeconds(row.get::<_, i64>(column)? as u64))
}

fn maybe_seconds(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<UnixSeconds>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(|seconds| UnixSeconds(seconds as u64)))
}

fn number(time: UnixSeconds) -> i64 {
    time.0 as i64
}

/// As people and JavaScript read it.
fn as_text<S: serde::Serializer>(time: &UnixSeconds, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}
