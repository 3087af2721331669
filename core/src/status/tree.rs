//! All status bits of one issuer and purpose: 2^40, of which only what is set takes memory.

use std::fmt;

use super::{
    DEPTH, LIST_HEIGHT, ListProof, StatusList, StatusProof, bit_position, chunk_number,
    list::set_bits,
    node::{Node, Subtree, leaves, list_of, lists},
};
use crate::{Hash, ListNumber, StatusIndex};

/// A sparse Merkle tree over 256-bit chunks.
///
/// Cheap to clone: clones share everything until one is toggled, and then what stays the same. The tree of 100 M
/// credentials takes some 25 MiB, and no set bit ever more than some hundred bytes.
#[derive(Clone, Default)]
pub struct StatusTree {
    top: Subtree,
}

impl StatusTree {
    /// A tree without a set bit; its root is zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree of these lists, each named once; lists that are not named have no set bit.
    pub fn from_lists(lists: impl IntoIterator<Item = (ListNumber, StatusList)>) -> Self {
        let mut tree = Self::new();
        for (number, list) in lists {
            tree.toggle(&list.indices(number).collect::<Vec<_>>());
        }
        tree
    }

    /// Whether a bit is set.
    pub fn bit(&self, index: StatusIndex) -> bool {
        let (byte, mask) = bit_position(index);
        let chunk = self.top.node.as_ref().and_then(|node| node.chunk(chunk_number(index)));
        chunk.is_some_and(|chunk| chunk[byte] & mask != 0)
    }

    /// Toggles bits, as a delta does, and brings the nodes above them up to date.
    pub fn toggle(&mut self, indices: &[StatusIndex]) {
        if indices.is_empty() {
            return;
        }
        let node = self.top.node.take();
        self.top = if indices.is_sorted() {
            Subtree::toggled(node, DEPTH, indices)
        } else {
            let mut sorted = indices.to_vec();
            sorted.sort_unstable();
            Subtree::toggled(node, DEPTH, &sorted)
        };
    }

    /// The root; zero where no bit is set.
    pub fn root(&self) -> Hash {
        self.top.hash
    }

    /// The proof of one bit.
    pub fn proof(&self, index: StatusIndex) -> StatusProof {
        let number = chunk_number(index);
        let (bitmap, siblings, node) = self.path(0, number);
        let chunk = node.and_then(|node| node.chunk(number)).copied().unwrap_or_default();
        StatusProof { chunk: Hash(chunk), bitmap, siblings }
    }

    /// The bits of one list.
    pub fn list(&self, number: ListNumber) -> StatusList {
        list_of(self.path(LIST_HEIGHT, number.get()).2)
    }

    /// The proof of all bits of one list.
    pub fn list_proof(&self, number: ListNumber) -> ListProof {
        let (bitmap, siblings, _) = self.path(LIST_HEIGHT, number.get());
        ListProof { bitmap, siblings }
    }

    /// The lists that hold a set bit, ascending.
    pub fn lists(&self) -> impl Iterator<Item = ListNumber> {
        lists(self.top.node.as_ref())
    }

    /// The indices of all set bits, ascending.
    pub fn set_bits(&self) -> impl Iterator<Item = StatusIndex> {
        leaves(self.top.node.as_ref()).flat_map(|(first, chunks)| set_bits(first, chunks.as_flattened()))
    }

    /// Bytes on the heap, about; what clones share counts for each of them.
    pub fn footprint(&self) -> usize {
        self.top.node.as_ref().map_or(0, Node::footprint)
    }

    /// From the root down to the subtree `number` at level `floor`: which siblings are not zero (bit 0: the lowest),
    /// those siblings, lowest first, and what the subtree holds.
    fn path(&self, floor: u32, number: u32) -> (u32, Vec<Hash>, Option<&Node>) {
        let (mut bitmap, mut siblings, mut here) = (0, Vec::new(), self.top.node.as_ref());
        for level in (floor..DEPTH).rev() {
            let Some(node) = here else { break };
            let sibling;
            (sibling, here) = node.half(level, number >> (level - floor));
            if sibling != Hash::ZERO {
                bitmap |= 1 << (level - floor);
                siblings.push(sibling);
            }
        }
        siblings.reverse();
        (bitmap, siblings, here)
    }
}

impl fmt::Debug for StatusTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatusTree({}, {} bytes)", self.root(), self.footprint())
    }
}

#[cfg(test)]
mod tests;
