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

use crate::sqlite;

pub use changes::Due;
pub use error::StoreError;
pub use record::{Anchored, Draft, Finished, Issued, Known, Listed, Predecessor, RunId, Standing, State};
pub use search::Wanted;

/// Each brings the file from the version before (its place from 0) to the next one.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];
/// For the owner.
const PRIVATE: u32 = 0o600;
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
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn it_is_private_durable_and_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        let store = Store::open(&path).unwrap();
        let pragma = |name: &str| store.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!((pragma("synchronous"), pragma("foreign_keys"), pragma("user_version")), (2, 1, 1));
        let mode: String = store.connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
        for entry in fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, PRIVATE, "{:?}", entry.path());
        }
        drop(store);
        Store::open(&path).unwrap();
    }

    #[test]
    fn one_writes_files_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        let (one, other) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
        let guard = one.alone().unwrap();
        let lock = File::open(path.with_added_extension("lock")).unwrap();
        assert!(lock.try_lock().is_err());
        drop(guard);
        other.alone().unwrap();
    }

    #[test]
    fn the_file_of_a_newer_version_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        Store::open(&path).unwrap().connection.pragma_update(None, "user_version", 2).unwrap();
        assert!(matches!(Store::open(&path), Err(StoreError::Newer { found: 2, known: 1 })));
        fs::write(folder.path().join("other"), "not a database, and long enough to be looked at").unwrap();
        assert!(Store::open(&folder.path().join("other")).is_err());
    }
}
