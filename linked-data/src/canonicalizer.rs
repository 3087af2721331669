//! Documents to hashes.

use std::fmt;

use serde_json::{Map, Value};
use testamur_core::{Hash, digest::file_hash};

use crate::{
    Contexts, LinkedDataError,
    excerpt::{Excerpt, Excerpts, shape},
    expand, plain, quads,
    terms::Terms,
    whole,
};

/// Gives documents their canonical form. One serves many threads.
pub struct Canonicalizer {
    contexts: Contexts,
    terms: Terms,
    excerpts: Excerpts,
}

impl Canonicalizer {
    /// One that reads these contexts and no others.
    pub fn new(contexts: Contexts) -> Self {
        let terms = Terms::of(&contexts);
        Self { contexts, terms, excerpts: Excerpts::default() }
    }

    /// SHA-256 of the canonical N-Quads: what the rdfc suites sign, once of a document without its `proof`, once of
    /// the proof without its `proofValue` and with the document's `@context`.
    ///
    /// # Errors
    /// See [`LinkedDataError`]: an error never says that a document is false.
    pub fn hash(&self, document: &Value) -> Result<Hash, LinkedDataError> {
        self.n_quads(document).map(|n_quads| file_hash(n_quads.as_bytes()))
    }

    /// The canonical N-Quads (RDFC-1.0 with SHA-256).
    ///
    /// # Errors
    /// As [`Self::hash`].
    pub fn n_quads(&self, document: &Value) -> Result<String, LinkedDataError> {
        let Value::Object(members) = document else {
            return Err(LinkedDataError::Invalid { what: "it is no JSON object".to_owned() });
        };
        let Some(context) = members.get("@context") else {
            return Err(LinkedDataError::Invalid { what: "it has no @context".to_owned() });
        };
        let plain = plain::read(members, &self.contexts, &self.terms)?;
        let shape = shape(context, &plain, &self.terms);
        let rest = without_context(members);
        if let Some(excerpt) = self.excerpts.get(&shape) {
            return n_quads(&rest, &excerpt);
        }
        // The first of a shape is read under the whole contexts: these may contradict each other in definitions that
        // it does not use, and their word counts should the excerpt ever say anything else.
        let under_whole = n_quads(&rest, &Excerpt::new(context, &plain, &self.contexts, None)?)?;
        let wanted = self.terms.reached(plain.words.iter().copied());
        let excerpt = Excerpt::new(context, &plain, &self.contexts, Some(&wanted))?;
        if n_quads(&rest, &excerpt).as_ref() == Ok(&under_whole) {
            self.excerpts.keep(shape, excerpt);
        }
        Ok(under_whole)
    }
}

impl fmt::Debug for Canonicalizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canonicalizer").field("contexts", &self.contexts.urls().collect::<Vec<_>>()).finish()
    }
}

fn n_quads(members: &Value, excerpt: &Excerpt) -> Result<String, LinkedDataError> {
    let expanded = expand::expand(members, excerpt.active.clone(), &excerpt.shelf)?;
    whole::check(&expanded)?;
    quads::canonical(expanded)
}

fn without_context(members: &Map<String, Value>) -> Value {
    let rest = members.iter().filter(|(name, _)| *name != "@context");
    Value::Object(rest.map(|(name, value)| (name.clone(), value.clone())).collect())
}
