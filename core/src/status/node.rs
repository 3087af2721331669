//! The nodes of a status tree: one only where set bits part, and trees of different times share what is the same.

use std::{slice, sync::Arc};

use super::{
    Chunk, LIST_HEIGHT, StatusList, bit_of, bit_position, chunk_hash, chunk_number, flat::FlatList, node_hash,
};
use crate::{Hash, ListNumber, StatusIndex};

/// Chunks with a set bit from which a list is kept flat: about where forks would take as much memory, so that
/// neither a full list nor one bit in each of many costs more than some 256 bytes for a chunk.
pub const FLAT_FROM: usize = 128;

/// What stands at one place of the tree: its hash there, and what holds the set bits below, if there are any.
#[derive(Clone, Default)]
pub struct Subtree {
    /// Zero where no bit is set.
    pub hash: Hash,
    /// None where no bit is set.
    pub node: Option<Node>,
}

/// All set bits below some place. Between a node and the fork above it everything else is zero, and nothing is kept.
#[derive(Clone)]
pub enum Node {
    /// A chunk with a set bit, at level 0.
    Chunk { number: u32, bits: Chunk },
    /// A list with at least [`FLAT_FROM`] of them, at level 9.
    List { number: u32, list: Arc<FlatList> },
    /// Two halves with set bits in both, at any level above 0.
    Fork(Arc<Fork>),
}

/// Where set bits part.
#[derive(Clone)]
pub struct Fork {
    level: u32,
    number: u32,
    /// On the heap, the fork's own included.
    bytes: usize,
    halves: [Subtree; 2],
}

/// Half of a place whose bits are being toggled; without a fork its hash is computed only if it stays as it is.
struct Half {
    node: Option<Node>,
    hash: Option<Hash>,
}

impl Subtree {
    /// Toggles ascending bits, at least one of them, all below one place at `level`; and what then stands at that place.
    pub fn toggled(node: Option<Node>, level: u32, indices: &[StatusIndex]) -> Self {
        match level {
            0 => Self::toggled_chunk(node, indices),
            LIST_HEIGHT if is_flat(node.as_ref(), indices) => Self::toggled_list(node, indices),
            _ => {
                let below = level - 1;
                let middle = indices.partition_point(|&index| !bit_of(chunk_number(index), below));
                let [left, right] = Half::of(node, level);
                Self::join(level, [left.toggled(below, &indices[..middle]), right.toggled(below, &indices[middle..])])
            }
        }
    }

    fn toggled_chunk(node: Option<Node>, indices: &[StatusIndex]) -> Self {
        let mut bits = if let Some(Node::Chunk { bits, .. }) = node { bits } else { [0; 32] };
        for &index in indices {
            let (byte, mask) = bit_position(index);
            bits[byte] ^= mask;
        }
        let number = chunk_number(indices[0]);
        Self::at(0, (bits != [0; 32]).then_some(Node::Chunk { number, bits }))
    }

    fn toggled_list(node: Option<Node>, indices: &[StatusIndex]) -> Self {
        let mut list = match node {
            Some(Node::List { list, .. }) => list,
            sparse => Arc::new(FlatList::new(list_of(sparse.as_ref()))),
        };
        Arc::make_mut(&mut list).toggle(indices);
        let number = indices[0].list();
        if list.bits().chunks().iter().filter(|chunk| **chunk != [0; 32]).count() >= FLAT_FROM {
            return Self::at(LIST_HEIGHT, Some(Node::List { number: number.get(), list }));
        }
        let left: Vec<_> = list.bits().indices(number).collect();
        if left.is_empty() { Self::default() } else { Self::toggled(None, LIST_HEIGHT, &left) }
    }

    fn join(level: u32, halves: [Self; 2]) -> Self {
        let hash = node_hash(halves[0].hash, halves[1].hash);
        let [Self { node: Some(left), .. }, Self { node: Some(right), .. }] = &halves else {
            let [left, right] = halves;
            return Self { hash, node: left.node.or(right.node) };
        };
        let bytes = Fork::BYTES + left.footprint() + right.footprint();
        let fork = Fork { level, number: left.number_at(level), bytes, halves };
        Self { hash, node: Some(Node::Fork(Arc::new(fork))) }
    }

    /// A node seen from a place at or above it.
    fn at(level: u32, node: Option<Node>) -> Self {
        Self { hash: node.as_ref().map_or(Hash::ZERO, |node| node.hash_at(level)), node }
    }
}

impl Half {
    /// Both halves of a place at `level`.
    fn of(node: Option<Node>, level: u32) -> [Self; 2] {
        let empty = || Self { node: None, hash: Some(Hash::ZERO) };
        match node {
            None => [empty(), empty()],
            Some(Node::Fork(fork)) if fork.level == level => {
                Arc::unwrap_or_clone(fork).halves.map(|half| Self { node: half.node, hash: Some(half.hash) })
            }
            Some(deeper) => {
                let is_right = bit_of(deeper.number_at(level - 1), 0);
                let half = Self { node: Some(deeper), hash: None };
                if is_right { [empty(), half] } else { [half, empty()] }
            }
        }
    }

