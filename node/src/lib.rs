//! The registry server: takes digests, seals batches, anchors their roots, answers receipts.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a test may panic

pub mod anchoring;
pub mod changes;
pub mod check;
pub mod clock;
pub mod config;
pub mod disk;
pub mod events;
pub mod health;
pub mod http;
pub mod ledger;
pub mod lists;
pub mod metrics;
pub mod mirror;
pub mod pages;
pub mod permutation;
pub mod run;
pub mod seal;
pub mod server;
pub mod store;
pub mod tokens;
pub mod trees;
