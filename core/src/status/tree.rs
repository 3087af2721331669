//! All status bits of one issuer and purpose: 2^40, of which only what is set takes memory.

use std::collections::{BTreeMap, BTreeSet};

use super::{Chunk, DEPTH, StatusProof, bit_position, chunk_hash, chunk_number, node_hash};
use crate::{Hash, StatusIndex};

/// A sparse Merkle tree over 256-bit chunks. Chunks without a set bit and zero nodes are not stored.
#[derive(Clone, Debug, Default)]
pub struct StatusTree {
    chunks: BTreeMap<u32, Chunk>,
    /// `levels[k]` holds the nodes `k + 1` levels above the chunks; chunk hashes are computed when asked for.
    levels: [BTreeMap<u32, Hash>; DEPTH as usize],
}

impl StatusTree {
    /// A tree without a set bit; its root is zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a bit is set.
    pub fn bit(&self, index: StatusIndex) -> bool {
        let (byte, mask) = bit_position(index);
        self.chunks.get(&chunk_number(index)).is_some_and(|chunk| chunk[byte] & mask != 0)
    }

    /// Toggles bits, as a delta does, and brings the nodes above them up to date.
    pub fn toggle(&mut self, indices: &[StatusIndex]) {
        let mut touched = BTreeSet::new();
        for &index in indices {
            let (byte, mask) = bit_position(index);
            let number = chunk_number(index);
            let chunk = self.chunks.entry(number).or_default();
            chunk[byte] ^= mask;
            if *chunk == [0; 32] {
                self.chunks.remove(&number);
            }
            touched.insert(number);
        }
        for level in 0..DEPTH {
            touched = touched.iter().map(|number| number >> 1).collect();
            for &number in &touched {
                // At the top level `number` is 0 and both children exist; below it never overflows.
                let (left, right) = (number << 1, number << 1 | 1);
                let node = node_hash(self.node(level, left), self.node(level, right));
                let nodes = &mut self.levels[level as usize];
                if node == Hash::ZERO {
                    nodes.remove(&number)
                } else {
                    nodes.insert(number, node)
                };
            }
        }
    }

    /// The root; zero where no bit is set.
    pub fn root(&self) -> Hash {
        self.node(DEPTH, 0)
    }

    /// The proof of one bit.
    pub fn proof(&self, index: StatusIndex) -> StatusProof {
        let number = chunk_number(index);
        let (mut bitmap, mut siblings) = (0, Vec::new());
        for level in 0..DEPTH {
            let sibling = self.node(level, number >> level ^ 1);
            if sibling != Hash::ZERO {
                bitmap |= 1 << level;
                siblings.push(sibling);
            }
        }
        let chunk = self.chunks.get(&number).copied().unwrap_or_default();
        StatusProof { chunk: Hash(chunk), bitmap, siblings }
    }

    /// The indices of all set bits, ascending.
    pub fn set_bits(&self) -> impl Iterator<Item = StatusIndex> {
        self.chunks.iter().flat_map(|(&number, chunk)| {
            let first = u64::from(number) << 8;
            (first..first + 256).filter_map(|n| StatusIndex::new(n).ok()).filter(move |&index| {
                let (byte, mask) = bit_position(index);
                chunk[byte] & mask != 0
            })
        })
    }

    /// The node `level` levels above the chunks (0: the hash of a chunk).
    fn node(&self, level: u32, number: u32) -> Hash {
        let stored = match level.checked_sub(1) {
            None => self.chunks.get(&number).map(chunk_hash),
            Some(above) => self.levels[above as usize].get(&number).copied(),
        };
        stored.unwrap_or(Hash::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn index(n: u64) -> StatusIndex {
        StatusIndex::new(n).expect("in range")
    }

    /// The protocol's definition, top down.
    fn recursive_root(bits: &BTreeSet<u64>, level: u32, number: u64) -> Hash {
        let width = 8 + level;
        let (first, last) = (number << width, ((number + 1) << width) - 1);
        if bits.range(first..=last).next().is_none() {
            return Hash::ZERO;
        }
        if level == 0 {
            let mut chunk = [0; 32];
            for bit in bits.range(first..=last) {
                let (byte, mask) = bit_position(index(*bit));
                chunk[byte] |= mask;
            }
            return chunk_hash(&chunk);
        }
        node_hash(recursive_root(bits, level - 1, number * 2), recursive_root(bits, level - 1, number * 2 + 1))
    }

    proptest! {
        #[test]
        fn the_tree_is_the_definition(bits in prop::collection::btree_set(0..StatusIndex::END, 0..60),
                                      near in prop::collection::btree_set(0_u64..2000, 0..60), probe in 0..StatusIndex::END) {
            let bits: BTreeSet<u64> = bits.union(&near).copied().collect();
            let indices: Vec<_> = bits.iter().map(|&n| index(n)).collect();
            let mut tree = StatusTree::new();
            tree.toggle(&indices);
            prop_assert_eq!(tree.root(), recursive_root(&bits, DEPTH, 0));
            prop_assert_eq!(tree.set_bits().collect::<Vec<_>>(), indices.clone());
            for &probe in indices.iter().take(3).chain([&index(probe)]) {
                let proof = tree.proof(probe);
                prop_assert_eq!(proof.root(probe), Ok(tree.root()));
                prop_assert_eq!(proof.bit(probe), bits.contains(&probe.get()));
            }
            tree.toggle(&indices);
            prop_assert_eq!(tree.root(), Hash::ZERO);
            prop_assert!(tree.levels.iter().all(BTreeMap::is_empty));
        }

        #[test]
        fn a_flipped_bit_never_leads_to_the_root(bits in prop::collection::btree_set(0_u64..1 << 20, 1..60), flip: prop::sample::Index) {
            let indices: Vec<_> = bits.iter().map(|&n| index(n)).collect();
            let mut tree = StatusTree::new();
            tree.toggle(&indices);
            let mut proof = tree.proof(indices[0]);
            let flip = flip.index(256 * (1 + proof.siblings.len()));
            let target = if flip < 256 { &mut proof.chunk } else { &mut proof.siblings[flip / 256 - 1] };
            target.0[flip % 256 / 8] ^= 1 << (flip % 8);
            prop_assert_ne!(proof.root(indices[0]), Ok(tree.root()));
        }
    }
}
