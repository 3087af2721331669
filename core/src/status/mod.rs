//! Is it still good? One bit for each credential and purpose, in a sparse Merkle tree whose root is on chain.

pub mod bitstring;
pub mod delta;
mod entry;
mod flat;
mod inflate;
mod list;
mod node;
mod proof;
pub mod token;
mod tree;

pub use entry::{entries, list_path, own_entry, own_index};
pub use list::{ListProof, StatusList};
pub use proof::StatusProof;
pub use tree::StatusTree;

use crate::{
    Hash, StatusIndex,
    sha256::{sha256_leaf, sha256_node},
};

/// 256 bits of a status tree: 32 bytes, bit 0 the most significant of byte 0 (W3C Bitstring Status List).
pub type Chunk = [u8; 32];

/// Levels between the chunks and the root.
pub const DEPTH: u32 = 32;
/// Levels between the chunks and the root of one status list.
pub const LIST_HEIGHT: u32 = 9;

/// `SHA-256(0x02 ‖ chunk)`, or 32 zero bytes for a chunk without a set bit.
fn chunk_hash(chunk: &Chunk) -> Hash {
    if *chunk == [0; 32] { Hash::ZERO } else { Hash(sha256_leaf(2, chunk)) }
}

/// `SHA-256(0x03 ‖ left ‖ right)`, or 32 zero bytes over two subtrees without a set bit.
fn node_hash(left: Hash, right: Hash) -> Hash {
    if left == Hash::ZERO && right == Hash::ZERO { Hash::ZERO } else { Hash(sha256_node(3, &left.0, &right.0)) }
}

/// The number of the chunk that holds an index: below 2^32, because an index is below 2^40.
fn chunk_number(index: StatusIndex) -> u32 {
    (index.get() >> 8) as u32
}

/// Byte and mask of an index within its chunk.
fn bit_position(index: StatusIndex) -> (usize, u8) {
    let within = index.get() & 255;
    ((within >> 3) as usize, 0x80 >> (within & 7))
}

/// Whether bit `k` of a number is set: whether the subtree of this number is, `k` levels up, in a right half.
fn bit_of(number: u32, k: u32) -> bool {
    number >> k & 1 == 1
}

/// The root above a node, from the siblings that are not zero. Bit `k` of `bitmap` is set where the `k`-th sibling, lowest first, is listed.
///
/// `None` for a wrong count of siblings or a zero sibling listed: one bit, one encoding.
fn climb(mut node: Hash, number: u32, levels: u32, bitmap: u32, siblings: &[Hash]) -> Option<Hash> {
    if bitmap.count_ones() as usize != siblings.len() || siblings.contains(&Hash::ZERO) {
        return None;
    }
    let mut siblings = siblings.iter();
    for level in 0..levels {
        let sibling = if bit_of(bitmap, level) { *siblings.next()? } else { Hash::ZERO };
        node = if bit_of(number, level) { node_hash(sibling, node) } else { node_hash(node, sibling) };
    }
    // A bit of the bitmap above the root leaves a sibling over.
    siblings.next().is_none().then_some(node)
}
