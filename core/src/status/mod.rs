//! Is it still good? One bit for each credential and purpose, in a sparse Merkle tree whose root is on chain.

pub mod delta;
mod proof;
mod tree;

pub use proof::StatusProof;
pub use tree::StatusTree;

use crate::{Hash, StatusIndex, bytes::sha256};

/// 256 bits of a status tree: 32 bytes, bit 0 the most significant of byte 0 (W3C Bitstring Status List).
pub type Chunk = [u8; 32];

/// Levels between the chunks and the root.
pub const DEPTH: u32 = 32;

/// `SHA-256(0x02 ‖ chunk)`, or 32 zero bytes for a chunk without a set bit.
fn chunk_hash(chunk: &Chunk) -> Hash {
    if *chunk == [0; 32] { Hash::ZERO } else { Hash(sha256(&[&[2], chunk])) }
}

/// `SHA-256(0x03 ‖ left ‖ right)`, or 32 zero bytes over two subtrees without a set bit.
fn node_hash(left: Hash, right: Hash) -> Hash {
    if left == Hash::ZERO && right == Hash::ZERO { Hash::ZERO } else { Hash(sha256(&[&[3], &left.0, &right.0])) }
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
