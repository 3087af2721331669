//! The crate against a real chain, and against endpoints that fail or lie.

#![allow(clippy::unwrap_used)]

mod chain;
mod deploy;
mod endpoint;
mod follow;
mod history;
mod observe;
mod proofs;
mod proxy;
mod quorum;
mod registry;
mod transact;
