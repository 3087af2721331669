//! What was true at a moment: a look at the chain, turned back.
//!
//! Anchors and status are taken as they were; a withdrawal counts whenever it came, because it says that the batch
//! should never have been.
//!
//! The anchors and the newest status root are those that the look proved or agreed on. Which block was the newest then,
//! and which updates had come by then, one endpoint tells: its updates must lead to the newest root.

use std::{collections::HashMap, sync::Arc};

use testamur_chain::{
    Basis, BlockTag, Endpoint, Error, Registry, history,
    observe::{Origin, Sighting, StatusOrigin},
};
use testamur_core::{
    Address, Hash, Purpose, Receipt, UnixSeconds,
    observation::{AnchorRecord, BlockRef, Observation, StatusAt, StatusRecord, StatusSeen, Unseen},
    status::StatusTree,
};

/// The endpoints that can be asked about a moment, the one that told something last in front.
pub(crate) struct Past<'a>(Vec<Memory<'a>>);

impl<'a> Past<'a> {
    pub(crate) fn new(endpoints: impl Iterator<Item = &'a Endpoint>, moment: UnixSeconds) -> Self {
        Self(endpoints.map(|endpoint| Memory::new(endpoint, moment)).collect())
    }

    /// Turns a sighting back to the moment. What cannot be turned back cannot be seen.
    pub(crate) async fn turn_back(&mut self, receipt: &Receipt, sighting: Sighting) -> Sighting {
        let Ok(seen) = &sighting.look else { return sighting };
        let mut fault = Sighting::unseen(Unseen::Unreachable, "no endpoint that answers can look back".to_owned());
        for _ in 0..self.0.len() {
            let memory = &mut self.0[0];
            match memory.observation(receipt, seen.clone()).await {
                Ok((seen, origins)) => {
                    let basis = sighting.basis.as_deref().map(|basis| memory.basis(basis));
                    return Sighting { look: Ok(seen), origins, basis };
                }
                Err(error) => fault = error.into(),
            }
            self.0.rotate_left(1);
        }
        fault
    }
}

/// What one endpoint told. Receipts share it.
struct Memory<'a> {
    endpoint: &'a Endpoint,
    moment: UnixSeconds,
    block: Option<BlockRef>,
    trees: HashMap<(Address, Address, Purpose), (StatusRecord, StatusTree)>,
    basis: Option<Arc<Basis>>,
}

impl<'a> Memory<'a> {
    fn new(endpoint: &'a Endpoint, moment: UnixSeconds) -> Self {
        Self { endpoint, moment, block: None, trees: HashMap::new(), basis: None }
    }

    /// The basis of the look, with this endpoint as the one that told the rest.
    fn basis(&mut self, look: &Basis) -> Arc<Basis> {
        let by = || Some(self.endpoint.to_string());
        self.basis.get_or_insert_with(|| Arc::new(Basis { looked_back_by: by(), ..look.clone() })).clone()
    }

    async fn observation(
        &mut self,
        receipt: &Receipt,
        seen: Observation,
    ) -> Result<(Observation, Vec<StatusOrigin>), Error> {
        let block = self.block(seen.settled).await?;
        let (mut status, mut origins) = (Vec::new(), Vec::new());
        for StatusSeen { purpose, settled, .. } in &seen.status {
            let (record, tree) = self.tree(receipt, *purpose, &settled.record).await?;
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

    /// The record at the moment, and the bits behind it. `newest` is the one at the settled block.
    async fn tree(
        &mut self,
        receipt: &Receipt,
        purpose: Purpose,
        newest: &StatusRecord,
    ) -> Result<&(StatusRecord, StatusTree), Error> {
        let key = (receipt.registry, receipt.issuer, purpose);
        if !self.trees.contains_key(&key) {
            let registry = Registry::new(self.endpoint.clone(), receipt.registry);
            let updates = history::status_updates(&registry, receipt.issuer, purpose, newest).await?;
            let record = history::record_at(&registry, &updates, newest, self.moment).await?;
            let tree = history::rebuild(&updates, &record)?;
            self.trees.insert(key, (record, tree));
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
