//! The terms of contexts: which names they define, and which other names each definition needs.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::Contexts;

/// What all contexts define.
#[derive(Debug, Default)]
pub struct Terms {
    /// Every term, in whatever context, with the words that its definitions use.
    needs: HashMap<String, Vec<String>>,
    /// Words that are used by what is no term's definition (`@vocab`).
    always: Vec<String>,
    /// Terms under which a document could say something that the canonical form does not keep: they mean nothing
    /// (`null`), or a keyword other than `@id` and `@type`, or the names below them are left out
    /// (`@container: @index`), or what stands below them is bare JSON (`@json`), whose canonical form the JSON-LD
    /// crates leave to others.
    pub hiding: HashSet<String>,
}

impl Terms {
    /// Those of all `contexts`.
    pub fn of(contexts: &Contexts) -> Self {
        let mut terms = Self::default();
        contexts.values().for_each(|context| terms.collect(context));
        terms
    }

    /// Whether some context defines `word`.
    pub fn defines(&self, word: &str) -> bool {
        self.needs.contains_key(word)
    }

    /// The terms that a document of these `words` can look up, itself or by way of a definition.
    pub fn reached<'a>(&'a self, words: impl IntoIterator<Item = &'a str>) -> HashSet<&'a str> {
        let mut reached = HashSet::new();
        let mut open: Vec<&str> = words.into_iter().chain(self.always.iter().map(String::as_str)).collect();
        while let Some(word) = open.pop() {
            if let Some((term, needs)) = self.needs.get_key_value(word)
                && reached.insert(term.as_str())
            {
                open.extend(needs.iter().map(String::as_str));
            }
        }
        reached
    }

    fn collect(&mut self, context: &Value) {
        match context {
            Value::Array(contexts) => contexts.iter().for_each(|context| self.collect(context)),
            Value::Object(members) => members.iter().for_each(|(name, definition)| {
                if name.starts_with('@') {
                    self.always.extend(words_of(definition));
                } else {
                    self.define(name, definition);
                }
            }),
            _ => (),
        }
    }

    fn define(&mut self, term: &str, definition: &Value) {
        let mut needs: Vec<String> = words(term).skip(1).map(str::to_owned).collect();
        if let Value::Object(members) = definition {
            for (name, value) in members {
                if name == "@context" {
                    self.collect(value);
                } else {
                    needs.extend(words_of(value));
                }
            }
        } else {
            needs.extend(words_of(definition));
        }
        if hides(definition) {
            self.hiding.insert(term.to_owned());
        }
        self.needs.entry(term.to_owned()).or_default().extend(needs);
    }
}

/// The names under which a text can be looked up: itself, and what stands before its first colon.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    std::iter::once(text).chain(text.split_once(':').map(|(prefix, _)| prefix))
}

fn words_of(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => words(text).map(str::to_owned).collect(),
        Value::Array(values) => values.iter().flat_map(words_of).collect(),
        _ => Vec::new(),
    }
}

fn hides(definition: &Value) -> bool {
    let meaning = match definition {
        Value::Object(members) => {
            let indexed = names(members.get("@container")).any(|container| container == "@index");
            if indexed || members.contains_key("@nest") || members.get("@type").is_some_and(|kind| kind == "@json") {
                return true;
            }
            members.get("@id")
        }
        other => Some(other),
    };
    match meaning {
        Some(Value::Null) => true,
        Some(Value::String(iri)) => iri.starts_with('@') && iri != "@id" && iri != "@type",
        _ => false,
    }
}

fn names(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let values = match value {
        Some(Value::Array(values)) => values.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    values.iter().filter_map(Value::as_str)
}

/// The URLs of other contexts that a context names.
pub fn references(context: &Value) -> Vec<&str> {
    match context {
        Value::String(url) => vec![url],
        Value::Array(contexts) => contexts.iter().flat_map(references).collect(),
        Value::Object(members) => {
            let imported = members.get("@import").and_then(Value::as_str);
            let scoped = members.values().filter_map(|d| d.as_object()?.get("@context")).flat_map(references);
            imported.into_iter().chain(scoped).collect()
        }
        _ => Vec::new(),
    }
}

/// A context without the terms that are not `wanted`, at every depth.
pub fn cut(context: &Value, wanted: &HashSet<&str>) -> Value {
    match context {
        Value::Array(contexts) => contexts.iter().map(|context| cut(context, wanted)).collect(),
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| name.starts_with('@') || wanted.contains(name.as_str()));
            Value::Object(kept.map(|(name, definition)| (name.clone(), cut_scoped(definition, wanted))).collect())
        }
        other => other.clone(),
    }
}

fn cut_scoped(definition: &Value, wanted: &HashSet<&str>) -> Value {
    let Value::Object(members) = definition else {
        return definition.clone();
    };
    let cut_member = |(name, value): (&String, &Value)| {
        (name.clone(), if name == "@context" { cut(value, wanted) } else { value.clone() })
    };
    Value::Object(members.iter().map(cut_member).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cut_context_keeps_what_can_be_looked_up() {
        let context = json!({"@context": [{
            "@version": 1.1, "@protected": true, "ex": "https://example.org/", "xsd": "https://xsd#",
            "Person": {"@id": "ex:Person", "@context": {"age": {"@id": "ex:age", "@type": "xsd:integer"}, "size": "ex:size"}},
            "unused": {"@id": "other:x"}, "other": "https://other/",
        }]});
        let contexts = Contexts::default().with("c:c", context.to_string().as_bytes()).expect("it is a context");
        let terms = Terms::of(&contexts);
        let wanted = terms.reached(["Person", "age", "nothing"]);
        assert_eq!(wanted, HashSet::from(["Person", "age", "ex", "xsd"]));
        let cut = cut(&context["@context"], &wanted);
        assert_eq!(cut[0]["Person"]["@context"], json!({"age": {"@id": "ex:age", "@type": "xsd:integer"}}));
        assert_eq!((&cut[0]["@version"], &cut[0]["unused"]), (&json!(1.1), &Value::Null));
    }

    #[test]
    fn terms_that_hide_what_stands_below_them_are_known() {
        let context = json!({"@context": {
            "id": "@id", "nothing": null, "void": {"@id": null}, "index": "@index", "plain": "x:y",
            "map": {"@id": "x:map", "@container": ["@index", "@set"]}, "nested": {"@id": "x:n", "@nest": "n"},
        }});
        let contexts = Contexts::default().with("c:c", context.to_string().as_bytes()).expect("it is a context");
        let hiding = Terms::of(&contexts).hiding;
        assert_eq!(hiding, ["nothing", "void", "index", "map", "nested"].map(str::to_owned).into());
    }
}
