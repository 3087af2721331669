//! The status of one issuer and purpose, kept up to date block after block: what a mirror does.
//!
//! An update is settled once its block is; until then the tree after each is kept, so that a reorganisation is
//! undone by forgetting. What is settled is never undone: a chain that contradicts it is reported, and the follower
//! begins again from nothing. No answer of the endpoint is taken over before the head is seen to stand still.

mod walk;

use testamur_core::{
    Address, BlockNumber, Hash, Purpose,
    observation::{BlockRef, StatusRecord},
    status::StatusTree,
};

pub use crate::replay::Finding;
use crate::{
    Error, Registry,
    history::{Event, StatusUpdate},
    replay::Replay,
};
use walk::Walk;

/// The status of one issuer and purpose at two blocks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct StatusView {
    /// Whose bits.
    pub issuer: Address,
    /// Which bits.
    pub purpose: Purpose,
    /// At the newest block: a set bit counts at once.
    pub head: TreeAt,
    /// At the settled block: a cleared bit counts only here.
    pub settled: TreeAt,
}

/// A status tree at one block.
#[derive(Clone, Debug)]
pub struct TreeAt {
    /// The block.
    pub block: BlockRef,
    /// What the contract says there.
    pub record: StatusRecord,
    /// The bits after the deltas so far. Without a fault `tree.root() == record.root`.
    pub tree: StatusTree,
    /// Why the bits are unknown: [`Error::StatusRoot`] or [`Error::Delta`].
    pub fault: Option<Error>,
}

impl TreeAt {
    /// The bits, where they are known.
    pub fn bits(&self) -> Result<&StatusTree, Error> {
        self.fault.clone().map_or(Ok(&self.tree), Err)
    }
}

/// Where a follower begins: the bits after one update.
#[derive(Clone, Debug)]
pub struct Base {
    /// The update's number; 0 where there was none.
    pub epoch: u64,
    /// The root that it stated.
    pub root: Hash,
    /// Its block.
    pub block: BlockNumber,
    /// The bits after it.
    pub tree: StatusTree,
}

/// What a look at the chain changed.
#[derive(Clone, Debug, Default)]
pub struct Advance {
    /// Updates that a reorganisation undid, ascending.
    pub undone: Vec<u64>,
    /// New ones, oldest first.
    pub applied: Vec<Event<StatusUpdate>>,
    /// What is wrong with those.
    pub findings: Vec<Finding>,
}

/// Follows the status updates of one issuer and purpose.
#[derive(Debug)]
pub struct Follower {
    issuer: Address,
    purpose: Purpose,
    /// After the newest settled update. Its block hash does not matter any more.
    settled: Step,
    /// After each update that is not settled yet, oldest first.
    recent: Vec<Step>,
    /// The base is a stranger's, and was not compared with the chain yet.
    unchecked: bool,
    walk: Walk,
    seen: Option<Seen>,
    /// Bytes of a tree, at most.
    bound: usize,
}

/// The bits after one update.
#[derive(Clone, Debug)]
struct Step {
    epoch: u64,
    root: Hash,
    block: BlockNumber,
    block_hash: Hash,
    bits: Replay,
}

/// The two blocks of a look, and what the contract says there.
#[derive(Clone, Copy, Debug)]
struct Seen {
    head: (BlockRef, StatusRecord),
    settled: (BlockRef, StatusRecord),
}

impl Step {
    fn is(&self, record: &StatusRecord) -> bool {
        (self.epoch, self.root, self.block) == (record.epoch, record.root, record.block)
    }

    /// Goes on to the next update.
    fn take(&mut self, event: &Event<StatusUpdate>) -> Vec<Finding> {
        let StatusUpdate { epoch, root, .. } = event.what;
        (self.epoch, self.root) = (epoch, root);
        (self.block, self.block_hash) = (event.place.block, event.place.block_hash);
        self.bits.apply(&event.what)
    }

    fn at(&self, (block, record): (BlockRef, StatusRecord)) -> TreeAt {
        TreeAt { block, record, tree: self.bits.tree.clone(), fault: self.bits.fault_under(record.root) }
    }
}

impl Follower {
    /// Begins with nothing known.
    pub fn new(issuer: Address, purpose: Purpose) -> Self {
        let nothing = Base { epoch: 0, root: Hash::ZERO, block: BlockNumber(0), tree: StatusTree::new() };
        Self::resume(issuer, purpose, nothing, &[])
    }

