//! Why a run ended early.

use std::{io, path::PathBuf};

use testamur::{anchor::ReceiptError, change::ChangeError, node::NodeError};
use testamur_core::Digest;

use crate::store::StoreError;

/// Why a run ended early. Nothing is lost: the same command goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The node told, for longer than is waited, what keeps it from anchoring.
    #[error("the node has the digests, and cannot anchor them: {trouble}")]
    Held {
        /// What it tells.
        trouble: String,
    },
    /// The node's receipt does not prove what it must.
    #[error("the node's receipt for the digest {digest} is wrong: {error}")]
    Receipt {
        /// For which digest.
        digest: Digest,
        /// What is wrong.
        error: ReceiptError,
    },
    /// A revocation was not taken.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be written.
    #[error("{} cannot be written: {error}", path.display())]
    Write {
        /// The file, or the folder.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Randomness(#[source] rand::rand_core::OsError),
}

impl IssueError {
    /// Whether the same command may well succeed in a while.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Node(error) => error.is_transient(),
            Self::Held { .. } => true,
            Self::Change(ChangeError::Node { error, .. } | ChangeError::Waiting { error, .. }) => error.is_transient(),
            _ => false,
        }
    }
}
