//! What a look reads of a registry: single parts, each of which may be had or not.

use std::collections::{BTreeSet, HashMap};

use testamur_core::{
    Address, BlockNumber, ChainId, Hash, Purpose, Receipt, StatusIndex,
    evidence::{self, ProofError, Proven},
    observation::{AnchorRecord, StatusRecord},
    registry::slots,
};

use super::Wanted;
use crate::{BlockTag, Error, Registry, quorum::Answer};

const PURPOSES: [Purpose; 2] = [Purpose::REVOCATION, Purpose::SUSPENSION];

/// What some receipts want to know of a chain, each thing once.
#[derive(Default)]
pub(super) struct Wants {
    /// Of each registry.
    pub(super) parts: HashMap<Address, BTreeSet<Part>>,
    /// Which bits.
    pub(super) indices: HashMap<StatusKey, BTreeSet<StatusIndex>>,
}

/// Whose bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct StatusKey {
    pub(super) registry: Address,
    pub(super) issuer: Address,
    pub(super) purpose: Purpose,
}

impl Wants {
    /// Receipts of other chains want nothing of this one.
    pub(super) fn of(chain: ChainId, receipts: &[&Receipt]) -> Self {
        let mut wants = Self::default();
        for receipt in receipts.iter().filter(|receipt| receipt.chain == chain) {
            let Receipt { registry, issuer, root, status_index, .. } = **receipt;
            let parts = wants.parts.entry(registry).or_default();
            parts.insert(Part::Anchor { issuer, root });
            for key in StatusKey::all(receipt) {
                parts.insert(Part::Status { issuer, purpose: key.purpose });
                wants.indices.entry(key).or_default().insert(status_index);
            }
        }
        wants
    }
}

impl StatusKey {
    /// Those that a receipt needs: one for each purpose that is read.
    pub(super) fn all(receipt: &Receipt) -> [Self; 2] {
        PURPOSES.map(|purpose| Self { registry: receipt.registry, issuer: receipt.issuer, purpose })
    }

    /// These bits under this record.
    pub(super) fn wanted(
        self,
        chain: ChainId,
        record: StatusRecord,
        settled: bool,
        indices: &BTreeSet<StatusIndex>,
    ) -> Wanted {
        let Self { registry, issuer, purpose } = self;
        Wanted { chain, registry, issuer, purpose, record, settled, indices: indices.iter().copied().collect() }
    }
}

/// Something that a registry can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Part {
    Anchor { issuer: Address, root: Hash },
    Status { issuer: Address, purpose: Purpose },
}

/// What it says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Record {
    Anchor(Option<AnchorRecord>),
    Status(StatusRecord),
}

impl Part {
    /// Where it stands in the registry's storage.
    pub(super) fn slots(self) -> Vec<Hash> {
        match self {
            Self::Anchor { issuer, root } => vec![slots::anchor(issuer, root)],
            Self::Status { issuer, purpose } => slots::status(issuer, purpose).to_vec(),
        }
    }

    /// Reads it out of proven slots.
    pub(super) fn of(self, proven: &Proven) -> Result<Record, ProofError> {
        match self {
            Self::Anchor { issuer, root } => proven.anchor(issuer, root).map(Record::Anchor),
            Self::Status { issuer, purpose } => proven.status(issuer, purpose).map(Record::Status),
        }
    }

    /// Anchors and status records apart.
    pub(super) fn sort(parts: &[Self]) -> (Vec<evidence::AnchorKey>, Vec<evidence::StatusKey>) {
        let (mut anchors, mut statuses) = (Vec::new(), Vec::new());
        for part in parts {
            match *part {
                Self::Anchor { issuer, root } => anchors.push((issuer, root)),
                Self::Status { issuer, purpose } => statuses.push((issuer, purpose)),
            }
        }
        (anchors, statuses)
    }

    /// Asks an endpoint for it.
    pub(super) async fn ask(self, registry: &Registry, at: BlockTag) -> Result<Record, Error> {
        match self {
            Self::Anchor { issuer, root } => registry.anchor_of(issuer, root, at).await.map(Record::Anchor),
            Self::Status { issuer, purpose } => registry.status_of(issuer, purpose, at).await.map(Record::Status),
        }
    }

    /// What it is where nothing was ever written.
    pub(super) fn unwritten(self) -> Record {
        match self {
            Self::Anchor { .. } => Record::Anchor(None),
            Self::Status { .. } => Record::Status(StatusRecord::default()),
        }
    }
}

impl Record {
    /// The same part in an earlier block, as far as its newest state tells; `None` where that block must be read.
    pub(super) fn earlier(self, block: BlockNumber) -> Option<Self> {
        match self {
            Self::Anchor(None) => Some(self),
            // A root is anchored once, so where it is newer than the block it is not in that one's state.
            Self::Anchor(Some(anchor)) if anchor.block > block => Some(Self::Anchor(None)),
            // Only the withdrawal may be newer.
            Self::Anchor(Some(anchor)) => (!anchor.withdrawn).then_some(self),
            // Not written since.
            Self::Status(status) => (status.block <= block).then_some(self),
        }
    }
}

impl Answer for Record {
    fn told(&self) -> String {
        match self {
            Self::Anchor(None) => "says that the root is not anchored".to_owned(),
            Self::Anchor(Some(AnchorRecord { block, size, withdrawn, time })) => {
                let withdrawn = if *withdrawn { ", withdrawn" } else { "" };
                format!("says anchored in block {block} ({time}), {size} leaves{withdrawn}")
            }
            Self::Status(StatusRecord { root, epoch, time, block }) => {
                format!("says status root {root}, epoch {epoch}, of block {block} ({time})")
            }
        }
    }
}

/// Parts of one registry at one block. One that could not be read keeps its error.
#[derive(Clone, Debug, Default)]
pub(super) struct Records(pub(super) HashMap<Part, Result<Record, Error>>);

impl Records {
    /// The anchor of a root; none where it was not asked for.
    pub(super) fn anchor(&self, issuer: Address, root: Hash) -> Result<Option<AnchorRecord>, Error> {
        match self.0.get(&Part::Anchor { issuer, root }) {
            Some(Ok(Record::Anchor(anchor))) => Ok(*anchor),
            Some(Err(error)) => Err(error.clone()),
            _ => Ok(None),
        }
    }

    /// A status record; `None` where it was not asked for.
    pub(super) fn status(&self, issuer: Address, purpose: Purpose) -> Result<Option<StatusRecord>, Error> {
        match self.0.get(&Part::Status { issuer, purpose }) {
            Some(Ok(Record::Status(status))) => Ok(Some(*status)),
            Some(Err(error)) => Err(error.clone()),
            _ => Ok(None),
        }
    }
}
