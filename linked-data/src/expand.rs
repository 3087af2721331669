//! JSON-LD expansion, by the crates `json-ld-*`.

use std::collections::HashMap;

use futures::FutureExt;
use iref::{Iri, IriBuf};
use json_ld_context_processing::{Options as ContextOptions, Process};
use json_ld_core::{Context, ExpandedDocument, LoadError, Loader, LoadingResult, RemoteDocument};
use json_ld_expansion::{Action, Error, Expand, Options, Policy};
use json_ld_syntax::TryFromJson;
use serde_json::{Map, Value};

use crate::LinkedDataError;

/// Strict: a name that no context defines ends the expansion, where JSON-LD would leave it out.
const OPTIONS: Policy = Policy { invalid: Action::Reject, vocab: Action::Keep, allow_undefined: false };

/// Contexts from memory.
#[derive(Default)]
pub struct Shelf(HashMap<String, RemoteDocument>);

impl Shelf {
    /// Adds what stands in the member `@context` at `url`.
    pub fn put(&mut self, url: &str, context: Value) {
        let document = Value::Object(Map::from_iter([("@context".to_owned(), context)]));
        self.0.insert(url.to_owned(), RemoteDocument::new(IriBuf::new(url.to_owned()).ok(), None, syntax(&document)));
    }
}

impl Loader for Shelf {
    async fn load(&self, url: &Iri) -> LoadingResult<IriBuf> {
        self.0.get(url.as_str()).cloned().ok_or_else(|| LoadError::new(url.to_owned(), NotThere))
    }
}

/// Nothing is fetched.
#[derive(Debug, thiserror::Error)]
#[error("it is not on the shelf")]
struct NotThere;

/// The context that holds at a document's root, from the value of its `@context`.
pub fn active(context: &Value, shelf: &Shelf) -> Result<Context, LinkedDataError> {
    let context = json_ld_syntax::context::Context::try_from_json(syntax(context))
        .map_err(|error| LinkedDataError::Invalid { what: error.to_string() })?;
    let active = Context::default();
    let options = ContextOptions::default();
    at_once(context.process_full(&mut (), &active, shelf, None, options, ()))
        .map(|processed| processed.into_processed())
        .map_err(|error| LinkedDataError::Invalid { what: error.to_string() })
}

/// Expands the members of a document (without its own `@context`) under `active`.
pub fn expand(members: &Value, active: Context, shelf: &Shelf) -> Result<ExpandedDocument, LinkedDataError> {
    let options = Options { policy: OPTIONS, ..Options::default() };
    let expanded = at_once(syntax(members).expand_full(&mut (), active, None, shelf, options, ()));
    expanded.map_err(|error| match error {
        Error::KeyExpansionFailed(member) => undefined(member, "no context defines it"),
        Error::InvalidTypeValue => undefined("type".to_owned(), "no context defines one of its values"),
        error => LinkedDataError::Invalid { what: error.to_string() },
    })
}

fn undefined(member: String, reason: &'static str) -> LinkedDataError {
    LinkedDataError::Undefined { member, reason }
}

/// The JSON-LD crates wait for nothing but their loader.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("a loader from memory never waits")
}

/// The same JSON in the type that the JSON-LD crates take, with numbers as JavaScript writes them: 4.0 is 4.
fn syntax(value: &Value) -> json_syntax::Value {
    match value {
        Value::Array(values) => json_syntax::Value::Array(values.iter().map(syntax).collect()),
        Value::Object(members) => {
            let entry =
                |(name, value): (&String, &Value)| json_syntax::object::Entry::new(name.as_str().into(), syntax(value));
            json_syntax::Value::Object(members.iter().map(entry).collect())
        }
        Value::String(text) => json_syntax::Value::String(text.as_str().into()),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 => json_syntax::Value::from(float as i64),
            _ => json_syntax::Value::from_serde_json(value.clone()),
        },
        scalar => json_syntax::Value::from_serde_json(scalar.clone()),
    }
}
