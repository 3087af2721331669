//! The same RFC 9162 tree, by us, by a bare loop, and by two libraries.

use anyhow::Result;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use rs_merkle::{Hasher, MerkleTree};
use sha2::{Digest as _, Sha256};
use testamur_core::{BatchTree, Hash};

/// What is asked of each.
pub trait Tree {
    /// The root.
    fn root(&self) -> [u8; 32];
    /// Proves a leaf; the number of siblings.
    fn path_length(&self, leaf: usize) -> usize;
}

/// `testamur-core`'s.
pub struct Ours(BatchTree);

impl Ours {
    pub fn new(leaves: Vec<[u8; 32]>) -> Result<Self> {
        // In place: both are 32 bytes.
        Ok(Self(BatchTree::new(leaves.into_iter().map(Hash).collect())?))
    }
}

impl Tree for Ours {
    fn root(&self) -> [u8; 32] {
        self.0.root().0
    }

    fn path_length(&self, leaf: usize) -> usize {
        std::hint::black_box(self.0.path(leaf as u64)).map_or(0, |path| path.len())
    }
}

/// The limit: the hashes that must be computed, and nothing else. No proofs.
pub struct Flat(Vec<[u8; 32]>);

impl Flat {
    /// Takes a power of two of leaves.
    pub fn new(mut nodes: Vec<[u8; 32]>) -> Self {
        let inner = nodes.len() - 1;
        nodes.reserve_exact(inner);
        for left in (0..2 * inner).step_by(2) {
            let node = node(&nodes[left], &nodes[left + 1]);
            nodes.push(node);
        }
        Self(nodes)
    }
}

impl Tree for Flat {
    fn root(&self) -> [u8; 32] {
        self.0[self.0.len() - 1]
    }

    fn path_length(&self, _: usize) -> usize {
        0
    }
}

/// rs_merkle with the RFC's prefix, as fast as its interface allows.
pub struct RsMerkle(MerkleTree<Rfc9162>);

impl RsMerkle {
    pub fn new(leaves: &[[u8; 32]]) -> Self {
        Self(MerkleTree::from_leaves(leaves))
    }
}

impl Tree for RsMerkle {
    fn root(&self) -> [u8; 32] {
        self.0.root().unwrap_or_default()
    }

    fn path_length(&self, leaf: usize) -> usize {
        std::hint::black_box(self.0.proof(&[leaf])).proof_hashes().len()
    }
}

#[derive(Clone)]
struct Rfc9162;

impl Hasher for Rfc9162 {
    type Hash = [u8; 32];

    fn hash(data: &[u8]) -> [u8; 32] {
        Sha256::digest(data).into()
    }

    fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
        right.map_or(*left, |right| node(left, right))
    }
}

/// ct-merkle, which hashes the leaves itself as well.
pub struct CtMerkle(MemoryBackedTree<Sha256, [u8; 8]>);

impl CtMerkle {
    pub fn new(leaves: usize) -> Self {
        let mut tree = MemoryBackedTree::new();
        (0..leaves).for_each(|leaf| tree.push(content(leaf)));
        Self(tree)
    }
}

impl Tree for CtMerkle {
    fn root(&self) -> [u8; 32] {
        (*self.0.root().as_bytes()).into()
    }

    fn path_length(&self, leaf: usize) -> usize {
        std::hint::black_box(self.0.prove_inclusion(leaf)).as_bytes().len() / 32
    }
}

/// The leaf hashes of as many small contents, all different.
pub fn leaf_hashes(leaves: usize) -> Vec<[u8; 32]> {
    (0..leaves).map(|leaf| Sha256::new().chain_update([0]).chain_update(content(leaf)).finalize().into()).collect()
}

fn content(leaf: usize) -> [u8; 8] {
    (leaf as u64).to_be_bytes()
}

/// `SHA-256(0x01 ‖ left ‖ right)` in one call, which is how sha2 is fastest.
fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut block = [1; 65];
    block[1..33].copy_from_slice(left);
    block[33..].copy_from_slice(right);
    Sha256::digest(block).into()
}
