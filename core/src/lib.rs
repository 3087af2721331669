//! The truth of the Testamur registry, without I/O, clock, randomness or async.
//!
//! Reading order: [`json`] (what a document is) → [`digest`] (what the registry sees of it) →
//! [`batch`] (how digests become one root) → [`receipt`] (what a holder keeps) → [`proof`] (how a
//! receipt travels in or beside a document) → [`status`] (is it still good?) → [`registry`] and [`evidence`]
//! (what the contract's storage and events say, and proofs of it) → [`observation`], [`checked`], [`policy`] and
//! [`verify`] (the verdict).
//!
//! Absent on purpose: network, files, keys, signatures, JSON-LD. Time, chain and trust are arguments.
//!
//! The bytes are those of `docs/protocol.md`.

pub mod batch;
pub mod bytes;
pub mod checked;
pub mod digest;
pub mod document;
pub mod error;
pub mod evidence;
pub mod json;
pub mod keccak;
pub mod observation;
pub mod policy;
pub mod proof;
pub mod receipt;
pub mod registry;
mod rpc;
mod sha256;
pub mod status;
pub mod units;
pub mod verify;

pub use batch::{BatchTree, Entry};
pub use bytes::{Address, Digest, Hash};
pub use document::Document;
pub use error::Error;
pub use receipt::Receipt;
pub use units::{BlockNumber, ChainId, ListNumber, Purpose, StatusIndex, UnixSeconds};
