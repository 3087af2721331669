//! What one document's checks ask for, and what is at hand of it.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;
use testamur_core::{Hash, checked::Missing};
use testamur_credentials::{Have, Supplied, Supplies};

use super::Library;

/// Documents that one credential may make us ask for: its issuer, its keys and its lists. It has no need of more.
const MOST_DOCUMENTS: usize = 16;
/// Canonical forms that one credential may make us work out: two for each of its proofs.
const MOST_CANONICAL: usize = 32;

/// The supplies of one document: those that the library has, within the limits of one document.
pub struct Desk<'a> {
    library: &'a Library,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    asked: BTreeSet<String>,
    wanted: BTreeSet<String>,
    canonical: usize,
}

impl<'a> Desk<'a> {
    /// An empty one.
    pub fn new(library: &'a Library) -> Self {
        Self { library, notes: Mutex::default() }
    }

    /// The URLs of what was not at hand.
    pub fn wanted(self) -> BTreeSet<String> {
        self.notes.into_inner().unwrap_or_else(PoisonError::into_inner).wanted
    }

    fn notes(&self) -> std::sync::MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Supplies for Desk<'_> {
    fn document(&self, url: &str) -> Have<Supplied> {
        let mut notes = self.notes();
        if !notes.asked.contains(url) {
            if notes.asked.len() == MOST_DOCUMENTS {
                return Have::No(refused(url, "one document makes nobody fetch more than 16 others"));
            }
            notes.asked.insert(url.to_owned());
        }
        match self.library.at_hand(url) {
            Some(Ok(document)) => Have::Yes(document),
            Some(Err(missing)) => Have::No(missing),
            None => {
                notes.wanted.insert(url.to_owned());
                Have::NotYet
            }
        }
    }

    fn canonical(&self, document: &Value) -> Have<Hash> {
        let mut notes = self.notes();
        notes.canonical += 1;
        if notes.canonical > MOST_CANONICAL {
            return Have::No(refused("the canonical form", "one document has no more than 16 proofs that need one"));
        }
        drop(notes);
        self.library.canonical(document).map_or_else(Have::No, Have::Yes)
    }
}

fn refused(what: &str, reason: &str) -> Missing {
    Missing::Refused { what: what.to_owned(), reason: reason.to_owned() }
}
