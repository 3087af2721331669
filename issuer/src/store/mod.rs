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
    fs::{self, OpenOptions},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
    time::Duration,
};

use rusqlite::Connection;

pub use changes::Due;
pub use error::StoreError;
pub use record::{Anchored, Draft, Finished, Issued, Known, Listed, Predecessor, RunId, Standing, State};
pub use search::Wanted;

/// Each brings the file from the version before (its place from 0) to the next one.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];
/// Another command of ours may be writing: it is waited for so long.
const PATIENCE: Duration = Duration::from_secs(30);
/// For the owner.
const PRIVATE: u32 = 0o600;
/// Pages kept in memory: 64 MiB (a negative count is in KiB), so that the indices of some hundred thousand
/// credentials stay there.
const CACHE: i64 = -(64 << 10);

/// The issuer's store.
pub struct Store {
    connection: Connection,
}

impl Store {
    /// Opens the store in this file, or makes it; one of an older version is brought up to date.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let unusable = |error| StoreError::File { path: path.to_owned(), error };
        // SQLite gives the files beside it the permissions of this one.
        OpenOptions::new().create(true).append(true).mode(PRIVATE).open(path).map_err(unusable)?;
        fs::set_permissions(path, fs::Permissions::from_mode(PRIVATE)).map_err(unusable)?;
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "cache_size", CACHE)?;
        // One that begins with reading could not be finished once another connection has written.
        connection.set_transaction_behavior(rusqlite::TransactionBehavior::Immediate);
        migrate(&mut connection)?;
        Ok(Self { connection })
    }
}

/// All or nothing, and once only, whoever else opens the file at the same moment.
fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let newest = MIGRATIONS.len();
    let changing = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found: i64 = changing.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let version = usize::try_from(found).ok().filter(|version| *version <= newest);
    let version = version.ok_or(StoreError::Newer { found, known: newest })?;
    for migration in &MIGRATIONS[version..] {
        changing.execute_batch(migration)?;
    }
    if version < newest {
        changing.pragma_update(None, "user_version", newest as i64)?;
    }
    Ok(changing.commit()?)
}

#[cfg(test)]
mod tests {
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
    fn the_file_of_a_newer_version_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        Store::open(&path).unwrap().connection.pragma_update(None, "user_version", 2).unwrap();
        assert!(matches!(Store::open(&path), Err(StoreError::Newer { found: 2, known: 1 })));
        fs::write(folder.path().join("other"), "not a database, and long enough to be looked at").unwrap();
        assert!(Store::open(&folder.path().join("other")).is_err());
    }
}
