//! Status updates applied one after another, and what is wrong with them.
//!
//! The contract stores whatever root an issuer states, beside whatever delta. Only the root decides: a delta that
//! cannot be read is passed over, a cleared revocation is applied, and the bits are known exactly where their root
//! is the stated one, which no other bits can have. So an issuer heals a wrong update with its next one.

use std::fmt;

use testamur_core::{
    Hash, Purpose, StatusIndex,
    status::{StatusTree, delta},
};

use crate::{Error, history::StatusUpdate};

/// A breach of the protocol in an issuer's status update. A root that does not match may be the endpoint's lie
/// instead: another endpoint tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// Bits of the revocation purpose were cleared, which the protocol forbids.
    ClearedRevocation {
        /// Which update.
        epoch: u64,
        /// The lowest of them.
        first: StatusIndex,
        /// How many.
        count: u64,
    },
    /// The deltas so far do not lead to the root that the update states.
    RootDoesNotMatch {
        /// Which update.
        epoch: u64,
        /// The root in the event and the contract.
        stated: Hash,
        /// The root rebuilt from the deltas.
        rebuilt: Hash,
    },
    /// The delta cannot be read.
    Delta {
        /// Which update.
        epoch: u64,
        /// What is wrong with it.
        fault: testamur_core::Error,
    },
}

impl Finding {
    /// The update that it is about.
    pub fn epoch(&self) -> u64 {
        match *self {
            Self::ClearedRevocation { epoch, .. }
            | Self::RootDoesNotMatch { epoch, .. }
            | Self::Delta { epoch, .. } => epoch,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClearedRevocation { epoch, first, count } => {
                write!(f, "update {epoch} clears revocations ({count}, the first at index {first})")
            }
            Self::RootDoesNotMatch { epoch, stated, rebuilt } => {
                write!(f, "update {epoch} states the root {stated}, its deltas lead to {rebuilt}")
            }
            Self::Delta { epoch, fault } => write!(f, "the delta of update {epoch} cannot be read: {fault}"),
        }
    }
}

/// The bits of one purpose after some updates. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    purpose: Purpose,
    pub(crate) tree: StatusTree,
    /// An unread delta, while the roots have not agreed since.
    unread: Option<Error>,
}

impl Replay {
    pub(crate) fn new(purpose: Purpose, tree: StatusTree) -> Self {
        Self { purpose, tree, unread: None }
    }

    pub(crate) fn apply(&mut self, update: &StatusUpdate) -> Vec<Finding> {
        let epoch = update.epoch;
        let mut findings = Vec::new();
        match delta::decode(&update.delta) {
            Ok(toggled) => {
                findings.extend(self.cleared(epoch, &toggled));
                self.tree.toggle(&toggled);
            }
            Err(fault) => {
                self.unread = Some(Error::Delta { epoch, fault: fault.clone() });
                findings.push(Finding::Delta { epoch, fault });
            }
        }
        match self.fault_under(update.root) {
            None => self.unread = None,
            Some(_) => {
                let rebuilt = self.tree.root();
                findings.push(Finding::RootDoesNotMatch { epoch, stated: update.root, rebuilt });
            }
        }
        findings
    }

    /// Why the bits are not known under a stated root; `None` where they are.
    pub(crate) fn fault_under(&self, stated: Hash) -> Option<Error> {
        let rebuilt = self.tree.root();
        (rebuilt != stated).then(|| self.unread.clone().unwrap_or(Error::StatusRoot { rebuilt, stated }))
    }

    fn cleared(&self, epoch: u64, toggled: &[StatusIndex]) -> Option<Finding> {
        if self.purpose != Purpose::REVOCATION {
            return None;
        }
        let mut set = toggled.iter().copied().filter(|&index| self.tree.bit(index));
        let first = set.next()?;
        let count = 1 + set.count() as u64;
        Some(Finding::ClearedRevocation { epoch, first, count })
    }
}
