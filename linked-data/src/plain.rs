//! One JSON, one reading: documents whose JSON says what their statements say.
//!
//! A signature over statements does not cover how JSON spells them. Whoever holds a signed credential may rename
//! `credentialStatus` to the IRI that it stands for, write `@type` for `type`, or bring a context along that swaps two
//! names: the signature still holds, and a reader of plain JSON sees no status, another type, other values. So only
//! terms are read here, of contexts that the verifier chose, each member under the one name that these give it.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use crate::{Contexts, LinkedDataError, terms, terms::Terms};

/// Twice as deep as the deepest credential in the corpora; the JSON-LD crates recurse, up to 60 kB a level.
const MAX_DEPTH: usize = 20;
/// Members and values: a CLR of a whole course of studies has some thousands.
const MAX_VALUES: usize = 20_000;
/// Bytes of text: images that are embedded, and room to spare.
const MAX_TEXT: usize = 8 << 20;
/// Integers from here on are written in other ways by other readers.
const MAX_NUMBER: f64 = 9e15;

/// What a plain document uses.
#[derive(Debug, Default)]
pub struct Plain<'a> {
    /// Everything that might be looked up in a context.
    pub words: HashSet<&'a str>,
    /// The contexts that it names, at any depth.
    pub contexts: BTreeSet<&'a str>,
    values: usize,
    text: usize,
}

/// Reads `document`.
///
/// # Errors
/// Where a member is disguised, or of a kind that the canonical form leaves out; an unknown context; beyond the limits.
pub fn read<'a>(
    document: &'a Map<String, Value>,
    contexts: &Contexts,
    terms: &Terms,
) -> Result<Plain<'a>, LinkedDataError> {
    let mut plain = Plain::default();
    plain.object(document, terms, 0)?;
    plain.contexts.iter().try_for_each(|url| contexts.get(url).map(drop))?;
    Ok(plain)
}

impl<'a> Plain<'a> {
    fn object(&mut self, members: &'a Map<String, Value>, terms: &Terms, depth: usize) -> Result<(), LinkedDataError> {
        for (name, value) in members {
            if name == "@context" {
                self.context(value)?;
                continue;
            }
            check_name(name, terms)?;
            self.word(name)?;
            match value {
                Value::Array(values) => values.iter().try_for_each(|v| self.value(name, v, terms, depth + 1))?,
                value => self.value(name, value, terms, depth + 1)?,
            }
        }
        Ok(())
    }

    fn value(&mut self, name: &str, value: &'a Value, terms: &Terms, depth: usize) -> Result<(), LinkedDataError> {
        if depth > MAX_DEPTH {
            return Err(LinkedDataError::TooLarge { what: "levels", limit: MAX_DEPTH });
        }
        match value {
            Value::Object(members) => {
                self.count(0)?;
                self.object(members, terms, depth)
            }
            Value::Array(_) => {
                let reason = "an array in an array, which means the same as one array";
                Err(LinkedDataError::Disguised { member: name.to_owned(), reason })
            }
            Value::String(text) => self.word(text),
            Value::Number(number) if number.as_f64().is_none_or(|n| n.abs() > MAX_NUMBER) => {
                Err(LinkedDataError::Invalid { what: format!("the number {number} in {name} is too large") })
            }
            _ => self.count(0),
        }
    }

    fn word(&mut self, text: &'a str) -> Result<(), LinkedDataError> {
        self.words.extend(terms::words(text));
        self.count(text.len())
    }

    fn count(&mut self, text: usize) -> Result<(), LinkedDataError> {
        self.values += 1;
        self.text += text;
        if self.values > MAX_VALUES {
            return Err(LinkedDataError::TooLarge { what: "members and values", limit: MAX_VALUES });
        }
        if self.text > MAX_TEXT {
            return Err(LinkedDataError::TooLarge { what: "bytes of text", limit: MAX_TEXT });
        }
        Ok(())
    }

    fn context(&mut self, context: &'a Value) -> Result<(), LinkedDataError> {
        match context {
            Value::String(url) => {
                self.contexts.insert(url);
                self.count(url.len())
            }
            Value::Array(contexts) if contexts.iter().all(Value::is_string) => {
                contexts.iter().try_for_each(|context| self.context(context))
            }
            _ => Err(LinkedDataError::Disguised {
                member: "@context".to_owned(),
                reason: "the document brings its own meaning of names along",
            }),
        }
    }
}

fn check_name(name: &str, terms: &Terms) -> Result<(), LinkedDataError> {
    let disguised = |reason| Err(LinkedDataError::Disguised { member: name.to_owned(), reason });
    if name.starts_with('@') && name != "@value" && name != "@language" {
        return disguised("a keyword of JSON-LD where a name is expected");
    }
    if name.contains(':') {
        return disguised("an IRI where a name is expected");
    }
    if terms.hiding.contains(name) {
        let reason = "what stands below it is left out, or is not read here";
        return Err(LinkedDataError::Undefined { member: name.to_owned(), reason });
    }
    Ok(())
}
