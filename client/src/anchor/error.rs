//! Why a file, or nothing at all, could be anchored.

use std::{io, path::PathBuf};

use testamur_core::{Address, ChainId, Error};

use crate::{content::ReadError, node::NodeError, pending::PendingError};

/// Why one file could not be anchored. The others are not held up by it.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read, or is no document that can be anchored.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An anchoring begun before cannot be resumed.
    #[error(transparent)]
    Pending(#[from] PendingError),
    /// The result cannot be written.
    #[error("the proof cannot be written: {0}")]
    Write(#[source] io::Error),
    /// What stands there as its anchor or receipt cannot be read, or is of other content.
    #[error("it carries an anchor that does not hold: {0}; take that out to anchor it anew")]
    OldProof(#[source] Error),
    /// Another of the files has the same name, and both would go to one place.
    #[error("another file of this run goes to {} as well", .0.display())]
    SameTarget(PathBuf),
    /// It was changed between the beginning of its anchoring and the end.
    #[error("it was changed while it was being anchored: anchor it again")]
    Changed,
    /// The node's receipt does not prove what it must.
    #[error("the node's receipt is wrong: {0}")]
    Receipt(ReceiptError),
    /// The node did not give a receipt.
    #[error("{0}; the node has its digest: run the same command again to fetch the receipt")]
    Node(#[source] NodeError),
}

/// What is wrong with a node's receipt.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// It does not prove the digest's place in the batch.
    #[error(transparent)]
    Proof(#[from] Error),
    /// It is of another issuer, chain or registry than the node said.
    #[error("it is of {issuer} on {chain} in {registry}, which is not where the node anchors for us")]
    Elsewhere {
        /// The issuer.
        issuer: Address,
        /// The chain.
        chain: ChainId,
        /// The registry.
        registry: Address,
    },
}

/// Why nothing could be anchored at all.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// The node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The folder for anchored copies cannot be made.
    #[error("the folder {} cannot be made: {error}", folder.display())]
    Out {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The system has no randomness to give. Without it a digest could be guessed.
    #[error("the system gives no random bytes: {0}")]
    Randomness(#[source] rand::rand_core::OsError),
}
