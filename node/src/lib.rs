//! The registry server: takes digests, seals batches, anchors their roots, answers receipts.

pub mod events;
pub mod health;
pub mod store;