    /// Begins with a stranger's snapshot. The first [`Self::advance`] compares it with the chain, and begins from
    /// nothing after [`Error::StatusRoot`] or [`Error::Contradicted`].
    pub fn from_base(issuer: Address, purpose: Purpose, base: Base) -> Self {
        Self { unchecked: base.epoch > 0, ..Self::resume(issuer, purpose, base, &[]) }
    }

    /// Begins where an earlier follower stopped: its [`Self::base`], and what it applied after that, oldest first.
    /// The chain then says which of those still stand.
    pub fn resume(issuer: Address, purpose: Purpose, base: Base, updates: &[Event<StatusUpdate>]) -> Self {
        let Base { epoch, root, block, tree } = base;
        let bits = Replay::new(purpose, tree);
        let settled = Step { epoch, root, block, block_hash: Hash::ZERO, bits };
        let mut recent: Vec<Step> = Vec::with_capacity(updates.len());
        for event in updates.iter().filter(|event| event.what.epoch > epoch) {
            let mut step = recent.last().unwrap_or(&settled).clone();
            step.take(event);
            recent.push(step);
        }
        let (walk, bound) = (Walk::default(), usize::MAX);
        Self { issuer, purpose, settled, recent, unchecked: false, walk, seen: None, bound }
    }

    /// Takes no tree of more than about so many bytes: [`Error::TooLong`]. For issuers that nobody vouches for, who may
    /// publish bits only to fill the memory of those who follow.
    pub fn bounded(mut self, bytes: usize) -> Self {
        self.bound = bytes;
        self
    }

    /// Brings the view to a new pair of blocks.
    ///
    /// After an error the view stays as it was, and what was walked is kept for the next call; the same holds when
    /// the call is dropped. After [`Error::Contradicted`] the next call begins from nothing, and until it succeeds
    /// there is no view. Where [`Error::is_transient`], the same call may succeed in a moment.
    pub async fn advance(&mut self, registry: &Registry, head: BlockRef, settled: BlockRef) -> Result<Advance, Error> {
        let advanced = self.look(registry, head, settled).await;
        if let Err(error @ (Error::Contradicted { .. } | Error::StatusRoot { .. })) = &advanced {
            tracing::error!(issuer = %self.issuer, purpose = %self.purpose, %error, "beginning again from nothing");
            *self = Self::new(self.issuer, self.purpose).bounded(self.bound);
        }
        advanced
    }

    /// The bits as the last successful [`Self::advance`] found them; `None` before the first.
    pub fn view(&self) -> Option<StatusView> {
        let Seen { head, settled } = self.seen?;
        let (issuer, purpose) = (self.issuer, self.purpose);
        Some(StatusView { issuer, purpose, head: self.newest().at(head), settled: self.settled.at(settled) })
    }

    /// What is settled: kept together with the updates after it, it resumes this follower.
    pub fn base(&self) -> Base {
        let Step { epoch, root, block, ref bits, .. } = self.settled;
        Base { epoch, root, block, tree: bits.tree.clone() }
    }

    async fn look(&mut self, registry: &Registry, head: BlockRef, settled: BlockRef) -> Result<Advance, Error> {
        let (at_head, settled, at_settled) = self.read(registry, head, settled).await?;
        let stands = self.standing(registry, &at_head).await;
        let at_settled = match (at_settled, &stands) {
            (None, Ok(stands)) => self.newest_until(registry, *stands, settled.number).await?,
            (record, _) => record.unwrap_or_default(),
        };
        let seen = Seen { head: (head, at_head), settled: (settled, at_settled) };
        if !matches!(&stands, Err(error) if error.is_transient()) && !registry.endpoint().has(head).await? {
            return Err(Error::Reorganised { block: head.number });
        }
        self.take_over(stands?, seen).await
    }

