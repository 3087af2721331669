//! What proves one status bit, 0 as well as 1.

use serde::{Deserialize, Serialize};

use super::{Chunk, DEPTH, bit_position, chunk_hash, chunk_number, climb};
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
        let chunk = chunk_hash(self.chunk_bits());
        climb(chunk, chunk_number(index), DEPTH, self.bitmap, &self.siblings).ok_or(Error::StatusProof)
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
