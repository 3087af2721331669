//! A small chain for tests: tries of another hand (`alloy-trie`), a header above them, and what an honest endpoint
//! would answer about them.

use std::collections::BTreeMap;

use alloy_trie::{HashBuilder, Nibbles, proof::ProofRetainer};
use serde_json::{Value, json};

use super::{Header, rlp};
use crate::{Address, Hash, keccak::keccak256, registry};

/// A trie, by hashed keys. Values are RLP.
#[derive(Clone, Debug, Default)]
pub struct Trie(pub BTreeMap<Hash, Vec<u8>>);

impl Trie {
    /// The root, and the nodes on the way to a key.
    pub fn prove(&self, path: Hash) -> (Hash, Vec<Vec<u8>>) {
        let target = Nibbles::unpack(path.0);
        let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(vec![target]));
        for (path, value) in &self.0 {
            builder.add_leaf(Nibbles::unpack(path.0), value);
        }
        let root = Hash(builder.root().0);
        let nodes = builder.take_proof_nodes().matching_nodes_sorted(&target);
        (root, nodes.into_iter().map(|(_, node)| node.to_vec()).collect())
    }

    pub fn root(&self) -> Hash {
        self.prove(Hash::ZERO).0
    }
}

/// A state with one contract of interest, and the block after which it is so.
pub struct World {
    pub number: u64,
    pub address: Address,
    pub slots: BTreeMap<Hash, Hash>,
    pub code_hash: Hash,
    /// Whether the contract is there.
    pub is_deployed: bool,
}

impl World {
    /// The published registry at its address, its storage filled by strangers.
    pub fn new() -> Self {
        let strangers = (0..200_u8).map(|n| (keccak256(&[n]), Hash([n + 1; 32])));
        Self {
            number: 1000,
            address: registry::ADDRESS,
            slots: strangers.collect(),
            code_hash: registry::CODE_HASH,
            is_deployed: true,
        }
    }

    pub fn header(&self) -> Header {
        let hash = || vec![7; 32];
        let mut members = vec![hash(); 15];
        members[3] = self.state().root().0.to_vec();
        members[8] = trimmed(&self.number.to_be_bytes());
        members[11] = trimmed(&(1_700_000_000 + self.number).to_be_bytes());
        Header::from_rlp(&rlp::encode(&members)).expect("a header")
    }

    /// An honest answer to `eth_getProof`.
    pub fn answer(&self, slots: &[Hash]) -> Value {
        let storage = self.storage();
        let slot = |slot: &Hash| {
            let value = self.slots.get(slot).filter(|_| self.is_deployed).copied().unwrap_or_default();
            json!({ "key": slot, "value": value, "proof": texts(storage.prove(keccak256(&slot.0)).1) })
        };
        json!({
            "address": self.address,
            "accountProof": texts(self.state().prove(keccak256(&self.address.0)).1),
            "balance": "0x0",
            "nonce": "0x1",
            "codeHash": self.code_hash,
            "storageHash": storage.root(),
            "storageProof": slots.iter().map(slot).collect::<Vec<_>>(),
        })
    }

    fn storage(&self) -> Trie {
        let written = self.slots.iter().filter(|(_, value)| **value != Hash::ZERO && self.is_deployed);
        Trie(written.map(|(slot, value)| (keccak256(&slot.0), string(&trimmed(&value.0)))).collect())
    }

    fn state(&self) -> Trie {
        let mut accounts: BTreeMap<_, _> =
            (0..300_u16).map(|n| (keccak256(&n.to_be_bytes()), rlp::encode(&vec![vec![1]; 4]))).collect();
        if self.is_deployed {
            let account = [vec![1], vec![], self.storage().root().0.to_vec(), self.code_hash.0.to_vec()];
            accounts.insert(keccak256(&self.address.0), rlp::encode(&account));
        }
        Trie(accounts)
    }
}

/// The RLP of one string.
pub fn string(bytes: &[u8]) -> Vec<u8> {
    alloy_rlp::encode(bytes)
}

/// The RLP of a list of items that are encoded already.
pub fn list(items: &[&[u8]]) -> Vec<u8> {
    let payload = items.concat();
    let mut out = Vec::new();
    alloy_rlp::Header { list: true, payload_length: payload.len() }.encode(&mut out);
    out.extend(payload);
    out
}

fn trimmed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().skip_while(|byte| *byte == 0).collect()
}

fn texts(nodes: Vec<Vec<u8>>) -> Vec<String> {
    nodes.iter().map(|node| format!("0x{}", hex::encode(node))).collect()
}