    /// The contract's records at the head and at the settled block. An endpoint that is behind does not make anything
    /// less settled; one that does not know the state of that block any more gives no record of it.
    async fn read(
        &self,
        registry: &Registry,
        head: BlockRef,
        settled: BlockRef,
    ) -> Result<(StatusRecord, BlockRef, Option<StatusRecord>), Error> {
        let before = self.seen.map(|seen| seen.settled).filter(|(before, _)| before.number > settled.number);
        let known = before.map_or(self.settled.block, |(before, _)| before.number);
        let newest = if before.is_some() { head } else { settled };
        if newest.number < known {
            return Err(Error::Behind { block: newest.number, known });
        }
        let at_head = registry.status_of(self.issuer, self.purpose, head.number.into()).await?;
        match before {
            Some((settled, record)) => Ok((at_head, settled, Some(record))),
            None if at_head.block <= settled.number => Ok((at_head, settled, Some(at_head))), // not written since
            None => match registry.status_of(self.issuer, self.purpose, settled.number.into()).await {
                Err(Error::NoCode { .. }) => Ok((at_head, settled, Some(StatusRecord::default()))), // deployed since
                Err(error @ Error::Rpc { .. }) if !error.is_transient() => Ok((at_head, settled, None)),
                record => Ok((at_head, settled, Some(record?))),
            },
        }
    }

    /// The record that the newest update up to a block left, by the events: what stands, and what was walked.
    async fn newest_until(&self, registry: &Registry, stands: u64, block: BlockNumber) -> Result<StatusRecord, Error> {
        let walked = self.walk.events.iter().map(|event| (event.what.epoch, event.what.root, event.place.block));
        let recent = self.recent.iter().rev().filter(|step| step.epoch <= stands);
        let known = recent.chain([&self.settled]).map(|step| (step.epoch, step.root, step.block));
        let newest = walked.chain(known).find(|(epoch, _, at)| *epoch > 0 && *at <= block);
        let Some((epoch, root, block)) = newest else { return Ok(StatusRecord::default()) };
        let time = registry.endpoint().block(block.into()).await?.time;
        Ok(StatusRecord { root, epoch, time, block })
    }

    /// The newest known update that the chain at the head still has. What comes after it is then in the walk.
    async fn standing(&mut self, registry: &Registry, record: &StatusRecord) -> Result<u64, Error> {
        if self.unchecked {
            self.settled.bits.fault_under(self.settled.root).map_or(Ok(()), Err)?;
        }
        if self.settled.is(record) {
            self.walk.clear();
            return Ok(self.settled.epoch);
        }
        if let Some(known) = self.recent.iter().rev().find(|step| step.is(record)) {
            let block = registry.endpoint().block(known.block.into()).await;
            if block.is_ok_and(|block| block.hash == known.block_hash) {
                self.walk.clear();
                return Ok(known.epoch);
            }
        }
        self.walk_back(registry, record).await
    }

    /// Takes over what was walked, all or nothing.
    async fn take_over(&mut self, stands: u64, seen: Seen) -> Result<Advance, Error> {
        let undone = self.recent.iter().map(|step| step.epoch).filter(|&epoch| epoch > stands).collect();
        if seen.settled.1.epoch <= self.settled.epoch && !self.settled.is(&seen.settled.1) {
            return Err(self.contradicted());
        }
        let mut recent: Vec<_> = self.recent.iter().filter(|step| step.epoch <= stands).cloned().collect();
        let settled_epoch = seen.settled.1.epoch;
        let now_settled = recent.iter().take_while(|step| step.epoch <= settled_epoch).count();
        let mut settled = recent.drain(..now_settled).next_back().unwrap_or_else(|| self.settled.clone());
        let mut findings = Vec::new();
        for event in self.walk.events.iter().rev() {
            // What is settled is changed in place: nobody asks for the tree between two settled updates.
            if event.what.epoch <= settled_epoch {
                findings.extend(settled.take(event));
            } else {
                let mut step = recent.last().unwrap_or(&settled).clone();
                findings.extend(step.take(event));
                recent.push(step);
            }
            if recent.last().unwrap_or(&settled).bits.tree.footprint() > self.bound {
                self.walk.clear();
                return Err(Error::TooLong { issuer: self.issuer, bytes: self.bound });
            }
            tokio::task::yield_now().await; // a long history takes a while
        }
        let newest = recent.last().unwrap_or(&settled);
        if !newest.is(&seen.head.1) || !settled.is(&seen.settled.1) {
            return Err(Error::unusable(format!("the status updates of {} and its records differ", self.issuer)));
        }
        (self.settled, self.recent, self.seen, self.unchecked) = (settled, recent, Some(seen), false);
        Ok(Advance { undone, applied: self.walk.take(), findings })
    }

    fn newest(&self) -> &Step {
        self.recent.last().unwrap_or(&self.settled)
    }

    fn contradicted(&self) -> Error {
        Error::Contradicted { issuer: self.issuer, epoch: self.settled.epoch }
    }
}
