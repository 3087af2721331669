//! Why an entry, or a whole run, changes nothing.

use std::{io, path::PathBuf};

use testamur_core::{Address, ChainId, Error, Hash, Receipt};

use crate::{
    node::{NodeError, Place},
    pending::PendingError,
};

/// Why one entry is not taken. The others are not held up by it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// Neither an index nor a digest.
    #[error("neither a status index (below 2^40) nor a digest (64 hex digits)")]
    Text,
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It carries no proof that holds, so there is nothing that the registry knows it by.
    #[error("{0}")]
    Document(#[from] Error),
    /// Its anchoring, which is not finished, cannot be read.
    #[error(transparent)]
    Pending(#[from] PendingError),
    /// Its receipt is of another issuer, chain or registry.
    #[error("its receipt is of {issuer} on {chain} in {registry}, and this goes elsewhere")]
    Elsewhere {
        /// The receipt's issuer.
        issuer: Address,
        /// The receipt's chain.
        chain: ChainId,
        /// The receipt's registry.
        registry: Address,
    },
    /// Its receipt names a root that the issuer never anchored: the index in it is anybody's.
    #[error("its receipt does not hold: the issuer has not anchored the root {root} with that size")]
    NotAnchored {
        /// The root.
        root: Hash,
    },
    /// Only its digest is known, and the chain knows no digests.
    #[error("the chain knows no digests: name it by its status index, or by the file with its receipt")]
    NoIndex,
    /// Revocation is for good.
    #[error("it is revoked, which is for good: it cannot be reinstated")]
    Revoked,
    /// The node refuses it.
    #[error("the node refuses it: {0}")]
    Node(String),
}

impl Unfit {
    /// [`Unfit::Elsewhere`] where a receipt is not of this place.
    pub(super) fn elsewhere(place: Place, receipt: &Receipt) -> Option<Self> {
        let Receipt { issuer, chain, registry, .. } = *receipt;
        (!place.is_of(receipt)).then_some(Self::Elsewhere { issuer, chain, registry })
    }
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The node, before it had taken everything.
    #[error("{error}{}", kept.as_ref().map(|_| "; run the same command again: what the node has taken already is not taken twice").unwrap_or_default())]
    Node {
        /// What it said.
        error: NodeError,
        /// Where the run is kept, so that the same command resumes it.
        kept: Option<PathBuf>,
    },
    /// The node, after it had taken everything.
    #[error("{error}; change {change} is durable with the node all the same")]
    Waiting {
        /// What it said.
        error: NodeError,
        /// The change's number there.
        change: u64,
    },
    /// The node refuses more entries than it names.
    #[error("{error}. {count} entries are refused, of which the first are named above; {advice}", advice = ADVICE)]
    ManyRefused {
        /// What it said.
        error: NodeError,
        /// How many.
        count: u64,
    },
    /// The run cannot be kept on disk, so it is not begun.
    #[error("the run cannot be kept in {}: {error}", path.display())]
    Journal {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The system has no randomness to give.
    #[error("the system gives no random bytes: {0}")]
    Randomness(#[source] rand::rand_core::OsError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] testamur_chain::Error),
    /// Others update the status of this issuer all the time.
    #[error(
        "another sender was faster {times} times in a row; is the issuer's node running? Go through it, or try again"
    )]
    Contended {
        /// How often.
        times: u32,
    },
    /// One entry alone exceeds what a transaction may cost.
    #[error("one entry alone would take {gas} gas, more than a transaction may")]
    TooMuchGas {
        /// The estimate.
        gas: u64,
    },
}

const ADVICE: &str = "a node that was set up anew does not know what another one assigned: with --assigned-elsewhere it takes the indices";

impl From<NodeError> for ChangeError {
    fn from(error: NodeError) -> Self {
        Self::Node { error, kept: None }
    }
}
