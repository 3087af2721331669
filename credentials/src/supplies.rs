//! What a check needs from elsewhere. The checks are pure: they ask, and go on without what is not there yet; whoever
//! runs them fetches what was wanted and runs them again, until nothing more is wanted.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;
use testamur_core::{Hash, UnixSeconds, checked::Missing, digest::file_hash};

/// An answer of [`Supplies`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Have<T> {
    /// Here it is.
    Yes(T),
    /// It cannot be had.
    No(Missing),
    /// It was not asked for yet. It is noted as wanted.
    NotYet,
}

/// A document as it was had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supplied {
    /// Its bytes, as served.
    pub bytes: Arc<[u8]>,
    /// When.
    pub as_of: UnixSeconds,
}

/// Where checks get what stands elsewhere.
pub trait Supplies: Sync {
    /// The document at an `https` URL: a DID document, a key, a status list, a badge class.
    fn document(&self, url: &str) -> Have<Supplied>;

    /// SHA-256 of a JSON-LD document's canonical N-Quads (RDFC-1.0), every member of which some context defines.
    fn canonical(&self, document: &Value) -> Have<Hash>;
}

/// Supplies from memory. What is not on it is noted as wanted.
#[derive(Debug, Default)]
pub struct Shelf {
    documents: HashMap<String, Result<Supplied, Missing>>,
    canonical: HashMap<Hash, Result<Hash, Missing>>,
    wanted: Mutex<Wanted>,
}

/// What was asked of a [`Shelf`] in vain.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Documents, by URL.
    pub documents: BTreeSet<String>,
    /// JSON-LD documents whose canonical form is needed.
    pub canonical: Vec<Value>,
}

impl Shelf {
    /// Puts a document on the shelf, or why it cannot be had.
    pub fn put_document(&mut self, url: impl Into<String>, document: Result<Supplied, Missing>) {
        self.documents.insert(url.into(), document);
    }

    /// Puts a canonical form's hash on the shelf, or why there is none.
    pub fn put_canonical(&mut self, document: &Value, hash: Result<Hash, Missing>) {
        self.canonical.insert(key(document), hash);
    }

    /// What was wanted since this was asked last.
    pub fn take_wanted(&self) -> Wanted {
        std::mem::take(&mut *self.wanted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn want(&self, note: impl FnOnce(&mut Wanted)) {
        note(&mut self.wanted.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Supplies for Shelf {
    fn document(&self, url: &str) -> Have<Supplied> {
        match self.documents.get(url) {
            Some(Ok(document)) => Have::Yes(document.clone()),
            Some(Err(missing)) => Have::No(missing.clone()),
            None => {
                self.want(|wanted| _ = wanted.documents.insert(url.to_owned()));
                Have::NotYet
            }
        }
    }

    fn canonical(&self, document: &Value) -> Have<Hash> {
        match self.canonical.get(&key(document)) {
            Some(Ok(hash)) => Have::Yes(*hash),
            Some(Err(missing)) => Have::No(missing.clone()),
            None => {
                self.want(|wanted| wanted.canonical.push(document.clone()));
                Have::NotYet
            }
        }
    }
}

impl Wanted {
    /// Whether nothing was wanted.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.canonical.is_empty()
    }
}

/// The same JSON text, the same key.
fn key(document: &Value) -> Hash {
    file_hash(document.to_string().as_bytes())
}
