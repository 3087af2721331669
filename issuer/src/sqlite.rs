//! SQLite as all stores here open it: private, durable, brought up to date.
//!
//! What a method of a store has returned is on disk: every commit is synced (`synchronous = FULL`).

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, TransactionBehavior};

use crate::store::StoreError;

/// Another command of ours may be writing: it is waited for so long.
const PATIENCE: Duration = Duration::from_secs(30);
/// For the owner.
pub(crate) const PRIVATE: u32 = 0o600;

/// Opens a store's file, or makes it. Each migration brings it from the version before (its place from 0) to the next.
///
/// What is deleted is overwritten with zeroes, in the file at once and beside it by [`wipe`].
pub fn open(path: &Path, migrations: &[&str]) -> Result<Connection, StoreError> {
    let unusable = |error| StoreError::File { path: path.to_owned(), error };
    // SQLite gives the files beside it the permissions of this one.
    OpenOptions::new().create(true).append(true).mode(PRIVATE).open(path).map_err(unusable)?;
    fs::set_permissions(path, fs::Permissions::from_mode(PRIVATE)).map_err(unusable)?;
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "secure_delete", true)?;
    // One that begins with reading could not be finished once another connection has written.
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    migrate(&mut connection, migrations)?;
    Ok(connection)
}

/// Takes what was deleted out of the write-ahead log as well: afterwards it is in neither file.
///
/// `false` where somebody else reads at this moment: it is to be done again.
pub fn wipe(connection: &Connection) -> Result<bool, StoreError> {
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(busy == 0)
}

/// All or nothing, and once only, whoever else opens the file at the same moment.
fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    let newest = migrations.len();
    let changing = connection.transaction()?;
    let found: i64 = changing.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let version = usize::try_from(found).ok().filter(|version| *version <= newest);
    let version = version.ok_or(StoreError::Newer { found, known: newest })?;
    for migration in &migrations[version..] {
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

    const MIGRATIONS: [&str; 2] = ["CREATE TABLE a (x TEXT) STRICT;", "CREATE TABLE b (x TEXT) STRICT;"];

    #[test]
    fn it_is_private_durable_and_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        drop(open(&path, &MIGRATIONS[..1]).unwrap());
        let store = open(&path, &MIGRATIONS).unwrap();
        let pragma = |name: &str| store.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        let pragmas = ["synchronous", "foreign_keys", "secure_delete", "user_version"].map(pragma);
        assert_eq!(pragmas, [2, 1, 1, 2]);
        store.execute("INSERT INTO b (x) VALUES ('y')", []).unwrap();
        for entry in fs::read_dir(folder.path()).unwrap() {
            assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, PRIVATE);
        }
        assert!(matches!(open(&path, &MIGRATIONS[..1]), Err(StoreError::Newer { found: 2, known: 1 })));
    }

    #[test]
    fn what_was_deleted_and_wiped_is_in_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        let store = open(&path, &MIGRATIONS).unwrap();
        let dump = || -> Vec<u8> {
            fs::read_dir(folder.path()).unwrap().flat_map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
        };
        let is_there = || dump().windows(6).any(|window| window == b"secret");
        store.execute("INSERT INTO a (x) VALUES ('secret')", []).unwrap();
        assert!(is_there());
        store.execute("DELETE FROM a", []).unwrap();
        assert!(wipe(&store).unwrap());
        assert!(!is_there());
    }
}
