//! The command line against a real chain, without any node.

#![allow(clippy::unwrap_used)]

mod issuer;
mod scene;
mod verify;
