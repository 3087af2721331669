//! What was true at a moment: a look at the chain, turned back.
//!
//! Anchors and status are taken as they were; a withdrawal counts whenever it came, because it says that the batch
//! should never have been.

use std::collections::HashMap;

use testamur_chain::{
    BlockTag, Endpoint, Error, Registry, history,
    observe::{Origin, Sighting, StatusOrigin},
};
use testamur_core::{
    Address, Hash, Purpose, Receipt, UnixSeconds,
    observation::{AnchorRecord, BlockRef, Observation, StatusAt, StatusRecord, StatusSeen},
    status::StatusTree,
};

/// What receipts share: the bits of an issuer at the moment, and the block then.
pub(crate) struct Past<'a> {
    endpoint: &'a Endpoint,
    moment: UnixSeconds,
    block: Option<BlockRef>,
    trees: HashMap<(Address, Address, Purpose), (StatusRecord, StatusTree)>,
}

impl<'a> Past<'a> {
    pub(crate) fn new(endpoint: &'a Endpoint, moment: UnixSeconds) -> Self {
        Self { endpoint, moment, block: None, trees: HashMap::new() }
    }

    /// Turns a sighting back to the moment. What cannot be turned back cannot be seen.
    pub(crate) async fn turn_back(&mut self, receipt: &Receipt, sighting: Sighting) -> Sighting {
        let Ok(seen) = sighting.look else { return sighting };
        match self.observation(receipt, seen).await {
            Ok((seen, origins)) => Sighting { look: Ok(seen), origins },
            Err(error) => Sighting { look: Err((error.unseen(), error.to_string())), origins: Vec::new() },
        }
    }

    async fn observation(
        &mut self,
        receipt: &Receipt,
        seen: Observation,
    ) -> Result<(Observation, Vec<StatusOrigin>), Error> {
        let block = self.block(seen.settled).await?;
        let (mut status, mut origins) = (Vec::new(), Vec::new());
        for StatusSeen { purpose, .. } in &seen.status {
            let (record, tree) = self.tree(receipt, *purpose, seen.settled).await?;
            let proof = (record.root != Hash::ZERO).then(|| tree.proof(receipt.status_index));
            let origin = if proof.is_some() { Origin::Rebuilt } else { Origin::Root };
            let at = StatusAt { record: *record, proof };
            status.push(StatusSeen { purpose: *purpose, head: at.clone(), settled: at });
            origins.push(StatusOrigin { purpose: *purpose, head: origin.clone(), settled: origin });
        }
        let moment = self.moment;
        let then = |anchor: Option<AnchorRecord>| anchor.filter(|anchor| anchor.time <= moment);
        let (anchor_at_head, anchor_settled) = (then(seen.anchor_at_head), then(seen.anchor_settled));
        Ok((Observation { head: block, settled: block, anchor_at_head, anchor_settled, status, ..seen }, origins))
    }

    async fn tree(
        &mut self,
        receipt: &Receipt,
        purpose: Purpose,
        settled: BlockRef,
    ) -> Result<&(StatusRecord, StatusTree), Error> {
        let key = (receipt.registry, receipt.issuer, purpose);
        if !self.trees.contains_key(&key) {
            let registry = Registry::new(self.endpoint.clone(), receipt.registry);
            let past = history::past(&registry, receipt.issuer, purpose, self.moment, settled).await?;
            self.trees.insert(key, past);
        }
        Ok(&self.trees[&key])
    }

    /// The newest block at the moment.
    async fn block(&mut self, settled: BlockRef) -> Result<BlockRef, Error> {
        if let Some(block) = self.block {
            return Ok(block);
        }
        if self.moment > settled.time {
            return Err(Error::NotSettled { moment: self.moment, settled: settled.time });
        }
        let (mut from, mut to) = (self.endpoint.block(BlockTag::Number(0)).await?, settled);
        if self.moment < from.time {
            return Err(Error::NoBlock { wanted: format!("{} or older", self.moment) });
        }
        if self.moment >= to.time {
            from = to;
        }
        while to.number.0 - from.number.0 > 1 {
            let middle = from.number.0 + (to.number.0 - from.number.0) / 2;
            let block = self.endpoint.block(BlockTag::Number(middle)).await?;
            if block.time <= self.moment { from = block } else { to = block }
        }
        Ok(*self.block.insert(from))
    }
}
