//! What proves one status bit, 0 as well as 1.

use serde::{Deserialize, Serialize};

use super::{Chunk, DEPTH, bit_position, chunk_hash, chunk_number, node_hash};
use crate::{Error, Hash, StatusIndex};

/// The chunk of an index, and the siblings on its way to the root that are not the zero hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatusProof {
    /// The 256 bits around the index.
    pub chunk: Hash,
    /// Bit `k` is set where the sibling at level `k` (lowest first) is not the zero hash.
    pub bitmap: u32,
    /// Those siblings, lowest first.
    pub siblings: Vec<Hash>,
}

impl StatusProof {
    /// The root that this proof leads to for an index.
    ///
    /// [`Error::StatusProof`] for a wrong count of siblings or a zero sibling listed: one bit, one encoding.
    pub fn root(&self, index: StatusIndex) -> Result<Hash, Error> {
        if self.bitmap.count_ones() as usize != self.siblings.len() || self.siblings.contains(&Hash::ZERO) {
            return Err(Error::StatusProof);
        }
        let number = chunk_number(index);
        let mut siblings = self.siblings.iter();
        let mut node = chunk_hash(self.chunk_bits());
        for level in 0..DEPTH {
            let listed = self.bitmap >> level & 1 == 1;
            let sibling = if listed { *siblings.next().ok_or(Error::StatusProof)? } else { Hash::ZERO };
            let is_right = number >> level & 1 == 1;
            node = if is_right { node_hash(sibling, node) } else { node_hash(node, sibling) };
        }
        Ok(node)
    }

    /// The bit that this proof states for an index. It counts only with the right [`Self::root`].
    pub fn bit(&self, index: StatusIndex) -> bool {
        let (byte, mask) = bit_position(index);
        self.chunk_bits()[byte] & mask != 0
    }

    fn chunk_bits(&self) -> &Chunk {
        &self.chunk.0
    }
}
