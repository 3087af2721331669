//! Keccak-256 as Ethereum uses it: of code, slots, headers and trie nodes. Not SHA3-256, whose padding differs.

use sha3::{Digest as _, Keccak256};

use crate::Hash;

/// Keccak-256 of some bytes.
pub fn keccak256(bytes: &[u8]) -> Hash {
    Hash(Keccak256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_nothing_it_is_the_hash_of_an_account_without_code() {
        let empty = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
        assert_eq!(keccak256(b"").to_string(), empty);
    }
}
