//! What the node keeps on disk. `fjall` says how, byte by byte.

mod fjall;
mod records;

use std::path::PathBuf;

pub use self::{
    fjall::{Append, IdempotencyKey, NewChange, OpenRecord, Store},
    records::{
        Action, AnchoredAt, Attempt, BatchId, BatchRecord, BatchState, Carries, ChangeId, ChangeRecord, ChangeState,
        Cost, Sequence, TxId, TxRecord, UpdatedAt,
    },
};

/// Why the store could not do what it was asked. After a failed write it takes no more of them: the process must be
/// started again, which replays what was committed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process holds the data folder.
    #[error("{} is in use by another testamur-node; one folder serves one node", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The folder was written by a version of the node that this one does not know.
    #[error("{} has format {found}, this node reads format {known}; use the node version that wrote it", path.display())]
    Format {
        /// The folder.
        path: PathBuf,
        /// The format it has.
        found: u32,
        /// The format that this node reads.
        known: u32,
    },
    /// The folder cannot be made, read or locked.
    #[error("{}: {source}", path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Reading or writing failed.
    #[error("the store failed: {0}")]
    Engine(#[from] ::fjall::Error),
    /// Something stored is not what this code writes.
    #[error("the store holds a damaged {what}; restore the data folder from a backup")]
    Damaged {
        /// The kind of value.
        what: &'static str,
    },
}
