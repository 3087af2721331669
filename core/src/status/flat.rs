//! A status list with all its nodes side by side: what a list becomes when many of its chunks hold a set bit.

use super::{Chunk, LIST_HEIGHT, StatusList, bit_position, chunk_hash, chunk_number, node_hash};
use crate::{Hash, StatusIndex};

/// Chunks of a list.
const CHUNKS: usize = 1 << LIST_HEIGHT;

/// 32 KiB: the bits, and the nodes above the chunks; chunk hashes are computed when asked for.
#[derive(Clone)]
pub struct FlatList {
    bits: StatusList,
    nodes: Box<[Hash]>,
}

impl FlatList {
    /// Bytes on the heap.
    pub const BYTES: usize = CHUNKS * size_of::<Chunk>() + CHUNKS * size_of::<Hash>() + size_of::<Self>();

    /// Hashes everything.
    pub fn new(bits: StatusList) -> Self {
        let nodes = nodes(&bits);
        Self { bits, nodes }
    }

    /// The bits.
    pub fn bits(&self) -> &StatusList {
        &self.bits
    }

    /// The root of the list.
    pub fn root(&self) -> Hash {
        self.nodes[1]
    }

    /// The hash of a node by its level above the chunks and its place on that level, counted in the whole tree.
    pub fn node(&self, level: u32, number: u32) -> Hash {
        let width = CHUNKS >> level;
        node(&self.bits, &self.nodes, width + number as usize % width)
    }

    /// Toggles bits of this list, given in the order of their chunks, and hashes again what stands above them.
    pub fn toggle(&mut self, indices: &[StatusIndex]) {
        let chunks = self.bits.chunks_mut();
        let mut touched: Vec<usize> = Vec::with_capacity(indices.len().min(CHUNKS));
        for &index in indices {
            let chunk = chunk_number(index) as usize % CHUNKS;
            let (byte, mask) = bit_position(index);
            chunks[chunk][byte] ^= mask;
            touched.push(CHUNKS + chunk);
        }
        for _ in 0..LIST_HEIGHT {
            touched.iter_mut().for_each(|place| *place /= 2);
            touched.dedup();
            for &place in &touched {
                self.nodes[place] = parent(&self.bits, &self.nodes, place);
            }
        }
    }
}

/// The nodes above a list's chunks as a heap: the root at 1, the children of `i` at `2i` and `2i + 1`, the chunks from 512. Place 0 is empty.
pub fn nodes(bits: &StatusList) -> Box<[Hash]> {
    let mut nodes = vec![Hash::ZERO; CHUNKS].into_boxed_slice();
    for place in (1..CHUNKS).rev() {
        nodes[place] = parent(bits, &nodes, place);
    }
    nodes
}

fn parent(bits: &StatusList, nodes: &[Hash], place: usize) -> Hash {
    node_hash(node(bits, nodes, 2 * place), node(bits, nodes, 2 * place + 1))
}

fn node(bits: &StatusList, nodes: &[Hash], place: usize) -> Hash {
    if place < CHUNKS { nodes[place] } else { chunk_hash(&bits.chunks()[place - CHUNKS]) }
}
