//! The bits behind a status root, rebuilt from the issuer's published updates. Without I/O: whoever walks asks an
//! endpoint for what [`StatusWalk::wanted`] says, and hands over the answer.
//!
//! Answers are hostile until they fit: every link leads strictly back, every event is of the issuer and purpose
//! asked for, and a tree counts only with the root that the contract states.

use serde_json::Value;

use super::events::{Event, StatusUpdate, read_status_link, status_query};
use crate::{
    Address, BlockNumber, Error, Hash, Purpose, StatusIndex,
    observation::StatusRecord,
    rpc::Unreadable,
    status::{StatusTree, delta},
};

/// Indices toggled at a time: 32 MiB of them.
const TOGETHER: usize = 1 << 22;
/// Deltas held at a time: many times what the largest issuer publishes in its life.
const MAX_BYTES: usize = 256 << 20;

/// Why the bits behind a status root could not be had. None of it speaks against a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the messages say what the fields are
pub enum HistoryFault {
    /// An answer that has another form than Ethereum's JSON-RPC, or the contract's events.
    #[error("{member} of an event is missing, or not of the right form")]
    Answer { member: &'static str },
    /// Events of another contract, issuer, purpose or block, or one of them twice.
    #[error("events of block {block} that were not asked for")]
    NotAsked { block: BlockNumber },
    /// A link that does not lead back.
    #[error("an event of block {block} names block {named} as the one before")]
    Link { block: BlockNumber, named: BlockNumber },
    /// The endpoint keeps no logs of a block that must have one.
    #[error("there are no events of block {block}, where one must be: use an endpoint that keeps history")]
    NoEvents { block: BlockNumber },
    /// The updates are not numbered 1, 2, … up to the record's.
    #[error("the status updates do not lead to epoch {epoch}")]
    Incomplete { epoch: u64 },
    /// The deltas lead elsewhere.
    #[error("the published status updates lead to the root {rebuilt}, the contract states {stated}")]
    Root { rebuilt: Hash, stated: Hash },
    /// They lead elsewhere because the issuer published one that cannot be read.
    #[error("status update {epoch} of the issuer cannot be read: {fault}")]
    Delta { epoch: u64, fault: Error },
    /// More published than is held in memory at a time.
    #[error("the status updates take more than {limit} bytes")]
    TooLong { limit: usize },
}

impl From<Unreadable> for HistoryFault {
    fn from(Unreadable { member }: Unreadable) -> Self {
        Self::Answer { member }
    }
}

/// The walk from a status record back to the first update.
#[derive(Clone, Debug)]
pub struct StatusWalk {
    registry: Address,
    issuer: Address,
    purpose: Purpose,
    record: StatusRecord,
    /// Newest first.
    updates: Vec<Event<StatusUpdate>>,
    next: BlockNumber,
    bytes: usize,
}

impl StatusWalk {
    /// A walk that begins at the block which the record names. `record` is what the contract states.
    pub fn new(registry: Address, issuer: Address, purpose: Purpose, record: StatusRecord) -> Self {
        Self { registry, issuer, purpose, record, updates: Vec::new(), next: record.block, bytes: 0 }
    }

    /// What to ask of `eth_getLogs` next (its one parameter); `None` at the end of the walk.
    pub fn wanted(&self) -> Option<Value> {
        (self.next > BlockNumber(0)).then(|| status_query(self.registry, self.issuer, self.purpose, self.next))
    }

    /// Takes the answer to what was wanted. The walk ends, because every link leads to an earlier block.
    pub fn take(&mut self, answer: &Value) -> Result<(), HistoryFault> {
        let link = read_status_link(self.registry, self.issuer, self.purpose, self.next, answer)?;
        self.bytes += link.events.iter().map(|event| event.what.delta.len()).sum::<usize>();
        if self.bytes > MAX_BYTES {
            return Err(HistoryFault::TooLong { limit: MAX_BYTES });
        }
        self.updates.extend(link.events.into_iter().rev());
        self.next = link.previous;
        Ok(())
    }

