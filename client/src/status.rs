//! Is it still good? What a look at the chain says about one place in the status trees, and whom the bits were asked
//! of ([`server`]).
//!
//! Nobody is believed: bits count under the root that the chain states. So an answer is as good from a stranger's
//! mirror as from the issuer's node, or rebuilt from the chain.

pub mod server;

use std::{collections::BTreeSet, sync::Arc};

use serde::Serialize;
use testamur_chain::{
    observe::{Origin, Sighting, StatusOrigin},
    quorum::Basis,
};
use testamur_core::{
    BlockNumber, Hash, Purpose, Receipt, StatusIndex, UnixSeconds,
    observation::{BlockRef, Finality, Observation, StatusAt, StatusSeen, Unseen},
    receipt,
};

use crate::{chains::Chains, node::Place};

pub use server::{StatusServer, Trouble};

/// A look at the chain, and what the status bits in it rest on.
#[derive(Clone, Debug)]
pub struct Sight {
    /// What was seen.
    pub seen: Observation,
    /// What the bits of each purpose rest on.
    pub origins: Vec<StatusOrigin>,
    /// Which endpoints agreed on what, and what was proven.
    pub basis: Option<Arc<Basis>>,
}

/// The status in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Neither revoked nor suspended.
    Good,
    /// It could not be told.
    Unknown,
    /// Invalid for now.
    Suspended,
    /// Invalid for good.
    Revoked,
}

/// The status of one index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// In one word.
    pub status: State,
    /// Whether the settled block says the same as the newest one.
    pub settled: bool,
    /// The newest block, of which it speaks.
    pub block: BlockRef,
    /// The newest block that will not be undone.
    pub settled_block: BlockRef,
    /// What each purpose says.
    pub purposes: Vec<Bit>,
}

/// What one purpose says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bit {
    /// Which one.
    pub purpose: Purpose,
    /// The bit at the newest block; `None`: unknown.
    pub set: Option<bool>,
    /// The bit at the settled block.
    pub set_at_settled: Option<bool>,
    /// The issuer's updates up to the newest block.
    pub epoch: u64,
    /// The time of the last one; `None` where there was none.
    pub updated: Option<UnixSeconds>,
    /// What the bit rests on.
    pub source: String,
}

impl Sight {
    /// What it says about an index, as far as the purposes asked for go.
    pub fn answer(&self, index: StatusIndex, wanted: impl Fn(Purpose) -> bool) -> Answer {
        let bits = self.seen.status.iter().filter(|seen| wanted(seen.purpose)).map(|seen| self.bit(seen, index));
        let purposes: Vec<Bit> = bits.collect();
        let states = || purposes.iter().map(Bit::state);
        let status = states().max().unwrap_or(State::Unknown);
        let settled = match status {
            State::Good => true,
            State::Unknown => false,
            set => purposes.iter().any(|bit| bit.state() == set && bit.set_at_settled == Some(true)),
        };
        Answer { status, settled, block: self.seen.head, settled_block: self.seen.settled, purposes }
    }

    fn bit(&self, seen: &StatusSeen, index: StatusIndex) -> Bit {
        let StatusSeen { purpose, head, settled } = seen;
        let (set, set_at_settled) = (bit(head, index), bit(settled, index));
        let origin = self.origins.iter().find(|origin| origin.purpose == *purpose);
        let origin =
            origin.map(|origin| if set.is_some() && set_at_settled.is_none() { &origin.settled } else { &origin.head });
        let source = origin.unwrap_or(&Origin::Root).to_string();
        let updated = (head.record.epoch > 0).then_some(head.record.time);
        Bit { purpose: *purpose, set, set_at_settled, epoch: head.record.epoch, updated, source }
    }
}

impl Answer {
    /// What the bits rest on, beside the roots on chain, if anything.
    pub fn sources(&self) -> String {
        let root = Origin::Root.to_string();
        let sources: BTreeSet<&str> = self.purposes.iter().map(|bit| bit.source.as_str()).collect();
        let beside: Vec<&str> = sources.into_iter().filter(|source| *source != root).collect();
        if beside.is_empty() { root } else { beside.join("; ") }
    }
}

impl Bit {
    /// A set bit counts at once, a cleared one when it is settled.
    fn state(&self) -> State {
        match (self.set, self.set_at_settled) {
            (Some(true), _) | (_, Some(true)) if self.purpose == Purpose::REVOCATION => State::Revoked,
            (Some(true), _) | (_, Some(true)) => State::Suspended,
            (Some(false), Some(false)) => State::Good,
            _ => State::Unknown,
        }
    }
}

/// Looks at the status of indices that no document brings. Answers in their order.
pub async fn look(
    chains: &Chains,
    place: Place,
    indices: &[StatusIndex],
    finality: Finality,
) -> Vec<Result<Sight, (Unseen, String)>> {
    let receipts: Vec<_> = indices.iter().map(|&index| unanchored(place, index)).collect();
    let sightings = chains.observe(&receipts.iter().collect::<Vec<_>>(), finality).await;
    let sight = |Sighting { look, origins, basis }| look.map(|seen| Sight { seen, origins, basis });
    sightings.into_iter().map(sight).collect()
}

/// A receipt as far as a look at the status needs one. Nobody can anchor its root: it is nobody's hash.
fn unanchored(place: Place, status_index: StatusIndex) -> Receipt {
    let Place { issuer, chain, registry } = place;
    Receipt {
        version: receipt::VERSION,
        leaf_index: 0,
        tree_size: 1,
        status_index,
        path: Vec::new(),
        root: Hash::ZERO,
        issuer,
        chain,
        registry,
        transaction: Hash::ZERO,
        block: BlockNumber(0),
    }
}

/// The bit that a proof says under the contract's root; `None` where there is no such proof.
fn bit(at: &StatusAt, index: StatusIndex) -> Option<bool> {
    if at.record.root == Hash::ZERO {
        return Some(false);
    }
    let proof = at.proof.as_ref()?;
    (proof.root(index) == Ok(at.record.root)).then(|| proof.bit(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(purpose: Purpose, set: Option<bool>, set_at_settled: Option<bool>) -> State {
        Bit { purpose, set, set_at_settled, epoch: 1, updated: None, source: String::new() }.state()
    }

    #[test]
    fn a_set_bit_counts_at_once_and_a_cleared_one_when_it_is_settled() {
        use State::{Good, Revoked, Suspended, Unknown};
        let (set, clear, unknown) = (Some(true), Some(false), None);
        for (head, settled, revocation, suspension) in [
            (clear, clear, Good, Good),
            (set, clear, Revoked, Suspended),
            (clear, set, Revoked, Suspended),
            (set, unknown, Revoked, Suspended),
            (unknown, set, Revoked, Suspended),
            (clear, unknown, Unknown, Unknown),
            (unknown, clear, Unknown, Unknown),
            (unknown, unknown, Unknown, Unknown),
        ] {
            assert_eq!(state(Purpose::REVOCATION, head, settled), revocation, "{head:?} {settled:?}");
            assert_eq!(state(Purpose::SUSPENSION, head, settled), suspension, "{head:?} {settled:?}");
        }
        // What is worse decides between the purposes, and what is unknown is not good.
        assert!(Revoked > Suspended && Suspended > Unknown && Unknown > Good);
    }
}
