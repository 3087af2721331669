//! Why a file, or nothing at all, could be anchored.

use std::{io, path::PathBuf};

use testamur_core::{Address, ChainId, Error, StatusIndex};

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
    /// The anchor in it gave it another status index than its `credentialStatus` names.
    #[error(
        "it is anchored with the status index {anchored}, and its credentialStatus names {named}, so its status cannot \
         be told; take the anchor out to anchor it anew"
    )]
    OldIndex {
        /// In the receipt.
        anchored: StatusIndex,
        /// In the credential.
        named: StatusIndex,
    },
    /// Its `credentialStatus` names several bits of the issuer's own lists.
    #[error(
        "credentialStatus/{place} names the status index {other}, and an entry before it {index}: a credential has one"
    )]
    TwoIndices {
        /// What the first entry names.
        index: StatusIndex,
        /// The place of the entry that names another, from 0.
        place: usize,
        /// What that names.
        other: StatusIndex,
    },
    /// The node does not take it with the status index that its `credentialStatus` names.
    #[error("the node refuses the status index {index} that its credentialStatus names: {reason}")]
    Index {
        /// The index.
        index: StatusIndex,
        /// What the node says.
        reason: String,
    },
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
    /// It gives another status index than the credential names.
    #[error("it gives the status index {given}, where the credential names {named}")]
    OtherIndex {
        /// In the receipt.
        given: StatusIndex,
        /// In the credential.
        named: StatusIndex,
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
