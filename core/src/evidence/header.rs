//! Block headers of Ethereum and its relatives: a list of RLP strings that forks only append to.

use serde_json::Value;

use super::{ProofError, rlp};
use crate::{BlockNumber, Hash, UnixSeconds, keccak::keccak256, observation::BlockRef, rpc};

/// Ethereum's are below 1 KiB. Polygon's list validators and the dependencies of transactions in their extra data.
const MAX_BYTES: usize = 64 << 10;
/// Members of the first headers of all; every fork kept them.
const FIRST_MEMBERS: usize = 15;
const STATE_ROOT: usize = 3;
const NUMBER: usize = 8;
const TIME: usize = 11;
const WHAT: &str = "the header";

/// How a member of a header stands in JSON.
#[derive(Clone, Copy)]
enum Form {
    Data,
    Quantity,
}
use Form::{Data, Quantity};

/// The members of `eth_getBlockByNumber` that a header consists of, in its order.
const MEMBERS: [(&str, Form); 23] = [
    ("parentHash", Data),
    ("sha3Uncles", Data),
    ("miner", Data),
    ("stateRoot", Data),
    ("transactionsRoot", Data),
    ("receiptsRoot", Data),
    ("logsBloom", Data),
    ("difficulty", Quantity),
    ("number", Quantity),
    ("gasLimit", Quantity),
    ("gasUsed", Quantity),
    ("timestamp", Quantity),
    ("extraData", Data),
    ("mixHash", Data),
    ("nonce", Data),
    ("baseFeePerGas", Quantity),     // EIP-1559
    ("withdrawalsRoot", Data),       // EIP-4895
    ("blobGasUsed", Quantity),       // EIP-4844
    ("excessBlobGas", Quantity),     // EIP-4844
    ("parentBeaconBlockRoot", Data), // EIP-4788
    ("requestsHash", Data),          // EIP-7685
    ("blockAccessListHash", Data),   // EIP-7928
    ("slotNumber", Quantity),        // EIP-7843
];

/// A header whose bytes lead to its hash. Whether that hash is to be trusted is the verifier's to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    block: BlockRef,
    state_root: Hash,
    rlp: Vec<u8>,
}

impl Header {
    /// Reads a header. Members that later forks append are taken as they are: the hash covers them.
    pub fn from_rlp(bytes: &[u8]) -> Result<Self, ProofError> {
        if bytes.len() > MAX_BYTES {
            return Err(ProofError::TooLarge { what: "bytes of a header", found: bytes.len(), limit: MAX_BYTES });
        }
        let members = rlp::list(bytes, WHAT)?;
        if members.len() < FIRST_MEMBERS {
            return Err(ProofError::Malformed { what: WHAT });
        }
        let number = |at: usize| rlp::number(members[at], WHAT).map(u64::from_be_bytes);
        let (block, time) = (BlockNumber(number(NUMBER)?), UnixSeconds(number(TIME)?));
        let state_root = rlp::hash(members[STATE_ROOT], WHAT)?;
        Ok(Self { block: BlockRef { number: block, hash: keccak256(bytes), time }, state_root, rlp: bytes.to_vec() })
    }

    /// Builds a header from a block of `eth_getBlockByNumber` (or `…ByHash`). Its hash decides whether that was right:
    /// [`ProofError::BlockHash`] where it is another than the answer's own.
    pub fn from_rpc(block: &Value) -> Result<Self, ProofError> {
        let claimed: Hash = rpc::bytes(rpc::member(block, "hash")?, "hash")?;
        let mut members = Vec::with_capacity(MEMBERS.len());
        for (at, (name, form)) in MEMBERS.into_iter().enumerate() {
            let Some(value) = rpc::present(block, name) else {
                if at < FIRST_MEMBERS {
                    return Err(ProofError::Answer { member: name });
                }
                break;
            };
            members.push(match form {
                Data => rpc::data(value, name)?,
                Quantity => rpc::quantity(value, name)?,
            });
        }
        let header = Self::from_rlp(&rlp::encode(&members))?;
        let computed = header.block.hash;
        if computed == claimed { Ok(header) } else { Err(ProofError::BlockHash { computed, claimed }) }
    }

    /// Number, hash and time of the block.
    pub fn block(&self) -> BlockRef {
        self.block
    }

    /// The root of the state after the block.
    pub fn state_root(&self) -> Hash {
        self.state_root
    }

    /// The bytes that were hashed.
    pub fn rlp(&self) -> &[u8] {
        &self.rlp
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::world::{World, list, string};

    fn members(rlp: &[u8]) -> Vec<&[u8]> {
        rlp::list(rlp, WHAT).expect("a list")
    }

    #[test]
    fn later_forks_append_what_they_like() {
        let header = World::new().header();
        let mut items = members(header.rlp());
        let (text, nested) = (string(b"of a later fork"), list(&[&string(b"even a list")]));
        items.extend([text.as_slice(), nested.as_slice()]);
        let later = Header::from_rlp(&list(&items)).expect("a header");
        assert_eq!(later.state_root(), header.state_root());
        assert_ne!(later.block().hash, header.block().hash);
    }

    #[test]
    fn what_is_no_header_is_refused() {
        let header = World::new().header();
        let with = |at: usize, item: &[u8]| {
            let mut items = members(header.rlp());
            items[at] = item;
            Header::from_rlp(&list(&items))
        };
        assert!(with(NUMBER, &string(&[1])).is_ok());
        let malformed = Err(ProofError::Malformed { what: WHAT });
        assert_eq!(with(NUMBER, &string(&[0, 1])), malformed, "a leading zero");
        assert_eq!(with(TIME, &string(&[1; 9])), malformed, "beyond 64 bits");
        assert_eq!(with(STATE_ROOT, &string(&[1; 31])), malformed);
        assert_eq!(with(STATE_ROOT, &list(&[])), malformed);
        assert_eq!(Header::from_rlp(&list(&members(header.rlp())[..14])), malformed);
        assert_eq!(Header::from_rlp(&[header.rlp(), &[0]].concat()), malformed, "something after it");
        assert_eq!(Header::from_rlp(&header.rlp()[..300]), malformed, "cut off");
        assert_eq!(Header::from_rlp(b""), malformed);
        let large = string(&vec![0; MAX_BYTES]);
        assert!(matches!(with(12, &large), Err(ProofError::TooLarge { .. })));
    }
}
