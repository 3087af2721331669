//! What was issued to whom, and how far it has come: one SQLite file that survives a crash at any moment, and that any
//! tool opens in thirty years. It holds people's data, so it is its owner's alone (0600).
//!
//! Reading order: `schema.sql` (what a table holds) → [`record`] (the same as types) → [`Store`] with `runs`, `steps`
//! (a credential's way from a draft to a file), `changes` (of status) and `search`.
//!
//! What a method has returned is on disk: every commit is synced (`synchronous = FULL`).

mod changes;
mod error;
pub mod record;
mod runs;
mod search;
mod steps;
mod tally;

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use crate::sqlite::{self, PRIVATE};

pub use changes::Due;
pub use error::StoreError;
pub use record::{Anchored, Draft, Finished, Issued, Known, Listed, Predecessor, RunId, Standing, State};
pub use search::Wanted;

/// Each brings the file from the version before (its place from 0) to the next one.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];
/// Pages kept in memory: 64 MiB (a negative count is in KiB), so that the indices of some hundred thousand
/// credentials stay there.
const CACHE: i64 = -(64 << 10);

/// The issuer's store.
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the store in this file, or makes it; one of an older version is brought up to date.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = sqlite::open(path, &MIGRATIONS)?;
        connection.pragma_update(None, "cache_size", CACHE)?;
        Ok(Self { connection, path: path.to_owned() })
    }

    /// Waits until nobody else writes files of this store, in this process or another one; until the guard is dropped
    /// nobody does.
    pub fn alone(&self) -> Result<File, StoreError> {
        let path = self.path.with_added_extension("lock");
        let guard = OpenOptions::new().create(true).append(true).mode(PRIVATE).open(&path);
        let locked = guard.and_then(|guard| guard.lock().map(|()| guard));
        locked.map_err(|error| StoreError::File { path, error })
    }
}

#[cfg(test)]
mod tests;
