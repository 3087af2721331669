//! SHA-256 (FIPS 180-4): of anything, and faster of the short messages that trees are made of.

use sha2::{Digest as _, Sha256, block_api::compress256};

/// The initial state (FIPS 180-4, 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
/// Bytes of a block.
const BLOCK: usize = 64;

/// SHA-256 of the concatenation of `parts`.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// SHA-256 of `prefix ‖ left ‖ right`, a node of a tree: two blocks, padded here, without a streaming hasher's buffer.
pub(crate) fn sha256_node(prefix: u8, left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    const BITS: [u8; 8] = (8 * 65_u64).to_be_bytes();
    let mut message = [0; 2 * BLOCK];
    message[0] = prefix;
    message[1..33].copy_from_slice(left);
    message[33..65].copy_from_slice(right);
    message[65] = 0x80;
    message[120..].copy_from_slice(&BITS);
    compress(&message)
}

/// SHA-256 of `prefix ‖ content`, a leaf of a tree: one block.
pub(crate) fn sha256_leaf<const N: usize>(prefix: u8, content: &[u8; N]) -> [u8; 32] {
    const { assert!(N < 55, "prefix, content, 0x80 and the length share one block") };
    let mut message = [0; BLOCK];
    message[0] = prefix;
    message[1..=N].copy_from_slice(content);
    message[N + 1] = 0x80;
    message[56..].copy_from_slice(&(8 * (N as u64 + 1)).to_be_bytes());
    compress(&message)
}

/// The state after padded blocks, as bytes.
fn compress(message: &[u8]) -> [u8; 32] {
    let mut state = INITIAL;
    compress256(&mut state, message.as_chunks().0);
    let mut out = [0; 32];
    for (bytes, word) in out.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn short_messages_hash_as_any_other(prefix: u8, left: [u8; 32], right: [u8; 32], entry in any::<[u8; 32]>()) {
            prop_assert_eq!(sha256_node(prefix, &left, &right), sha256(&[&[prefix], &left, &right]));
            prop_assert_eq!(sha256_leaf(prefix, &entry), sha256(&[&[prefix], &entry]));
            let entry: [u8; 54] = std::array::from_fn(|i| entry[i % 32] ^ i as u8);
            prop_assert_eq!(sha256_leaf(prefix, &entry), sha256(&[&[prefix], &entry]));
        }
    }
}
