//! The command line against a real chain, without any node.

#![allow(clippy::unwrap_used)]

mod audit;
mod changes;
#[allow(dead_code)] // the other tests use all of it
#[path = "../support/http.rs"]
mod http;
mod issuer;
mod scene;
mod servers;
mod verify;
