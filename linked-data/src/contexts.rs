//! The contexts that a document may name.

use std::collections::BTreeMap;

use serde_json::Value;
use testamur_core::json;

use crate::LinkedDataError;

include!(concat!(env!("OUT_DIR"), "/carried.rs"));

const RUN_SETUP: &str = "run scripts/setup-contexts and build again";
const ADD_IT: &str = "add it to the policy if you trust it";

/// JSON-LD contexts by URL: those that this build carries, and what its user adds.
///
/// Whoever chooses a context chooses what a document's members mean, so only the verifier chooses: nothing is fetched,
/// and a document may name contexts but bring none along.
#[derive(Clone, Debug, Default)]
pub struct Contexts(BTreeMap<String, Value>);

impl Contexts {
    /// Those of W3C and, where scripts/setup-contexts was run before the build, of Open Badges 3.0. Pinned by SHA-256
    /// in `linked-data/contexts/table.rs`.
    pub fn carried() -> Self {
        CARRIED.iter().fold(Self::default(), |contexts, (url, bytes)| {
            contexts.with(*url, bytes).expect("the pinned contexts are contexts, which a test sees")
        })
    }

    /// The same and one more, or another one under that URL.
    ///
    /// # Errors
    /// [`LinkedDataError::Invalid`] where `bytes` are no JSON object with an `@context`.
    pub fn with(mut self, url: impl Into<String>, bytes: &[u8]) -> Result<Self, LinkedDataError> {
        let url = url.into();
        let context = match json::parse(bytes) {
            Ok(Value::Object(mut members)) => members.shift_remove("@context"),
            Ok(_) => None,
            Err(error) => return Err(LinkedDataError::Invalid { what: format!("the context {url}: {error}") }),
        };
        let context = context
            .ok_or_else(|| LinkedDataError::Invalid { what: format!("the context {url} has no member @context") })?;
        self.0.insert(url, context);
        Ok(self)
    }

    /// The URLs.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// What stands in the member `@context` of the file at `url`.
    ///
    /// # Errors
    /// [`LinkedDataError::UnknownContext`], with how to get it.
    pub fn get(&self, url: &str) -> Result<&Value, LinkedDataError> {
        self.0.get(url).ok_or_else(|| {
            let help = if ABSENT.contains(&url) { RUN_SETUP } else { ADD_IT };
            LinkedDataError::UnknownContext { url: url.to_owned(), help }
        })
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_contexts_are_contexts_and_lead_to_no_others() {
        let contexts = Contexts::carried();
        assert_eq!(contexts.urls().count(), CARRIED.len());
        for url in contexts.urls() {
            crate::terms::references(contexts.get(url).expect("it is there"))
                .into_iter()
                .for_each(|reference| assert!(contexts.get(reference).is_ok(), "{url} leads to {reference}"));
        }
    }

    #[test]
    fn what_is_missing_is_named_with_a_way_to_get_it() {
        let unknown = Contexts::default().get("https://example.org/c").expect_err("it is not there").to_string();
        assert_eq!(unknown, "the context https://example.org/c is not carried; add it to the policy if you trust it");
        assert!(Contexts::default().with("x:y", b"[]").is_err());
        assert!(Contexts::default().with("x:y", b"{\"@context\": {}}").is_ok());
    }
}
