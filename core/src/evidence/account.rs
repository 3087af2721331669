//! Proofs of one account and some of its storage (EIP-1186, `eth_getProof`), and what they prove.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Header, ProofError, rlp,
    trie::{self, EMPTY_ROOT, Listed, MAX_NODE_BYTES, Nodes},
};
use crate::{
    Address, Hash, Purpose,
    keccak::keccak256,
    observation::{AnchorRecord, BlockRef, StatusRecord},
    registry::slots,
    rpc,
};

/// A path has 64 nibbles, and a node at each at most, if there is a leaf with nothing left.
const MAX_NODES: usize = 65;
/// Slots in one answer: endpoints allow some hundred to a thousand.
const MAX_SLOTS: usize = 4096;

/// An answer to `eth_getProof`, before anything about it is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountProof {
    address: Address,
    code_hash: Hash,
    nodes: Vec<Vec<u8>>,
    storage: Vec<SlotProof>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct SlotProof {
    slot: Hash,
    value: Hash,
    nodes: Vec<Vec<u8>>,
}

impl AccountProof {
    /// Reads an answer to `eth_getProof`; [`ProofError::Answer`] or [`ProofError::TooLarge`] where it is none.
    pub fn from_rpc(answer: &Value) -> Result<Self, ProofError> {
        let storage = array(rpc::member(answer, "storageProof")?, "storageProof", "proven slots", MAX_SLOTS)?;
        Ok(Self {
            address: rpc::bytes(rpc::member(answer, "address")?, "address")?,
            code_hash: rpc::bytes(rpc::member(answer, "codeHash")?, "codeHash")?,
            nodes: nodes(answer, "accountProof")?,
            storage: storage.iter().map(SlotProof::from_rpc).collect::<Result<_, _>>()?,
        })
    }

    /// Checks the proof against a header: it is of this account and of exactly these slots, in any order, every node
    /// is where it must be, none is left over, and what the endpoint says is what it proves.
    pub fn check(&self, header: &Header, address: Address, slots: &[Hash]) -> Result<Proven, ProofError> {
        if self.address != address {
            return Err(ProofError::OtherAccount { asked: address, found: self.address });
        }
        let mut nodes = Listed::new(&self.nodes);
        let account = Account::read(header, address, &mut nodes)?;
        nodes.end()?;
        if let Some(Account { code_hash: proven, .. }) = account {
            agree("the code hash", self.code_hash, proven)?;
        }
        let mut proven = Proven::new(header.block(), address, account.as_ref());
        for proof in &self.storage {
            let value = proof.check(account.as_ref())?;
            let is_new = proven.slots.insert(proof.slot, value).is_none();
            if !is_new || !slots.contains(&proof.slot) {
                return Err(ProofError::NotAsked { slot: proof.slot });
            }
        }
        match slots.iter().find(|slot| !proven.slots.contains_key(slot)) {
            Some(&slot) => Err(ProofError::NotProven { slot }),
            None => Ok(proven),
        }
    }

    /// All nodes, some of them several times.
    pub(super) fn all_nodes(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.nodes.iter().chain(self.storage.iter().flat_map(|proof| &proof.nodes))
    }
}

impl SlotProof {
    fn from_rpc(answer: &Value) -> Result<Self, ProofError> {
        Ok(Self {
            slot: rpc::word(rpc::member(answer, "key")?, "storageProof.key")?,
            value: rpc::word(rpc::member(answer, "value")?, "storageProof.value")?,
            nodes: nodes(answer, "proof")?,
        })
    }

    fn check(&self, account: Option<&Account>) -> Result<Hash, ProofError> {
        let mut nodes = Listed::new(&self.nodes);
        let proven = Account::slot(account, self.slot, &mut nodes)?;
        nodes.end()?;
        agree("the slot's value", self.value, proven)?;
        Ok(proven)
    }
}

/// An account that is there.
pub(super) struct Account {
    storage_root: Hash,
    code_hash: Hash,
}

