//! What the `Registry` publishes of a status update, and how updates are linked: each event names the block of the one
//! before it, so that single-block log queries (`eth_getLogs`) find all of them.
//!
//! Absent: the events that no verifier needs. `testamur-chain` reads those.

use serde_json::{Value, json};

use super::history::HistoryFault;
use crate::{Address, BlockNumber, Hash, Purpose, keccak::keccak256, rpc};

/// Of how Solidity signs the event of a status update.
const STATUS_UPDATED: &[u8] = b"StatusUpdated(address,uint8,uint64,bytes32,bytes,uint64)";

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

/// A status root was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusUpdate {
    /// The update's number, from 1.
    pub epoch: u64,
    /// The new root.
    pub root: Hash,
    /// The toggled indices, as published ([`crate::status::delta`]).
    pub delta: Vec<u8>,
}

/// The events of one block, and the block of the one before them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link<T> {
    /// At least one, oldest first.
    pub events: Vec<Event<T>>,
    /// Earlier than this block; 0 where nothing came before.
    pub previous: BlockNumber,
}

impl<T> Link<T> {
    /// Links the events of a block, each with the block that it names as the one before: only the first points to an
    /// earlier one, the others to their own.
    pub fn new(
        block: BlockNumber,
        events: impl IntoIterator<Item = (Event<T>, BlockNumber)>,
    ) -> Result<Self, HistoryFault> {
        let mut linked: Option<Self> = None;
        for (event, named) in events {
            let fits = match &linked {
                None => named < block,
                Some(link) => named == block && event.place.block_hash == link.events[0].place.block_hash,
            };
            if !fits {
                return Err(HistoryFault::Link { block, named });
            }
            linked.get_or_insert_with(|| Self { events: Vec::new(), previous: named }).events.push(event);
        }
        linked.ok_or(HistoryFault::NoEvents { block })
    }
}

/// The topics of the status updates of one issuer and purpose: what the event is, and what is indexed.
pub fn status_topics(issuer: Address, purpose: Purpose) -> [Hash; 3] {
    let mut topics = [keccak256(STATUS_UPDATED), Hash::ZERO, Hash::ZERO];
    topics[1].0[12..].copy_from_slice(&issuer.0);
    topics[2].0[31] = purpose.0;
    topics
}

/// Reads the data of a status update: the update, and the block that it names as the one before.
///
/// Only what the contract's own compiler writes is read: every value in its place, padded with zeros, nothing after it.
pub fn read_status_update(data: &[u8]) -> Option<(StatusUpdate, BlockNumber)> {
    /// Of the four words before the delta's length, the place of that length.
    const DELTA_AT: u64 = 4 * 32;
    let (words, []) = data.as_chunks::<32>() else { return None };
    let [epoch, root, delta_at, previous, length, padded @ ..] = words else { return None };
    let length = number(length)?;
    let padded = padded.as_flattened();
    let (delta, padding) = padded.split_at_checked(usize::try_from(length).ok()?)?;
    if number(delta_at)? != DELTA_AT || padding.len() >= 32 || padding.iter().any(|byte| *byte != 0) {
        return None;
    }
    let update = StatusUpdate { epoch: number(epoch)?, root: Hash(*root), delta: delta.to_vec() };
    Some((update, BlockNumber(number(previous)?)))
}

/// What to ask of `eth_getLogs` for the status updates in one block.
pub fn status_query(registry: Address, issuer: Address, purpose: Purpose, block: BlockNumber) -> Value {
    let at = format!("{:#x}", block.0);
    let topics = status_topics(issuer, purpose).map(|topic| [topic]);
    json!({ "address": registry, "fromBlock": at, "toBlock": at, "topics": topics })
}

/// Reads the answer to [`status_query`]. Anything that was not asked for is a fault.
pub fn read_status_link(
    registry: Address,
    issuer: Address,
    purpose: Purpose,
    block: BlockNumber,
    answer: &Value,
) -> Result<Link<StatusUpdate>, HistoryFault> {
    let logs = answer.as_array().ok_or(HistoryFault::Answer { member: "result" })?;
    let mut logs = logs.iter().map(Log::from_rpc).collect::<Result<Vec<_>, _>>()?;
    logs.sort_by_key(|log| log.index);
    let asked = |log: &Log| {
        !log.removed
            && (log.address, log.place.block) == (registry, block)
            && log.topics == status_topics(issuer, purpose)
    };
    if !logs.iter().all(asked) || logs.windows(2).any(|pair| pair[0].index == pair[1].index) {
        return Err(HistoryFault::NotAsked { block });
    }
    let read = |log: &Log| {
        let (what, previous) = read_status_update(&log.data).ok_or(HistoryFault::Answer { member: "data" })?;
        Ok((Event { what, place: log.place }, previous))
    };
    Link::new(block, logs.iter().map(read).collect::<Result<Vec<_>, HistoryFault>>()?)
}

/// An event as an endpoint answers it.
struct Log {
    address: Address,
    topics: Vec<Hash>,
    data: Vec<u8>,
    place: Place,
    index: u64,
    removed: bool,
}