    /// The bits, after the end of the walk.
    pub fn tree(mut self) -> Result<StatusTree, HistoryFault> {
        self.updates.reverse();
        check_numbers(&self.updates, &self.record)?;
        rebuild(self.updates.iter().map(|event| &event.what), &self.record)
    }
}

/// Whether updates, oldest first, are numbered 1, 2, … and end with the record's epoch and root.
pub fn check_numbers(updates: &[Event<StatusUpdate>], record: &StatusRecord) -> Result<(), HistoryFault> {
    let numbered = updates.iter().zip(1..).all(|(update, number)| update.what.epoch == number);
    let last = updates.last().map_or((0, Hash::ZERO), |update| (update.what.epoch, update.what.root));
    let leads_there = numbered && last == (record.epoch, record.root);
    if leads_there { Ok(()) } else { Err(HistoryFault::Incomplete { epoch: record.epoch }) }
}

/// The bits after the first `record.epoch` updates, oldest first. [`HistoryFault::Root`] unless their root is the
/// record's, or [`HistoryFault::Delta`] where one of them could not be read.
///
/// Only the last root is looked at, which is all that a verifier needs.
pub fn rebuild<'a>(
    updates: impl IntoIterator<Item = &'a StatusUpdate>,
    record: &StatusRecord,
) -> Result<StatusTree, HistoryFault> {
    let mut tree = StatusTree::new();
    let (mut toggled, mut unread) = (Vec::new(), None);
    for update in updates.into_iter().take_while(|update| update.epoch <= record.epoch) {
        match delta::decode(&update.delta) {
            Ok(indices) => toggled.extend(indices),
            Err(fault) => unread = unread.or(Some(HistoryFault::Delta { epoch: update.epoch, fault })),
        }
        if toggled.len() > TOGETHER {
            toggle(&mut tree, &mut toggled);
        }
    }
    toggle(&mut tree, &mut toggled);
    let rebuilt = tree.root();
    if rebuilt == record.root {
        return Ok(tree);
    }
    Err(unread.unwrap_or(HistoryFault::Root { rebuilt, stated: record.root }))
}

/// Toggles many updates at once: most of the work on the way to the root is then done once. Twice toggled is not toggled.
fn toggle(tree: &mut StatusTree, toggled: &mut Vec<StatusIndex>) {
    toggled.sort_unstable();
    let odd: Vec<_> = toggled.chunk_by(|a, b| a == b).filter(|same| same.len() % 2 == 1).map(|same| same[0]).collect();
    tree.toggle(&odd);
    toggled.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(epoch: u64, tree: &mut StatusTree, indices: &[u64]) -> StatusUpdate {
        let indices: Vec<_> = indices.iter().map(|&n| StatusIndex::new(n).expect("in range")).collect();
        tree.toggle(&indices);
        StatusUpdate { epoch, root: tree.root(), delta: delta::encode(&indices).expect("ascending") }
    }

    fn record(update: &StatusUpdate) -> StatusRecord {
        StatusRecord { root: update.root, epoch: update.epoch, ..StatusRecord::default() }
    }

    #[test]
    fn bits_are_rebuilt_at_every_record() {
        let mut tree = StatusTree::new();
        let updates = [update(1, &mut tree, &[1, 900_000]), update(2, &mut tree, &[1, 7]), update(3, &mut tree, &[7])];
        for (count, last) in (1..).zip(&updates) {
            let rebuilt = rebuild(&updates, &record(last)).expect("the right root");
            assert_eq!((rebuilt.root(), last.epoch), (last.root, count));
        }
        assert_eq!(rebuild(&updates, &StatusRecord::default()).map(|tree| tree.root()), Ok(Hash::ZERO));
    }

    #[test]
    fn another_root_is_no_tree_and_an_unreadable_delta_is_named() {
        let mut tree = StatusTree::new();
        let mut updates = [update(1, &mut tree, &[1]), update(2, &mut tree, &[2])];
        let stated = record(&updates[1]);
        updates[0].delta = vec![0x80];
        let fault = HistoryFault::Delta { epoch: 1, fault: Error::DeltaCutOff };
        assert_eq!(rebuild(&updates, &stated).err(), Some(fault));
        updates[0].delta = vec![5];
        assert!(matches!(rebuild(&updates, &stated), Err(HistoryFault::Root { .. })));
    }

    #[test]
    fn a_walk_that_was_never_needed_wants_nothing() {
        let walk = StatusWalk::new(super::super::ADDRESS, Address::default(), Purpose(0), StatusRecord::default());
        assert_eq!((walk.wanted(), walk.tree().map(|tree| tree.root())), (None, Ok(Hash::ZERO)));
    }

    #[test]
    fn a_walk_that_ends_early_has_no_tree() {
        let record = StatusRecord { epoch: 1, block: BlockNumber(9), ..StatusRecord::default() };
        let mut walk = StatusWalk::new(super::super::ADDRESS, Address::default(), Purpose(0), record);
        assert_eq!(walk.wanted().expect("a block")["fromBlock"], "0x9");
        assert_eq!(walk.take(&serde_json::json!([])), Err(HistoryFault::NoEvents { block: BlockNumber(9) }));
        assert_eq!(walk.tree().err(), Some(HistoryFault::Incomplete { epoch: 1 }));
    }
}