impl Account {
    /// The account of an address; `None` where the state has none.
    pub fn read<'a>(header: &Header, address: Address, nodes: &mut impl Nodes<'a>) -> Result<Option<Self>, ProofError> {
        const WHAT: &str = "the account";
        let Some(value) = trie::value(header.state_root(), keccak256(&address.0), nodes)? else { return Ok(None) };
        let [_nonce, _balance, storage_root, code_hash] = rlp::list(value, WHAT)?[..] else {
            return Err(ProofError::Malformed { what: WHAT });
        };
        Ok(Some(Self { storage_root: rlp::hash(storage_root, WHAT)?, code_hash: rlp::hash(code_hash, WHAT)? }))
    }

    /// The value of a slot; zero where it was never written, or there is no account.
    pub fn slot<'a>(account: Option<&Self>, slot: Hash, nodes: &mut impl Nodes<'a>) -> Result<Hash, ProofError> {
        let root = account.map_or(EMPTY_ROOT, |account| account.storage_root);
        const WHAT: &str = "a slot's value";
        let Some(value) = trie::value(root, keccak256(&slot.0), nodes)? else { return Ok(Hash::ZERO) };
        match rlp::number(value, WHAT).map(Hash)? {
            Hash::ZERO => Err(ProofError::Malformed { what: WHAT }), // to write zero is to remove
            value => Ok(value),
        }
    }
}

/// What was proven of one account at one block. Only a check makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    block: BlockRef,
    address: Address,
    code_hash: Option<Hash>,
    slots: BTreeMap<Hash, Hash>,
}

impl Proven {
    pub(super) fn new(block: BlockRef, address: Address, account: Option<&Account>) -> Self {
        let code_hash = account.map(|account| account.code_hash).filter(|hash| *hash != keccak256(b""));
        Self { block, address, code_hash, slots: BTreeMap::new() }
    }

    /// Whoever inserts has checked.
    pub(super) fn insert(&mut self, slot: Hash, value: Hash) {
        self.slots.insert(slot, value);
    }

    /// The block that all of it is true at.
    pub fn block(&self) -> BlockRef {
        self.block
    }

    /// The account.
    pub fn address(&self) -> Address {
        self.address
    }

    /// keccak-256 of the account's code; `None` where it has none, or there is no account.
    pub fn code_hash(&self) -> Option<Hash> {
        self.code_hash
    }

    /// The value of a slot; [`ProofError::NotProven`] where that was not proven.
    pub fn slot(&self, slot: Hash) -> Result<Hash, ProofError> {
        self.slots.get(&slot).copied().ok_or(ProofError::NotProven { slot })
    }

    /// The anchor of a root, if the account is a `Registry`; `None` where it is proven that there is none.
    pub fn anchor(&self, issuer: Address, root: Hash) -> Result<Option<AnchorRecord>, ProofError> {
        self.slot(slots::anchor(issuer, root)).map(slots::read_anchor)
    }

    /// A status record, if the account is a `Registry`; all zero where it is proven that there is none.
    pub fn status(&self, issuer: Address, purpose: Purpose) -> Result<StatusRecord, ProofError> {
        let [root, packed] = slots::status(issuer, purpose);
        Ok(slots::read_status([self.slot(root)?, self.slot(packed)?]))
    }
}

fn agree(what: &'static str, claimed: Hash, proven: Hash) -> Result<(), ProofError> {
    if claimed == proven { Ok(()) } else { Err(ProofError::Claim { what, claimed, proven }) }
}

/// The nodes of one path, as endpoints list them.
fn nodes(answer: &Value, member: &'static str) -> Result<Vec<Vec<u8>>, ProofError> {
    let listed = array(rpc::member(answer, member)?, member, "nodes of a proof", MAX_NODES)?;
    let node = |value| {
        let node = rpc::data(value, member)?;
        let (what, found, limit) = ("bytes of a node", node.len(), MAX_NODE_BYTES);
        if found > limit { Err(ProofError::TooLarge { what, found, limit }) } else { Ok(node) }
    };
    let nodes = listed.iter().map(node).collect::<Result<Vec<_>, _>>()?;
    // Some clients list the root of an empty trie, which is no node.
    Ok(if nodes == [[alloy_rlp::EMPTY_STRING_CODE]] { Vec::new() } else { nodes })
}

fn array<'a>(
    value: &'a Value,
    member: &'static str,
    what: &'static str,
    limit: usize,
) -> Result<&'a [Value], ProofError> {
    let items = value.as_array().ok_or(ProofError::Answer { member })?;
    match items.len() {
        found if found > limit => Err(ProofError::TooLarge { what, found, limit }),
        _ => Ok(items),
    }
}

#[cfg(test)]
mod tests;
