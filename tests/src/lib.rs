//! What crosses crates: the protocol's vectors, a harness that starts a chain and nodes, end-to-end stories.

pub mod corpora;
pub mod vectors;
