//! What proves the state of the chain to somebody who sees nothing of it but one block hash that they trust.
//!
//! Reading order: [`Header`] (the hash leads to a state root) → [`AccountProof`] (the state root leads to the
//! contract's code and slots; EIP-1186) → [`Proven`] (what those slots say).
//!
//! Nothing here decides whether a block hash is to be trusted, and nothing that fails here speaks against a
//! credential: a wrong proof is the fault of whoever delivered it.

mod account;
mod error;
mod header;
mod rlp;
mod rpc;
mod trie;
#[cfg(test)]
mod world;

pub use account::{AccountProof, Proven};
pub use error::ProofError;
pub use header::Header;
