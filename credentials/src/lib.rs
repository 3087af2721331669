//! What other people's credentials are made of: signatures (Data Integrity, JOSE), the keys behind them (did:key,
//! did:web, did:jwk, did:pkh), their status lists, and the images that they are baked into. And what it takes to make
//! one's own: [`sign`], [`baked::bake`], [`sealed`].
//!
//! No I/O, no clock, no randomness: what stands elsewhere (a DID document, a status list, the canonical form of JSON-LD)
//! is asked of [`Supplies`]. What comes out of a check is [`testamur_core::checked::Checked`], an input of
//! `testamur_core::verify`.

pub mod attached;
pub mod badge2;
pub mod baked;
pub mod check;
mod host;
pub mod integrity;
pub mod jose;
pub mod keys;
pub mod likeness;
pub mod link;
pub mod lists;
pub mod opened;
pub mod recognised;
pub mod sealed;
pub mod sign;
pub mod supplies;
pub mod ties;

pub use supplies::{Have, Shelf, Supplied, Supplies};
