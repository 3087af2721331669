//! What a holder keeps: where a credential's leaf is, and where the root above it is anchored.
//!
//! A receipt never changes and never expires. It is hostile input: what it names is checked against the
//! verifier's policy and its own view of the chain, never believed.

mod cbor;

use serde::{Deserialize, Serialize};

use crate::{
    Address, BlockNumber, ChainId, Digest, Entry, Error, Hash, StatusIndex,
    batch::{MAX_PATH, root_from_path},
};

/// The only version there is.
pub const VERSION: u64 = 1;

/// A receipt. JSON member names are the camel-case field names; see `docs/protocol.md` for its CBOR form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipt {
    /// Always [`VERSION`].
    pub version: u64,
    /// The leaf's place in the batch, from 0.
    pub leaf_index: u64,
    /// Leaves of the batch.
    pub tree_size: u64,
    /// The place of the credential's status bits.
    pub status_index: StatusIndex,
    /// Sibling hashes from the leaf up.
    pub path: Vec<Hash>,
    /// The root that was anchored.
    pub root: Hash,
    /// The issuer's account under which it was anchored.
    pub issuer: Address,
    /// The chain, as CAIP-2.
    pub chain: ChainId,
    /// The address of the `Registry` contract.
    pub registry: Address,
    /// The transaction that anchored the root. A hint for people; nothing rests on it.
    pub transaction: Hash,
    /// Its block. A hint likewise.
    pub block: BlockNumber,
}

impl Receipt {
    /// Refuses what no registry hands out: another version, a leaf outside the tree, a path of a wrong length.
    pub fn check_shape(&self) -> Result<(), Error> {
        if self.version != VERSION {
            return Err(Error::Version { found: self.version });
        }
        if self.path.len() > MAX_PATH {
            return Err(Error::PathLength { expected: MAX_PATH, found: self.path.len() });
        }
        root_from_path(Hash::ZERO, self.leaf_index, self.tree_size, &self.path).map(|_| ())
    }

    /// Checks that a digest is in the batch: leaf and path lead to the receipt's root.
    pub fn check_inclusion(&self, digest: Digest) -> Result<(), Error> {
        let leaf = Entry { digest, status_index: self.status_index }.leaf_hash();
        let computed = root_from_path(leaf, self.leaf_index, self.tree_size, &self.path)?;
        if computed == self.root { Ok(()) } else { Err(Error::Root { computed, claimed: self.root }) }
    }
}
