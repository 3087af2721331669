//! What crosses crates: the protocol's vectors, a harness that starts chains and nodes, end-to-end stories.

pub mod corpora;
pub mod harness;
pub mod vectors;
