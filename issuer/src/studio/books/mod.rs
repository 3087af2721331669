//! What the studio keeps beside the issuer's own store: who signs in, who is signed in, who did what, and which runs were
//! asked for. One SQLite file, `studio.sqlite`, its owner's alone (0600). Whoever reads it learns no password and no
//! session: there are only hashes of them.
//!
//! What a method has returned is on disk: every commit is synced (`synchronous = FULL`). Each takes milliseconds.

mod audit;
mod rosters;
mod runs;
mod sessions;
#[cfg(test)]
mod tests;
mod users;

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, Row, TransactionBehavior};
use testamur_core::UnixSeconds;

pub use audit::{Deed, Entry, EntryId, What};
pub use runs::{Asked, Counts, PassedRow, Run, RunState};
pub use sessions::{Lifetime, Session};
pub use users::{User, check_name};

/// The name of the file in the data folder.
pub const FILE: &str = "studio.sqlite";
/// Each brings the file from the version before (its place from 0) to the next one.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];
/// A command of ours may be writing: it is waited for so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// For the owner.
const PRIVATE: u32 = 0o600;

/// Why the books did not take or give what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BooksError {
    /// The file.
    #[error("{} cannot be opened: {error}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A newer version of this program wrote it.
    #[error("{FILE} is of version {found}, and this program knows {known}: use a newer testamur-issuer")]
    Newer {
        /// In the file.
        found: i64,
        /// The newest one known here.
        known: usize,
    },
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
        let unusable = |error| BooksError::File { path: path.to_owned(), error };
        // SQLite gives the files beside it the permissions of this one.
        OpenOptions::new().create(true).append(true).mode(PRIVATE).open(path).map_err(unusable)?;
        fs::set_permissions(path, fs::Permissions::from_mode(PRIVATE)).map_err(unusable)?;
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // One that begins with reading could not be finished once another program has written.
        connection.set_transaction_behavior(TransactionBehavior::Immediate);
        migrate(&mut connection)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// A panic in between left no transaction open: it was rolled back when dropped.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All or nothing, and once only, whoever else opens the file at the same moment.
fn migrate(connection: &mut Connection) -> Result<(), BooksError> {
    let newest = MIGRATIONS.len();
    let changing = connection.transaction()?;
    let found: i64 = changing.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let version = usize::try_from(found).ok().filter(|version| *version <= newest);
    let version = version.ok_or(BooksError::Newer { found, known: newest })?;
    for migration in &MIGRATIONS[version..] {
        changing.execute_batch(migration)?;
    }
    if version < newest {
        changing.pragma_update(None, "user_version", newest as i64)?;
    }
    Ok(changing.commit()?)
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
