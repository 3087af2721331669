//! Evidence: everything that a verifier without a network needs beside the documents and one trusted block hash.

use super::View;
use crate::{
    BlockNumber, ChainId, Hash, Purpose, Receipt, UnixSeconds,
    observation::{BlockRef, Finality, Observation, StatusAt, StatusSeen, Unseen},
};

/// What a verdict asks about: the two purposes that the protocol fixes.
const PURPOSES: [Purpose; 2] = [Purpose::REVOCATION, Purpose::SUSPENSION];

/// Views of chains, and what was seen of issuers, for one document or a whole class.
///
/// Everything in it is checked, and proves what is so *if* a block hash is the chain's: see [`Self::observe`]. It
/// holds no documents.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Blocks and what they prove.
    pub views: Vec<View>,
    /// Receipts of documents that do not carry theirs.
    pub receipts: Vec<Receipt>,
    /// What issuers' hosts answered. **Nothing proves these**: they are worth as much as whoever packed them, and a
    /// verifier's policy decides whether they count.
    pub documents: Vec<IdentityDocument>,
}

/// A document about an issuer, as somebody saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityDocument {
    /// Where.
    pub url: String,
    /// When.
    pub as_of: UnixSeconds,
    /// What.
    pub bytes: Vec<u8>,
}

/// What evidence lacks to speak of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceGap {
    /// It has no proof about this receipt's root.
    #[error("the evidence does not speak of this batch on {chain}")]
    NotCovered {
        /// The receipt's chain.
        chain: ChainId,
    },
    /// It has one, under a block that the verifier has no reason to trust.
    #[error("the evidence rests on block {} of {chain} ({}), which is not trusted", block.number, block.hash)]
    NotTrusted {
        /// The chain.
        chain: ChainId,
        /// The newest block under which there is a proof.
        block: BlockRef,
    },
}

impl EvidenceGap {
    /// What a verifier who met this gap may say: that it could not see, never that something is false.
    pub fn unseen(self) -> Unseen {
        match self {
            Self::NotCovered { chain } => Unseen::NoEvidence { wanted: chain },
            Self::NotTrusted { chain, block } => {
                Unseen::BlockNotTrusted { chain, block: block.number, hash: block.hash }
            }
        }
    }
}

impl Evidence {
    /// What the evidence shows for a receipt under the newest block that is `trusted` to be the chain's. `finality`
    /// says how settled trusted blocks are: that is as far as the trust goes. Newest and settled block are the same
    /// here, and the age of the status is that block's age.
    pub fn observe(
        &self,
        receipt: &Receipt,
        trusted: &dyn Fn(ChainId, BlockNumber, Hash) -> bool,
        finality: Finality,
    ) -> Result<Observation, EvidenceGap> {
        let chain = receipt.chain;
        let mut views: Vec<_> = self.views.iter().filter(|view| covers(view, receipt)).collect();
        // Those that tell the whole status first, then the newest.
        views.sort_by_key(|view| (tells_status(view, receipt), view.block().number));
        let newest = views.last().ok_or(EvidenceGap::NotCovered { chain })?;
        let is_trusted = |view: &&&View| trusted(chain, view.block().number, view.block().hash);
        let view = views.iter().rev().find(is_trusted);
        let view = view.ok_or(EvidenceGap::NotTrusted { chain, block: newest.block() })?;
        look(view, receipt, finality).ok_or(EvidenceGap::NotCovered { chain })
    }
}

fn covers(view: &View, receipt: &Receipt) -> bool {
    let proven = view.proven(receipt.registry).filter(|_| view.chain() == receipt.chain);
    proven.is_some_and(|proven| proven.anchor(receipt.issuer, receipt.root).is_ok())
}

fn tells_status(view: &View, receipt: &Receipt) -> bool {
    PURPOSES.iter().all(|&purpose| is_known(&status(view, receipt, purpose)))
}

fn status(view: &View, receipt: &Receipt, purpose: Purpose) -> Option<StatusAt> {
    view.status(receipt.registry, (receipt.issuer, purpose), receipt.status_index).ok()
}

fn is_known(status: &Option<StatusAt>) -> bool {
    status.as_ref().is_some_and(|status| status.record.root == Hash::ZERO || status.proof.is_some())
}

fn look(view: &View, receipt: &Receipt, finality: Finality) -> Option<Observation> {
    let proven = view.proven(receipt.registry)?;
    let anchor = proven.anchor(receipt.issuer, receipt.root).ok()?;
    let seen = |purpose| {
        let at = status(view, receipt, purpose)?;
        Some(StatusSeen { purpose, head: at.clone(), settled: at })
    };
    let mut status: Vec<_> = PURPOSES.into_iter().filter_map(seen).collect();
    if status.len() < PURPOSES.len() {
        // Whoever packs evidence must not hide a set bit by leaving out its purpose: what is clear tells nothing alone.
        let is_set = |proof: &crate::status::StatusProof| proof.bit(receipt.status_index);
        status.retain(|seen| seen.head.proof.as_ref().is_some_and(is_set));
    }
    Some(Observation {
        chain: view.chain(),
        registry: receipt.registry,
        code_hash: proven.code_hash(),
        issuer: receipt.issuer,
        root: receipt.root,
        head: view.block(),
        settled: view.block(),
        finality,
        anchor_at_head: anchor,
        anchor_settled: anchor,
        status,
    })
}
