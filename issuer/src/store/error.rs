//! Why the store did not do what it was asked.

use std::{io, path::PathBuf};

/// Why the store did not do what it was asked. What was told to be on disk before is there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file.
    #[error("the store {} cannot be opened: {error}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A path that the store cannot hold.
    #[error("{} is not UTF-8: choose a folder whose name is", path.display())]
    Name {
        /// The path.
        path: PathBuf,
    },
    /// A newer version of this program wrote it.
    #[error("the store is of version {found}, and this program knows {known}: use a newer testamur-issuer")]
    Newer {
        /// In the file.
        found: i64,
        /// The newest one known here.
        known: usize,
    },
    /// SQLite.
    #[error("the store: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// What stands in it was not written by this program.
    #[error("the store is damaged: the {what} of {uri} cannot be read")]
    Damaged {
        /// What.
        what: &'static str,
        /// The credential.
        uri: String,
    },
}
