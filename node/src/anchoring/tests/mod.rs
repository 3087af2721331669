//! Anchoring against a real chain, through a proxy that fails when told to.

// All of this is test code, and a panic its way to fail.
#![allow(clippy::unwrap_used)]

mod anvil;
mod faults;
pub(crate) mod proxy;
mod stories;
pub(crate) mod world;
