//! Contexts cut down to what documents of one shape use.
//!
//! The JSON-LD crates copy every definition of a context each time that a type or a property brings a context along:
//! some hundred definitions of Open Badges, for credentials that use thirty. JSON-LD finds a definition only by a name
//! that stands in the document or in another definition, so a context without all others gives the same statements.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock},
};

use json_ld_core::Context;
use serde_json::Value;

use crate::{
    Contexts, LinkedDataError,
    expand::{self, Shelf},
    plain::Plain,
    terms::{self, Terms},
};

/// Excerpts that are kept: one for each shape of document; one holds some tens of kilobytes.
const MAX_KEPT: usize = 256;

/// Contexts, ready for documents of one shape.
pub struct Excerpt {
    /// What holds at the root.
    pub active: Context,
    /// What can be named further below.
    pub shelf: Shelf,
}

impl Excerpt {
    /// The contexts that `plain` can reach, `cut` down or whole.
    pub fn new(
        context: &Value,
        plain: &Plain<'_>,
        contexts: &Contexts,
        wanted: Option<&HashSet<&str>>,
    ) -> Result<Self, LinkedDataError> {
        let mut shelf = Shelf::default();
        let mut seen: HashSet<&str> = HashSet::new();
        let mut open: Vec<&str> = plain.contexts.iter().copied().collect();
        while let Some(url) = open.pop() {
            if seen.insert(url) {
                let whole = contexts.get(url)?;
                open.extend(terms::references(whole));
                shelf.put(url, wanted.map_or_else(|| whole.clone(), |wanted| terms::cut(whole, wanted)));
            }
        }
        Ok(Self { active: expand::active(context, &shelf)?, shelf })
    }
}

/// The excerpts that were made, by shape.
#[derive(Default)]
pub struct Excerpts(RwLock<HashMap<String, Arc<Excerpt>>>);

impl Excerpts {
    /// The one of that shape.
    pub fn get(&self, shape: &str) -> Option<Arc<Excerpt>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(shape).cloned()
    }

    /// Keeps one; all others are forgotten when there are too many.
    pub fn keep(&self, shape: String, excerpt: Excerpt) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(shape, Arc::new(excerpt));
    }
}

/// What decides which definitions a document can meet: its root context, and the terms that stand in it.
pub fn shape(context: &Value, plain: &Plain<'_>, terms: &Terms) -> String {
    let mut used: Vec<&str> = plain.words.iter().copied().filter(|word| terms.defines(word)).collect();
    used.sort_unstable();
    // No term holds a line feed inside JSON text, so two shapes never read alike.
    format!("{context}\n{}", Value::from(used))
}
