//! What proves the state of the chain to somebody who sees nothing of it but one block hash that they trust.
//!
//! Reading order: [`Header`] (the hash leads to a state root) → [`AccountProof`] (the state root leads to the
//! contract's code and slots; EIP-1186) → [`Proven`] (what those slots say) → [`View`] (all of that for many batches
//! at one block, with the status bits) → [`Evidence`] (views, as a file; what they show for a receipt) →
//! [`Checkpoints`] (block hashes that a verifier trusts).
//!
//! Nothing here decides whether a block hash is to be trusted, and nothing that fails here speaks against a
//! credential: a wrong proof is the fault of whoever delivered it.

mod account;
mod archive;
mod checkpoints;
mod error;
mod format;
mod header;
mod rlp;
mod trie;
mod view;
#[cfg(test)]
mod world;

pub use account::{AccountProof, Proven};
pub use archive::{Evidence, EvidenceGap, IdentityDocument};
pub use checkpoints::{CheckpointError, Checkpoints};
pub use error::ProofError;
pub use format::{EvidenceError, PartFault};
pub use header::Header;
pub use view::{AnchorKey, StatusKey, View, slots_of};
