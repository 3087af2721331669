//! The status bits behind a root: rebuilt from the issuer's published updates, walked back through the chain one block at
//! a time. Nobody is believed: bits count under the root that was read from the contract.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};
use testamur_core::{
    Address, Hash, Purpose, StatusIndex, UnixSeconds,
    observation::{StatusAt, StatusRecord, StatusSeen},
    registry::history::StatusWalk,
    status::StatusTree,
};

use crate::quorum::{Blind, Quorum};

/// Blocks with updates that are walked back at most: a walk of a quarter of an hour, at 50 ms each.
const MAX_LINKS: usize = 20_000;

/// What a bit rests on under the zero root, where none is set.
const ROOT: &str = "the status root on chain";

/// The bits of one purpose, at the newest block and at the settled one.
pub struct Bits {
    /// At the newest block.
    pub head: StatusAt,
    /// At the settled one.
    pub settled: StatusAt,
    source: String,
}

/// What a page tells of one purpose.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusBit {
    purpose: String,
    set: Option<bool>,
    set_at_settled: Option<bool>,
    epoch: u64,
    updated: Option<UnixSeconds>,
    source: String,
}

impl Bits {
    /// Bits that evidence shows.
    pub fn kept(seen: &StatusSeen) -> Self {
        Self { head: seen.head.clone(), settled: seen.settled.clone(), source: "the evidence that was kept".to_owned() }
    }

    /// In words.
    pub fn told(&self, purpose: Purpose, index: StatusIndex) -> StatusBit {
        let record = self.head.record;
        StatusBit {
            purpose: purpose.to_string(),
            set: bit(&self.head, index),
            set_at_settled: bit(&self.settled, index),
            epoch: record.epoch,
            updated: (record.epoch > 0).then_some(record.time),
            source: self.source.clone(),
        }
    }
}

fn bit(at: &StatusAt, index: StatusIndex) -> Option<bool> {
    if at.record.root == Hash::ZERO { Some(false) } else { at.proof.as_ref().map(|proof| proof.bit(index)) }
}

/// The updates of one issuer and purpose, to be walked through.
pub struct Updates<'a> {
    /// Who is asked.
    pub quorum: &'a Quorum,
    /// The contract.
    pub registry: Address,
    /// Whose bits.
    pub issuer: Address,
    /// Which bits.
    pub purpose: Purpose,
    /// What the contract says at the newest block and at the settled one.
    pub records: [StatusRecord; 2],
    /// The bit that is wanted.
    pub index: StatusIndex,
}

impl Updates<'_> {
    /// The wanted bit at both blocks. A history that cannot be had leaves it unknown.
    pub async fn bits(self) -> Bits {
        let [head, settled] = self.records;
        let mut links = HashMap::new();
        // The newer walk passes through the blocks of the older one.
        let (head, source) = self.bit(head, &mut links).await;
        let (settled, older) = self.bit(settled, &mut links).await;
        Bits { head, settled, source: if source == ROOT { older } else { source } }
    }

    async fn bit(&self, record: StatusRecord, links: &mut HashMap<String, Value>) -> (StatusAt, String) {
        let at = |proof| StatusAt { record, proof };
        if record.root == Hash::ZERO {
            return (at(None), ROOT.to_owned());
        }
        match self.tree(record, links).await {
            Ok(tree) => (at(Some(tree.proof(self.index))), "rebuilt from the chain".to_owned()),
            Err(why) => (at(None), format!("unknown: {why}")),
        }
    }

    /// All bits of a record. `links` are the answers that are known already.
    async fn tree(&self, record: StatusRecord, links: &mut HashMap<String, Value>) -> Result<StatusTree, String> {
        let mut walk = StatusWalk::new(self.registry, self.issuer, self.purpose, record);
        while let Some(query) = walk.wanted() {
            let asked = query.to_string();
            if let Some(known) = links.get(&asked) {
                walk.take(known).map_err(|fault| fault.to_string())?;
                continue;
            }
            if links.len() == MAX_LINKS {
                return Err(format!("more than {MAX_LINKS} blocks with updates"));
            }
            let take = |answer: Value| walk.take(&answer).map(|()| answer).map_err(|fault| fault.to_string());
            let link = self.quorum.any("eth_getLogs", json!([query]), take).await;
            let (answer, _) = link.map_err(|(_, detail): Blind| detail)?;
            links.insert(asked, answer);
        }
        walk.tree().map_err(|fault| fault.to_string())
    }
}
