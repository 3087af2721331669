//! What every document about a list states, whatever its format: the bits, and their path to the root on chain.

use serde::Serialize;
use serde_json::Value;
use testamur_chain::TreeAt;
use testamur_core::{
    Address, BlockNumber, ChainId, Hash, ListNumber, Purpose, UnixSeconds,
    observation::BlockRef,
    status::{ListProof, StatusList},
};

/// The name of [`Anchored`] in formats of others: an IRI for JSON-LD, a claim for JWT and CWT.
pub const ANCHORED: &str = "urn:testamur:anchored";
/// Seconds for which a signed list counts.
const LIFETIME: u64 = 6 * 3600;
/// Signed lists are dated by the full hour, so that a list is signed once an hour and not once a block.
const DATED: u64 = 3600;

/// Where the root stands to which a list leads. With the list's bits this needs nobody's signature: `path` leads from
/// them to `root`, and `root` is what the registry's `statusOf(issuer, purpose)` says since `updated`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Anchored {
    /// The issuer's account.
    pub issuer: Address,
    /// The chain.
    pub chain: ChainId,
    /// The registry contract.
    pub registry: Address,
    /// What a set bit says.
    pub purpose: Purpose,
    /// Which list of this issuer and purpose.
    pub list: ListNumber,
    /// Updates up to this root; 0 where there was none.
    pub epoch: u64,
    /// The root of all lists.
    pub root: Hash,
    /// Where the update stands that left this root; zeros where there was none.
    pub updated: Updated,
    /// From the list's own root to that root.
    pub path: ListProof,
}

/// The place of an update.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Updated {
    /// Its block.
    pub block: BlockNumber,
    /// The time of that block.
    pub time: UnixSeconds,
}

/// One list at one block.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The list's bits.
    pub bits: StatusList,
    /// Where their root stands.
    pub anchored: Anchored,
    /// The block at which this was read.
    pub block: BlockRef,
    /// When it was signed, as it says itself.
    pub dated: UnixSeconds,
    /// Where this list is served.
    pub url: String,
}

impl Statement {
    /// What the bits at a block say of a list. The bits are known there: see [`TreeAt::bits`].
    pub fn new(source: Source, list: ListNumber, at: &TreeAt) -> Self {
        let Source { chain, registry, issuer, purpose, url } = source;
        let TreeAt { tree, record, block, .. } = at;
        let updated = Updated { block: record.block, time: record.time };
        let (epoch, root, path) = (record.epoch, record.root, tree.list_proof(list));
        let anchored = Anchored { issuer, chain, registry, purpose, list, epoch, root, updated, path };
        Self { bits: tree.list(list), anchored, block: *block, dated: dated(at), url }
    }

    /// Until when it counts.
    pub fn expires(&self) -> UnixSeconds {
        UnixSeconds(self.dated.0.saturating_add(LIFETIME))
    }

    /// [`Anchored`] as JSON.
    pub fn anchored_json(&self) -> Value {
        serde_json::to_value(&self.anchored).expect("plain values with text keys")
    }
}

/// Whose lists, and where they are served.
#[derive(Clone, Debug)]
pub struct Source {
    /// The chain.
    pub chain: ChainId,
    /// The registry contract.
    pub registry: Address,
    /// The issuer's account.
    pub issuer: Address,
    /// What a set bit says.
    pub purpose: Purpose,
    /// The URL of the list.
    pub url: String,
}

/// The date of what is signed: not from the signer's clock, which knows nothing of the chain, but from the block. So a
/// server that no longer sees the chain cannot call its lists fresh.
pub fn dated(at: &TreeAt) -> UnixSeconds {
    let hour = at.block.time.0 - at.block.time.0 % DATED;
    UnixSeconds(hour.max(at.record.time.0))
}
