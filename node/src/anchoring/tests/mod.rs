//! Anchoring against a real chain.
