//! The events of an issuer, walked back from the newest through `previousBlock`, one block at a time: no
//! indexer, no range queries, which public endpoints limit or refuse.
//!
//! Answers are hostile until they fit: every link leads strictly back, every event is of the issuer and kind
//! asked for, and a status tree counts only with the root that the contract states.

use alloy::{
    primitives::{B256, Bytes, U64},
    sol_types::SolEvent,
};
use serde::Deserialize;
use testamur_core::{
    Address, BlockNumber, Hash, Purpose, StatusIndex, UnixSeconds,
    observation::{BlockRef, StatusRecord},
    status::{StatusTree, delta},
};

use crate::{
    Error, Registry, Roles,
    contract::{abi, from_alloy, to_alloy},
};

/// JSON-RPC code for what a server keeps no more (EIP-4444).
const PRUNED: i64 = 4444;
/// Indices toggled at a time: 32 MiB of them.
const TOGETHER: usize = 1 << 22;

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its block.
    pub block: BlockNumber,
    /// The hash of that block.
    pub block_hash: Hash,
    /// The transaction that emitted it.
    pub transaction: Hash,
}

/// An event of one of an issuer's chains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<T> {
    /// What happened.
    pub what: T,
    /// Where.
    pub place: Place,
}

/// A batch was anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchored {
    /// The root.
    pub root: Hash,
    /// Leaves of the batch.
    pub size: u64,
}

/// A status root was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusUpdate {
    /// The update's number, from 1.
    pub epoch: u64,
    /// The new root.
    pub root: Hash,
    /// The toggled indices, as published ([`testamur_core::status::delta`]).
    pub delta: Vec<u8>,
}

/// What an issuer did beside anchoring and status updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A batch was withdrawn.
    Withdrawn {
        /// Its root.
        root: Hash,
        /// The issuer's own code.
        reason: u8,
    },
    /// An operator was appointed, or dismissed (no roles).
    OperatorSet {
        /// The operator.
        operator: Address,
        /// What it may do.
        roles: Roles,
        /// The block time from which it may no more.
        expires: UnixSeconds,
    },
    /// Control went to another account.
    ControllerChanged {
        /// The new controller.
        controller: Address,
    },
}

/// All anchors of an issuer, oldest first. `newest` is its `last_blocks_of(…).anchor`.
pub async fn anchors(registry: &Registry, issuer: Address, newest: BlockNumber) -> Result<Vec<Event<Anchored>>, Error> {
    anchors_after(registry, issuer, newest, BlockNumber(0)).await
}

/// As [`anchors`], of the blocks after `known` only.
pub async fn anchors_after(
    registry: &Registry,
    issuer: Address,
    newest: BlockNumber,
    known: BlockNumber,
) -> Result<Vec<Event<Anchored>>, Error> {
    let filter = Filter::new(&[abi::Anchored::SIGNATURE_HASH], issuer);
    walk(registry, &filter, newest, known, |log| {
        let event: abi::Anchored = log.decode()?;
        Ok((Anchored { root: Hash(event.root.0), size: event.size }, event.previousBlock))
    })
    .await
}

/// All acts of an issuer, oldest first. `newest` is its `last_blocks_of(…).act`.
pub async fn acts(registry: &Registry, issuer: Address, newest: BlockNumber) -> Result<Vec<Event<Act>>, Error> {
    acts_after(registry, issuer, newest, BlockNumber(0)).await
}

/// As [`acts`], of the blocks after `known` only.
pub async fn acts_after(
    registry: &Registry,
    issuer: Address,
    newest: BlockNumber,
    known: BlockNumber,
) -> Result<Vec<Event<Act>>, Error> {
    let kinds =
        [abi::Withdrawn::SIGNATURE_HASH, abi::OperatorSet::SIGNATURE_HASH, abi::ControllerChanged::SIGNATURE_HASH];
    walk(registry, &Filter::new(&kinds, issuer), newest, known, act).await
}

/// All status updates of one purpose, oldest first, up to the one that left `record` in the contract.
///
/// [`Error::Unusable`] unless they are numbered 1, 2, … and end with the record's epoch and root.
pub async fn status_updates(
    registry: &Registry,
    issuer: Address,
    purpose: Purpose,
    record: &StatusRecord,
) -> Result<Vec<Event<StatusUpdate>>, Error> {
    let filter = Filter::new(&[abi::StatusUpdated::SIGNATURE_HASH], issuer).topic(B256::with_last_byte(purpose.0));
    let updates = walk(registry, &filter, record.block, BlockNumber(0), status_update).await?;
    let numbered = updates.iter().zip(1..).all(|(update, number)| update.what.epoch == number);
    let last = updates.last().map_or((0, Hash::ZERO), |update| (update.what.epoch, update.what.root));
    if numbered && last == (record.epoch, record.root) {
        return Ok(updates);
    }
    Err(Error::unusable(format!("the status updates of {issuer} do not lead to epoch {}", record.epoch)))
}