impl Log {
    fn from_rpc(log: &Value) -> Result<Self, rpc::Unreadable> {
        let member = |name| rpc::member(log, name);
        let topics = member("topics")?.as_array().ok_or(rpc::Unreadable { member: "topics" })?;
        Ok(Self {
            address: rpc::bytes(member("address")?, "address")?,
            topics: topics.iter().map(|topic| rpc::bytes(topic, "topics")).collect::<Result<_, _>>()?,
            data: rpc::data(member("data")?, "data")?,
            place: Place {
                block: BlockNumber(rpc::number(member("blockNumber")?, "blockNumber")?),
                block_hash: rpc::bytes(member("blockHash")?, "blockHash")?,
                transaction: rpc::bytes(member("transactionHash")?, "transactionHash")?,
            },
            index: rpc::number(member("logIndex")?, "logIndex")?,
            removed: log.get("removed").is_some_and(|removed| *removed != false),
        })
    }
}

/// A 64-bit number in a word of the ABI.
fn number(word: &[u8; 32]) -> Option<u64> {
    let (high, low) = word.split_last_chunk()?;
    high.iter().all(|byte| *byte == 0).then(|| u64::from_be_bytes(*low))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTRY: Address = super::super::ADDRESS;
    const ISSUER: Address = Address([7; 20]);

    fn word(number: u64) -> [u8; 32] {
        let mut word = [0; 32];
        word[24..].copy_from_slice(&number.to_be_bytes());
        word
    }

    fn data(delta: &[u8], previous: u64) -> Vec<u8> {
        let words = [word(3), [5; 32], word(128), word(previous), word(delta.len() as u64)];
        let mut data = [words.as_flattened(), delta].concat();
        data.resize(data.len().next_multiple_of(32), 0);
        data
    }

    fn log(index: u64, data: &[u8]) -> Value {
        json!({
            "address": REGISTRY,
            "topics": status_topics(ISSUER, Purpose::REVOCATION),
            "data": format!("0x{}", hex::encode(data)),
            "blockNumber": "0x9",
            "blockHash": Hash([9; 32]),
            "transactionHash": Hash([8; 32]),
            "logIndex": format!("{index:#x}"),
            "removed": false,
        })
    }

    fn read(logs: &[Value]) -> Result<Link<StatusUpdate>, HistoryFault> {
        read_status_link(REGISTRY, ISSUER, Purpose::REVOCATION, BlockNumber(9), &json!(logs))
    }

    #[test]
    fn an_update_has_one_encoding() {
        for delta in [vec![], vec![1; 31], vec![1; 32], vec![1; 33]] {
            let whole = data(&delta, 4);
            let update = StatusUpdate { epoch: 3, root: Hash([5; 32]), delta };
            assert_eq!(read_status_update(&whole), Some((update, BlockNumber(4))));
            for shorter in 0..whole.len() {
                assert_eq!(read_status_update(&whole[..shorter]), None);
            }
            assert_eq!(read_status_update(&[whole, vec![0; 32]].concat()), None);
        }
        let whole = data(&[1], 4);
        // The high bytes of every number, the delta's place and its padding.
        for at in (0..24).chain(64..120).chain(128..152).chain(161..192) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert_eq!(read_status_update(&changed), None, "byte {at}");
        }
    }

    #[test]
    fn updates_of_one_block_are_linked() {
        let link = read(&[log(2, &data(&[2], 9)), log(1, &data(&[1], 4))]).expect("a link");
        assert_eq!(link.previous, BlockNumber(4));
        assert_eq!(link.events.iter().map(|event| event.what.delta[0]).collect::<Vec<_>>(), [1, 2]);
        let fault = |logs: &[Value]| read(logs).expect_err("a fault");
        let link = |named| HistoryFault::Link { block: BlockNumber(9), named: BlockNumber(named) };
        assert_eq!(fault(&[log(1, &data(&[1], 9))]), link(9), "the first leads nowhere");
        assert_eq!(fault(&[log(1, &data(&[1], 10))]), link(10));
        assert_eq!(fault(&[log(1, &data(&[1], 4)), log(2, &data(&[1], 4))]), link(4));
        assert_eq!(fault(&[]), HistoryFault::NoEvents { block: BlockNumber(9) });
        let mut elsewhere = log(2, &data(&[2], 9));
        elsewhere["blockHash"] = json!(Hash([1; 32]));
        assert_eq!(fault(&[log(1, &data(&[1], 4)), elsewhere]), link(9), "of two blocks");
    }

    #[test]
    fn what_was_not_asked_for_is_no_event() {
        let honest = log(1, &data(&[1], 4));
        let with = |member: &str, value: Value| {
            let mut log = honest.clone();
            log[member] = value;
            read(&[log]).expect_err(member)
        };
        let not_asked = HistoryFault::NotAsked { block: BlockNumber(9) };
        assert_eq!(with("address", json!(ISSUER)), not_asked);
        assert_eq!(with("blockNumber", json!("0x8")), not_asked);
        assert_eq!(with("removed", json!(true)), not_asked);
        assert_eq!(with("topics", json!(status_topics(ISSUER, Purpose::SUSPENSION))), not_asked);
        assert_eq!(with("topics", json!([])), not_asked);
        assert_eq!(read(&[honest.clone(), honest.clone()]), Err(not_asked), "twice the same");
        assert_eq!(with("data", json!("0x")), HistoryFault::Answer { member: "data" });
        assert_eq!(with("blockHash", json!("0x")), HistoryFault::Answer { member: "blockHash" });
    }
}
