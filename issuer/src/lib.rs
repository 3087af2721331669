//! Issuing and sharing Open Badges 3.0: run by an institution, with its own store. All that touches people's data is
//! here; the registry's node, which is reached over its public API only, sees blinded digests.
//!
//! Reading order: `profile` (who issues) → `template` (what for) → `roster` (to whom) → `credential` (all three as
//! one document) → `store` and `issue` (a run that survives its own end) → `change`
//! → `invite` and `mail` (learners are told) → `pages` and `wallet` (what learners, employers and wallets get).

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod certificate;
pub mod change;
mod clock;
pub mod config;
pub mod credential;
pub mod invite;
pub mod issue;
pub mod keys;
pub mod mail;
mod markup;
pub mod pages;
pub mod profile;
pub mod roster;
pub mod server;
pub mod sharing;
pub mod sqlite;
pub mod store;
pub mod studio;
pub mod template;
pub mod wallet;
pub mod web;
