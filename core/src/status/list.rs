//! One W3C status list, and what proves all its bits at once: whoever takes the whole list tells nobody which bit matters.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Chunk, DEPTH, LIST_HEIGHT, climb, flat};
use crate::{Error, Hash, ListNumber, StatusIndex};

/// Bytes of a list.
const BYTES: usize = StatusList::BITS as usize / 8;

/// 131,072 status bits; bit 0 is the most significant of byte 0 (W3C Bitstring Status List).
#[derive(Clone, PartialEq, Eq)]
pub struct StatusList(Box<[u8; BYTES]>);

impl StatusList {
    /// Bits of a list.
    pub const BITS: u32 = StatusIndex::PER_LIST as u32;

    /// The bits from 16,384 bytes; [`Error::ByteLength`] for any other length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let boxed: Box<[u8]> = bytes.into();
        boxed.try_into().map(Self).map_err(|_| Error::ByteLength { expected: BYTES, found: bytes.len() })
    }

    /// The 16,384 bytes.
    pub fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// Whether a bit is set, by [`StatusIndex::within_list`]. Panics at or above [`Self::BITS`], as a slice does.
    pub fn bit(&self, within: u32) -> bool {
        self.0[within as usize / 8] & 0x80 >> (within % 8) != 0
    }

    /// How many bits are set.
    pub fn count(&self) -> u32 {
        self.0.iter().map(|byte| byte.count_ones()).sum()
    }

    /// The root of the list's subtree: nine levels above its 512 chunks. Zero where no bit is set.
    pub fn root(&self) -> Hash {
        flat::nodes(self)[1]
    }

    /// The indices of all set bits, ascending, for a list of this number.
    pub fn indices(&self, number: ListNumber) -> impl Iterator<Item = StatusIndex> {
        set_bits(number.first(), self.as_bytes())
    }

    pub(super) fn chunks(&self) -> &[Chunk] {
        self.0.as_chunks().0
    }

    pub(super) fn chunks_mut(&mut self) -> &mut [Chunk] {
        self.0.as_chunks_mut().0
    }
}

impl Default for StatusList {
    /// No bit is set.
    fn default() -> Self {
        Self(Box::new([0; BYTES]))
    }
}

impl fmt::Debug for StatusList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatusList({} of {} bits set)", self.count(), Self::BITS)
    }
}

/// The indices of the bits that are set in `bytes`, the first of which holds `first` and the seven after it.
pub(super) fn set_bits(first: StatusIndex, bytes: &[u8]) -> impl Iterator<Item = StatusIndex> {
    // Most bytes are zero: they are passed over whole.
    let set = (first.get()..).step_by(8).zip(bytes).filter(|(_, byte)| **byte != 0);
    let set = set.flat_map(|(at, &byte)| (0..8).filter(move |bit| byte & 0x80 >> bit != 0).map(move |bit| at + bit));
    // All are in range, because lists and chunks are.
    set.filter_map(|index| StatusIndex::new(index).ok())
}

/// The siblings between a list's own root and the root on chain that are not the zero hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListProof {
    /// Bit `k` is set where the sibling at level `9 + k` is not the zero hash. Bits 23 and up are clear.
    pub bitmap: u32,
    /// Those siblings, lowest first.
    pub siblings: Vec<Hash>,
}

impl ListProof {
    /// The root that this proof leads to for the bits of a list.
    ///
    /// [`Error::StatusProof`] for a wrong count of siblings, a zero sibling listed or a level that is not there.
    pub fn root(&self, list: ListNumber, bits: &StatusList) -> Result<Hash, Error> {
        climb(bits.root(), list.get(), DEPTH - LIST_HEIGHT, self.bitmap, &self.siblings).ok_or(Error::StatusProof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_one_length_and_its_first_bit_on_the_left() {
        assert_eq!(StatusList::from_bytes(&[0; 16_383]), Err(Error::ByteLength { expected: 16_384, found: 16_383 }));
        let mut bytes = vec![0; 16_384];
        (bytes[0], bytes[16_383]) = (0x80, 1);
        let list = StatusList::from_bytes(&bytes).expect("of the right length");
        assert_eq!(list.as_bytes().as_slice(), bytes);
        assert!(list.bit(0) && !list.bit(7) && list.bit(131_071));
        let number = ListNumber::new(2).expect("in range");
        let indices: Vec<_> = list.indices(number).map(StatusIndex::get).collect();
        assert_eq!((list.count(), indices), (2, vec![262_144, 393_215]));
    }

    #[test]
    fn a_list_without_a_set_bit_has_the_root_zero() {
        let list = StatusList::default();
        assert_eq!(list.root(), Hash::ZERO);
        let number = ListNumber::new(7).expect("in range");
        assert_eq!(ListProof { bitmap: 0, siblings: Vec::new() }.root(number, &list), Ok(Hash::ZERO));
    }

    #[test]
    fn a_list_has_one_proof() {
        let (number, list) = (ListNumber::new(7).expect("in range"), StatusList::default());
        let hash = Hash([1; 32]);
        for (bitmap, siblings) in [
            (0, vec![hash]),
            (1, vec![]),
            (1, vec![hash, hash]),
            (1, vec![Hash::ZERO]),
            (1 << 23, vec![hash]),
            (1 << 31, vec![hash]),
        ] {
            assert_eq!(ListProof { bitmap, siblings }.root(number, &list), Err(Error::StatusProof), "{bitmap}");
        }
        assert!(ListProof { bitmap: 1 << 22, siblings: vec![hash] }.root(number, &list).is_ok());
    }
}
