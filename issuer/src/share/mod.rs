//! What a learner makes of a credential: links, entries elsewhere, paper.
//!
//! Everything here is a pure function of a credential and of the issuer's words: nothing is read or sent. Texts of others
//! stay texts.

pub mod embed;
mod escape;
pub mod link;
pub mod linkedin;
pub mod signature;

pub use crate::certificate::Language;
use crate::certificate::calendar;

/// A link that leads into no web: only `https` and `http` links are shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no web address: it must begin with https:// or http:// and hold no blanks")]
pub struct NoWebLink;
