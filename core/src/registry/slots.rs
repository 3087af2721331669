//! Where the `Registry` keeps anchors and status roots, and how it packs them. The layout is frozen: it is part of
//! the code that [`super::CODE_HASH`] names (`contracts/src/Registry.sol`).

use crate::{
    Address, BlockNumber, Hash, Purpose, UnixSeconds,
    keccak::keccak256,
    observation::{AnchorRecord, StatusRecord},
};

/// Solidity's number of the mapping from issuer and root to an anchor.
const ANCHORS: u8 = 0;
/// Solidity's number of the mapping from issuer and purpose to a status root.
const STATUSES: u8 = 1;

/// The slot of an anchor.
pub fn anchor(issuer: Address, root: Hash) -> Hash {
    entry(root, of_issuer(issuer, ANCHORS))
}

/// The two slots of a status root: the root itself; its epoch, time and block.
pub fn status(issuer: Address, purpose: Purpose) -> [Hash; 2] {
    let first = entry(word(&[purpose.0]), of_issuer(issuer, STATUSES));
    [first, next(first)]
}

/// What an anchor's slot holds; `None` where the root is not anchored.
pub fn read_anchor(slot: Hash) -> Option<AnchorRecord> {
    let [flags, size, block, time] = quarters(slot);
    (size > 0).then_some(AnchorRecord {
        time: UnixSeconds(time),
        block: BlockNumber(block),
        size,
        withdrawn: flags != 0,
    })
}

/// What the two slots of a status root hold; all zero where it was never written.
pub fn read_status([root, packed]: [Hash; 2]) -> StatusRecord {
    let [_, block, time, epoch] = quarters(packed);
    StatusRecord { root, epoch, time: UnixSeconds(time), block: BlockNumber(block) }
}

fn of_issuer(issuer: Address, mapping: u8) -> Hash {
    entry(word(&issuer.0), word(&[mapping]))
}

/// Solidity's place of a mapping's value: keccak-256 of key and mapping.
fn entry(key: Hash, mapping: Hash) -> Hash {
    keccak256([key.0, mapping.0].as_flattened())
}

/// A 32-byte word, padded on the left. At most 32 bytes are given.
fn word(bytes: &[u8]) -> Hash {
    let mut word = [0; 32];
    word[32 - bytes.len()..].copy_from_slice(bytes);
    Hash(word)
}

/// The slot after another, as 256-bit numbers.
fn next(slot: Hash) -> Hash {
    let mut word = slot.0;
    for byte in word.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
    Hash(word)
}

/// Four 64-bit numbers of a slot, the highest bits first.
fn quarters(slot: Hash) -> [u64; 4] {
    let (parts, _) = slot.0.as_chunks::<8>();
    std::array::from_fn(|i| u64::from_be_bytes(parts[i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_carries_over_to_the_next() {
        assert_eq!(next(word(&[1, 0xff, 0xff])), word(&[2, 0, 0]));
        assert_eq!(next(Hash([0xff; 32])), Hash::ZERO);
    }

    #[test]
    fn what_was_never_written_reads_as_nothing() {
        assert_eq!(read_anchor(Hash::ZERO), None);
        assert_eq!(read_status([Hash::ZERO; 2]), StatusRecord::default());
    }

    #[test]
    fn packed_numbers_stand_where_solidity_puts_them() {
        let mut slot = [0; 32];
        (slot[7], slot[15], slot[23], slot[31]) = (1, 2, 3, 4);
        let anchor = AnchorRecord { time: UnixSeconds(4), block: BlockNumber(3), size: 2, withdrawn: true };
        assert_eq!(read_anchor(Hash(slot)), Some(anchor));
        let root = Hash([9; 32]);
        let record = StatusRecord { root, epoch: 4, time: UnixSeconds(3), block: BlockNumber(2) };
        assert_eq!(read_status([root, Hash(slot)]), record);
    }
}