    fn toggled(self, level: u32, indices: &[StatusIndex]) -> Subtree {
        match self.hash {
            _ if !indices.is_empty() => Subtree::toggled(self.node, level, indices),
            Some(hash) => Subtree { hash, node: self.node },
            None => Subtree::at(level, self.node),
        }
    }
}

impl Node {
    /// From the place above, down to the subtree `number` of `level`: the hash of its sibling, and what it holds itself.
    pub fn half(&self, level: u32, number: u32) -> (Hash, Option<&Self>) {
        match self {
            Self::Fork(fork) if fork.level == level + 1 => {
                let [left, right] = &fork.halves;
                let (half, sibling) = if bit_of(number, 0) { (right, left) } else { (left, right) };
                (sibling.hash, half.node.as_ref())
            }
            Self::List { list, .. } if level < LIST_HEIGHT => (list.node(level, number ^ 1), Some(self)),
            _ if self.number_at(level) == number => (Hash::ZERO, Some(self)),
            _ => (self.hash_at(level), None),
        }
    }

    /// A chunk below, unless none of its bits is set.
    pub fn chunk(&self, wanted: u32) -> Option<&Chunk> {
        match self {
            Self::Fork(fork) => {
                let half = &fork.halves[usize::from(bit_of(wanted, fork.level - 1))];
                half.node.as_ref()?.chunk(wanted)
            }
            Self::Chunk { number, bits } => (*number == wanted).then_some(bits),
            Self::List { number, list } => {
                let chunks = list.bits().chunks();
                (*number == wanted >> LIST_HEIGHT).then(|| &chunks[wanted as usize % chunks.len()])
            }
        }
    }

    /// Bytes on the heap.
    pub fn footprint(&self) -> usize {
        match self {
            Self::Chunk { .. } => 0,
            Self::List { .. } => FlatList::BYTES,
            Self::Fork(fork) => fork.bytes,
        }
    }

    /// The number, on its level, of the place at or above this node.
    fn number_at(&self, level: u32) -> u32 {
        let (own, number) = match self {
            Self::Chunk { number, .. } => (0, *number),
            Self::List { number, .. } => (LIST_HEIGHT, *number),
            Self::Fork(fork) => (fork.level, fork.number),
        };
        // From chunk to root the shift takes all 32 bits.
        number.checked_shr(level - own).unwrap_or(0)
    }

    /// The hash at a place at or above this node.
    fn hash_at(&self, level: u32) -> Hash {
        let (own, hash) = match self {
            Self::Chunk { bits, .. } => (0, chunk_hash(bits)),
            Self::List { list, .. } => (LIST_HEIGHT, list.root()),
            Self::Fork(fork) => (fork.level, node_hash(fork.halves[0].hash, fork.halves[1].hash)),
        };
        let number = self.number_at(own);
        (0..level - own).fold(hash, |hash, k| match bit_of(number, k) {
            true => node_hash(Hash::ZERO, hash),
            false => node_hash(hash, Hash::ZERO),
        })
    }
}

impl Fork {
    /// One fork on the heap, the counters of its `Arc` included.
    const BYTES: usize = size_of::<Self>() + 2 * size_of::<usize>();
}

/// What is set below, ascending: each single chunk, and all chunks of each flat list, with the first index they speak of.
pub fn leaves(node: Option<&Node>) -> impl Iterator<Item = (StatusIndex, &[Chunk])> {
    let mut ahead: Vec<&Node> = node.into_iter().collect();
    std::iter::from_fn(move || {
        loop {
            match ahead.pop()? {
                Node::Fork(fork) => ahead.extend(fork.halves.iter().rev().filter_map(|half| half.node.as_ref())),
                Node::Chunk { number, bits } => return Some((StatusIndex::of_chunk(*number), slice::from_ref(bits))),
                Node::List { number, list } => {
                    return Some((StatusIndex::of_chunk(number << LIST_HEIGHT), list.bits().chunks()));
                }
            }
        }
    })
}

/// The lists that hold a set bit, ascending: no further down than lists are.
pub fn lists(node: Option<&Node>) -> impl Iterator<Item = ListNumber> {
    let mut ahead: Vec<&Node> = node.into_iter().collect();
    std::iter::from_fn(move || {
        loop {
            match ahead.pop()? {
                Node::Fork(fork) if fork.level > LIST_HEIGHT => {
                    ahead.extend(fork.halves.iter().rev().filter_map(|half| half.node.as_ref()));
                }
                within => {
                    return Some(StatusIndex::of_chunk(within.number_at(LIST_HEIGHT) << LIST_HEIGHT).list());
                }
            }
        }
    })
}

/// The bits of the one list that a node lies in.
pub fn list_of(node: Option<&Node>) -> StatusList {
    let mut out = StatusList::default();
    for (first, chunks) in leaves(node) {
        let place = first.within_list() as usize / 256;
        out.chunks_mut()[place..place + chunks.len()].copy_from_slice(chunks);
    }
    out
}

/// Whether the list that a node lies in is flat, or might have to be once these bits are toggled.
fn is_flat(node: Option<&Node>, indices: &[StatusIndex]) -> bool {
    let touched = indices.chunk_by(|a, b| chunk_number(*a) == chunk_number(*b)).count();
    matches!(node, Some(Node::List { .. })) || leaves(node).count() + touched >= FLAT_FROM
}
