//! Mails to learners: the issuer's private half of an invitation.
//!
//! Reading order: `schema.sql` → [`outbox`] (durable before a try) → `words`, `message` (what it says) → [`post`] (the mail
//! server) → [`Courier`] (rounds of sending).

mod deliver;
mod message;
pub mod outbox;
pub mod post;
mod settings;
mod words;

pub use deliver::{Courier, Round};
pub use message::address;
pub use outbox::Outbox;
pub use settings::{Security, Settings};
