//! Anchoring against a real chain, through a proxy that fails when told to.

// All of this is test code, and a panic its way to fail.
#![allow(clippy::unwrap_used)]

mod anvil;
mod faults;
mod proxy;
mod stories;
mod world;