/// The bits behind a status record, rebuilt from published deltas: [`status_updates`], then [`rebuild`].
pub async fn status_tree(
    registry: &Registry,
    issuer: Address,
    purpose: Purpose,
    record: &StatusRecord,
) -> Result<StatusTree, Error> {
    rebuild(&status_updates(registry, issuer, purpose, record).await?, record)
}

/// The bits after the first `record.epoch` updates. [`Error::StatusRoot`] unless their root is the record's, or
/// [`Error::Delta`] where one of them could not be read.
///
/// Only the last root is looked at, which is all that a verifier needs; [`crate::Follower`] looks at each.
pub fn rebuild(updates: &[Event<StatusUpdate>], record: &StatusRecord) -> Result<StatusTree, Error> {
    let mut tree = StatusTree::new();
    let (mut toggled, mut unread) = (Vec::new(), None);
    for Event { what: update, .. } in updates.iter().take_while(|update| update.what.epoch <= record.epoch) {
        match delta::decode(&update.delta) {
            Ok(indices) => toggled.extend(indices),
            Err(fault) => unread = unread.or(Some(Error::Delta { epoch: update.epoch, fault })),
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
    Err(unread.unwrap_or(Error::StatusRoot { rebuilt, stated: record.root }))
}

/// Toggles many updates at once: most of the work on the way to the root is then done once. Twice toggled is not toggled.
fn toggle(tree: &mut StatusTree, toggled: &mut Vec<StatusIndex>) {
    toggled.sort_unstable();
    let odd: Vec<_> = toggled.chunk_by(|a, b| a == b).filter(|same| same.len() % 2 == 1).map(|same| same[0]).collect();
    tree.toggle(&odd);
    toggled.clear();
}

/// The status record at a moment, and the bits behind it.
///
/// `settled` is a settled block; [`Error::NotSettled`] for a moment after it. Blocks are dated by their timestamps.
pub async fn past(
    registry: &Registry,
    issuer: Address,
    purpose: Purpose,
    moment: UnixSeconds,
    settled: BlockRef,
) -> Result<(StatusRecord, StatusTree), Error> {
    if moment > settled.time {
        return Err(Error::NotSettled { moment, settled: settled.time });
    }
    let newest = match registry.status_of(issuer, purpose, settled.number.into()).await {
        Err(Error::NoCode { .. }) => StatusRecord::default(), // deployed since
        record => record?,
    };
    let updates = status_updates(registry, issuer, purpose, &newest).await?;
    let record = record_at(registry, &updates, &newest, moment).await?;
    Ok((record, rebuild(&updates, &record)?))
}

/// The record that the newest update at or before a moment left; all zero where there was none. `updates` are all
/// up to `newest`. Reads as many blocks as the logarithm of their number.
pub async fn record_at(
    registry: &Registry,
    updates: &[Event<StatusUpdate>],
    newest: &StatusRecord,
    moment: UnixSeconds,
) -> Result<StatusRecord, Error> {
    if newest.time <= moment {
        return Ok(*newest);
    }
    let mut record = StatusRecord::default();
    let (mut from, mut to) = (0, updates.len());
    while from < to {
        let middle = (from + to) / 2;
        let Event { what, place } = &updates[middle];
        let block = registry.endpoint().block(place.block.into()).await?;
        if block.hash != place.block_hash {
            return Err(Error::Reorganised { block: block.number });
        }
        if block.time <= moment {
            record = StatusRecord { root: what.root, epoch: what.epoch, time: block.time, block: block.number };
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    Ok(record)
}

fn act(log: &Log) -> Result<(Act, u64), Error> {
    // A filter lets only these three kinds through.
    if log.topics.first() == Some(&abi::Withdrawn::SIGNATURE_HASH) {
        let event: abi::Withdrawn = log.decode()?;
        return Ok((Act::Withdrawn { root: Hash(event.root.0), reason: event.reason }, event.previousBlock));
    }
    if log.topics.first() == Some(&abi::OperatorSet::SIGNATURE_HASH) {
        let event: abi::OperatorSet = log.decode()?;
        let (operator, roles) = (from_alloy(event.operator), Roles(event.roles));
        return Ok((Act::OperatorSet { operator, roles, expires: UnixSeconds(event.expires) }, event.previousBlock));
    }
    let event: abi::ControllerChanged = log.decode()?;
    Ok((Act::ControllerChanged { controller: from_alloy(event.controller) }, event.previousBlock))
}

/// Follows a chain of events back to a block. It ends, because every link leads to an earlier one.
async fn walk<T>(
    registry: &Registry,
    filter: &Filter,
    newest: BlockNumber,
    known: BlockNumber,
    read: impl Fn(&Log) -> Result<(T, u64), Error>,
) -> Result<Vec<Event<T>>, Error> {
    let mut events = Vec::new();
    let mut block = newest;
    while block > known {
        let link = link(registry, filter, block, &read).await?;
        events.extend(link.events.into_iter().rev());
        block = link.previous;
    }
    events.reverse();
    Ok(events)
}

/// The events of one block, and the block of the one before them.
pub(crate) struct Link<T> {
    /// At least one, oldest first.
    pub(crate) events: Vec<Event<T>>,
    /// Earlier than this block; 0 where nothing came before.
    pub(crate) previous: BlockNumber,
}

/// The status updates of one purpose in a block that has some.
pub(crate) async fn status_link(
    registry: &Registry,
    issuer: Address,
    purpose: Purpose,
    block: BlockNumber,
) -> Result<Link<StatusUpdate>, Error> {
    let filter = Filter::new(&[abi::StatusUpdated::SIGNATURE_HASH], issuer).topic(B256::with_last_byte(purpose.0));
    link(registry, &filter, block, status_update).await
}

/// The status updates of one purpose in one block, oldest first; none where it has none. Needs events only, which
/// endpoints keep for longer than old state.
pub async fn status_updates_in(
    registry: &Registry,
    issuer: Address,
    purpose: Purpose,
    block: BlockNumber,
) -> Result<Vec<Event<StatusUpdate>>, Error> {
    match status_link(registry, issuer, purpose, block).await {
        Err(Error::NoHistory { .. }) => Ok(Vec::new()),
        link => Ok(link?.events),
    }
}

/// The events of a block that must have some: [`Error::NoHistory`] where the endpoint has none.
async fn link<T>(
    registry: &Registry,
    filter: &Filter,
    block: BlockNumber,
    read: impl Fn(&Log) -> Result<(T, u64), Error>,
) -> Result<Link<T>, Error> {
    let logs = match registry.logs(filter, block).await {
        Err(Error::Rpc { code: PRUNED, .. }) => return Err(Error::NoHistory { block }),
        logs => logs?,
    };
    let mut previous = None;
    let mut events = Vec::with_capacity(logs.len());
    for log in &logs {
        let (what, named) = read(log)?;
        // Only the first event of a block points to an earlier one; the others to their own.
        let fits = if previous.is_none() { named < block.0 } else { named == block.0 };
        if !fits || log.block_hash != logs[0].block_hash {
            return Err(Error::unusable(format!("an event of block {block} names block {named} as the one before")));
        }
        previous.get_or_insert(BlockNumber(named));
        events.push(Event { what, place: log.place() });
    }
    Ok(Link { events, previous: previous.ok_or(Error::NoHistory { block })? })
}

fn status_update(log: &Log) -> Result<(StatusUpdate, u64), Error> {
    let event: abi::StatusUpdated = log.decode()?;
    let what = StatusUpdate { epoch: event.epoch, root: Hash(event.root.0), delta: event.delta.into() };
    Ok((what, event.previousBlock))
}

/// Which events of the contract are asked for: some kinds, one issuer, perhaps one more indexed value.
pub(crate) struct Filter {
    kinds: Vec<B256>,
    indexed: Vec<B256>,
}

impl Filter {
    pub(crate) fn new(kinds: &[B256], issuer: Address) -> Self {
        Self { kinds: kinds.to_vec(), indexed: vec![to_alloy(issuer).into_word()] }
    }

    pub(crate) fn topic(mut self, value: B256) -> Self {
        self.indexed.push(value);
        self
    }

    /// As `eth_getLogs` takes it.
    pub(crate) fn topics(&self) -> Vec<Vec<B256>> {
        let kinds = std::iter::once(self.kinds.clone());
        kinds.chain(self.indexed.iter().map(|&value| vec![value])).collect()
    }

    pub(crate) fn admits(&self, topics: &[B256]) -> bool {
        topics.split_first().is_some_and(|(kind, rest)| self.kinds.contains(kind) && rest.starts_with(&self.indexed))
    }
}

/// An event as an endpoint answers it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Log {
    address: alloy::primitives::Address,
    pub(crate) topics: Vec<B256>,
    data: Bytes,
    block_number: U64,
    pub(crate) block_hash: Hash,
    pub(crate) transaction_hash: Hash,
    pub(crate) log_index: U64,
    #[serde(default)]
    removed: bool,
}

impl Log {
    pub(crate) fn is_of(&self, contract: Address, block: BlockNumber) -> bool {
        !self.removed && from_alloy(self.address) == contract && self.block_number == U64::from(block.0)
    }

    pub(crate) fn decode<E: SolEvent>(&self) -> Result<E, Error> {
        E::decode_raw_log_validate(&self.topics, &self.data)
            .map_err(|_| Error::unusable(format!("an event that is no {}", E::SIGNATURE)))
    }

    fn place(&self) -> Place {
        let block = BlockNumber(self.block_number.to());
        Place { block, block_hash: self.block_hash, transaction: self.transaction_hash }
    }
}
