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
pub(crate) use testamur_core::registry::events::Link;
pub use testamur_core::registry::events::{Event, Place, StatusUpdate};
use testamur_core::{
    Address, BlockNumber, Hash, Purpose, UnixSeconds,
    observation::{BlockRef, StatusRecord},
    registry::{
        events::read_status_update,
        history::{HistoryFault, check_numbers},
    },
    status::StatusTree,
};

use crate::{
    Error, Registry, Roles,
    contract::{abi, from_alloy, to_alloy},
};

/// JSON-RPC code for what a server keeps no more (EIP-4444).
const PRUNED: i64 = 4444;

/// A batch was anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchored {
    /// The root.
    pub root: Hash,
    /// Leaves of the batch.
    pub size: u64,
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
    check_numbers(&updates, record)?;
    Ok(updates)
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
    Ok(testamur_core::registry::history::rebuild(updates.iter().map(|event| &event.what), record)?)
}

impl From<HistoryFault> for Error {
    fn from(fault: HistoryFault) -> Self {
        match fault {
            HistoryFault::NoEvents { block } => Self::NoHistory { block },
            HistoryFault::Root { rebuilt, stated } => Self::StatusRoot { rebuilt, stated },
            HistoryFault::Delta { epoch, fault } => Self::Delta { epoch, fault },
            other => Self::unusable(other.to_string()),
        }
    }
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
    let events = logs.iter().map(|log| {
        let (what, named) = read(log)?;
        Ok((Event { what, place: log.place() }, BlockNumber(named)))
    });
    Ok(Link::new(block, events.collect::<Result<Vec<_>, Error>>()?)?)
}

fn status_update(log: &Log) -> Result<(StatusUpdate, u64), Error> {
    let read = read_status_update(&log.data).map(|(update, previous)| (update, previous.0));
    read.ok_or_else(|| Error::unusable("an event that is no status update"))
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
