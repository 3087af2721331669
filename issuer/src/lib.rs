//! Issuing and sharing Open Badges 3.0: run by an institution, with its own store. All that touches people's data is
//! here; the registry's node, which is reached over its public API only, sees blinded digests.
//!
//! Reading order: `profile` (who issues) → `template` (what for) → `roster` (to whom) → `credential` (all three as
//! one document) → `store` and `issue` (a run that survives its own end) → `change` → `share`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod certificate;
pub mod change;
pub mod config;
pub mod credential;
pub mod issue;
pub mod keys;
pub mod profile;
pub mod roster;
pub mod share;
pub mod store;
pub mod template;
