//! The institution's keys: which there are and were, which one signs, and the document in which verifiers find them.
//!
//! Reading order: [`KeyRing`] (a folder: the list `keys.json`, and a file for each secret) → [`IssuerKey`] (the key that
//! signs, under its name) → [`did_document`] and [`Account`] → [`check_published`] (do verifiers find it?) →
//! [`account_statement`] (for an issuer that has no document).
//!
//! **Rotation orphans nothing.** A key that was ever in use stays in the document for good, without an end: what it signed
//! stays valid. A new key is listed first and signs later, once the document that lists it is published: until then
//! verifiers would call its signatures false. **A key that somebody else may have** gets the moment since when
//! (`revoked`): of what it signed only that counts which an anchor proves to be older, because a thief writes whatever
//! date he likes. The others are to be issued again.
//!
//! An issuer whose DID is its key (did:key) has one key for ever: with another one it is another issuer.

mod document;
mod error;
mod issuer_key;
mod published;
mod ring;
mod statement;

pub use self::{
    document::{Account, did_document, document_url},
    error::KeysError,
    issuer_key::IssuerKey,
    published::{NotPublished, check_published},
    ring::{Key, KeyRing},
    statement::account_statement,
};

#[cfg(test)]
mod tests;
