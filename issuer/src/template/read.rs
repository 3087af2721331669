//! Reads JSON by the tables of the data model, and notes everything that is wrong with it.

use std::{path::Path, sync::LazyLock};

use serde_json::{Map, Value, json};
use testamur_linked_data::{Canonicalizer, Contexts};

use super::{
    TemplateFaults,
    fault::instead,
    forms::{is_extension, is_jws, is_language, is_link, is_uri},
    image,
    model::{Class, Kind, Member, Short, Stamp},
    whole,
};
use crate::credential::CONTEXTS;

/// A verifier reads 20,000 members and values of a credential; a template may have a quarter of them.
const MAX_VALUES: usize = 5_000;
/// Bytes of one text: a long criteria page.
const MAX_TEXT: usize = 64 << 10;
/// Achievement → creator → parentOrg → … and nothing deeper: what verifiers read has twenty levels in all.
const MAX_DEPTH: usize = 10;

/// For what a template brings along that no table here describes.
static CANONICALIZER: LazyLock<Canonicalizer> = LazyLock::new(|| Canonicalizer::new(Contexts::carried()));

/// A reader of one template.
pub struct Reader<'a> {
    /// The folder that pictures are in.
    pub base: &'a Path,
    /// What was wrong so far.
    pub faults: TemplateFaults,
    values: usize,
}

impl<'a> Reader<'a> {
    /// One that takes pictures from `base`.
    pub fn new(base: &'a Path) -> Self {
        Self { base, faults: TemplateFaults::default(), values: 0 }
    }

    /// Reads an object of `class`, in full names and with its `type`.
    pub fn object(&mut self, value: &Value, class: &Class, path: &str) -> Map<String, Value> {
        let spelt_out;
        let members = match (value, class.short) {
            (Value::Object(members), _) => members,
            (Value::String(text), Short::Member(name)) => {
                spelt_out = Map::from_iter([(name.to_owned(), json!(text))]);
                &spelt_out
            }
            (Value::String(text), Short::LinkOr(name)) => {
                let name = if is_link(text) { "id" } else { name };
                spelt_out = Map::from_iter([(name.to_owned(), json!(text))]);
                &spelt_out
            }
            _ => {
                self.fault(
                    path,
                    format!("it is {}, and no {}", kind_of(value), class.name),
                    "write a table of its members",
                );
                return Map::new();
            }
        };
        if path.matches('.').count() > MAX_DEPTH {
            self.fault(path, "it lies too deep", "leave it out");
            return Map::new();
        }
        self.unknown(members, class, path);
        let mut read = Map::new();
        for member in class.members {
            // In front, and only an id before it.
            if member.name != "id" && !read.contains_key("type") {
                stamp(&mut read, class);
            }
            if let Some(value) = self.member(members, member, path) {
                read.insert(member.name.to_owned(), value);
            }
        }
        whole::check(&mut read, class, path, &mut self.faults);
        read
    }

    /// Notes that something is wrong.
    pub fn fault(&mut self, path: &str, what: impl Into<String>, help: impl Into<String>) {
        self.faults.add(path, what, help);
    }

    /// Names that the class does not have, and a `type` that is another's.
    fn unknown(&mut self, members: &Map<String, Value>, class: &Class, path: &str) {
        let known = || class.members.iter().flat_map(|member| member.alias.into_iter().chain([member.name]));
        for (name, value) in members {
            let place = join(path, name);
            if name == "type" {
                self.kind(value, class, &place);
            } else if !known().any(|known| known == name) {
                let names: Vec<&str> = known().collect();
                self.fault(
                    &place,
                    format!("{} {} has no such member", article(class.name), class.name),
                    instead(name, names),
                );
            }
        }
    }

    fn kind(&mut self, value: &Value, class: &Class, path: &str) {
        let types = match value {
            Value::Array(types) => types.as_slice(),
            one => std::slice::from_ref(one),
        };
        if types.is_empty() || types.iter().any(|kind| kind != class.name) {
            let what = format!("{value} is not the type of {} {}", article(class.name), class.name);
            self.fault(path, what, format!("write \"{}\", or leave it out", class.name));
        }
    }

    fn member(&mut self, members: &Map<String, Value>, member: &Member, path: &str) -> Option<Value> {
        let under = |name: &str| members.get(name).filter(|value| !value.is_null());
        let alias = member.alias.and_then(|alias| Some((alias, under(alias)?)));
        let (name, value) = match (under(member.name), alias) {
            (Some(_), Some((alias, _))) => {
                let path = join(path, alias);
                self.fault(
                    &path,
                    format!("it is the same as {}, which is there too", member.name),
                    "keep one of the two",
                );
                return None;
            }
            (Some(value), None) => (member.name, value),
            (None, Some(found)) => found,
            (None, None) if member.required => {
                self.fault(&join(path, member.name), "it is missing", ask_for(member));
                return None;
            }
            (None, None) => return None,
        };
        let path = join(path, name);
        match value {
            Value::Array(_) | Value::Object(_) | Value::String(_) | Value::Number(_) if member.many => {
                self.several(value, member, &path)
            }
            value => self.value(value, member.kind, &path),
        }
    }

    /// A list; or one value, which JSON-LD takes for a list of one.
    fn several(&mut self, value: &Value, member: &Member, path: &str) -> Option<Value> {
        let Value::Array(values) = value else {
            return Some(Value::Array(vec![self.value(value, member.kind, path)?]));
        };
        let each = values.iter().enumerate();
        let read: Vec<Value> =
            each.filter_map(|(at, value)| self.value(value, member.kind, &format!("{path}[{at}]"))).collect();
        (!read.is_empty()).then_some(Value::Array(read))
    }

    /// `None` where it is nothing of the `kind`; that is noted then.
    fn value(&mut self, value: &Value, kind: Kind, path: &str) -> Option<Value> {
        self.values += 1;
        if self.values == MAX_VALUES {
            self.fault(
                path,
                format!("there are {MAX_VALUES} values up to here"),
                "verifiers read no more; leave some out",
            );
        }
        if self.values >= MAX_VALUES {
            return None;
        }
        match kind {
            Kind::Object(class) => return Some(Value::Object(self.object(value, class, path))),
            Kind::Picture => return self.picture(value, path),
            Kind::Endorsement => return self.endorsement(value, path),
            Kind::Number { from, to } => return self.number(value, from, to, path),
            _ => (),
        }
        let text = self.text(value, path)?;
        let refusal = match kind {
            Kind::Uri if !is_uri(text) => {
                Some(("no URI", "write one, such as https://…, did:… or urn:uuid:…".to_owned()))
            }
            Kind::Link if !is_link(text) => Some(("no web address", "write one that begins with https://".to_owned())),
            Kind::Language if !is_language(text) => {
                Some(("no language code", "write one such as en, es or pt-BR".to_owned()))
            }
            Kind::Term(words) if !words.contains(&text) && !is_extension(text) => Some((
                "none of the words for it",
                format!("{}; a word of your own begins with ext:", instead(text, words.iter().copied())),
            )),
            Kind::Jws if !is_jws(text) => {
                Some(("no compact JWS", "write three parts of base64url with dots between".to_owned()))
            }
            _ => None,
        };
        match refusal {
            Some((what, help)) => {
                self.fault(path, format!("{} is {what}", shown(text)), help);
                None
            }
            None if matches!(kind, Kind::Jws) => self.defined("endorsementJwt", value, path),
            None => Some(json!(text)),
        }
    }

    fn text<'v>(&mut self, value: &'v Value, path: &str) -> Option<&'v str> {
        let Value::String(text) = value else {
            let help = if value.is_number() || value.is_boolean() { "write it in quotes" } else { "write text" };
            self.fault(path, format!("it is {}, and no text", kind_of(value)), help);
            return None;
        };
        let fault = if text.trim().is_empty() {
            ("it is blank", "write something, or leave it out")
        } else if text.len() > MAX_TEXT {
            ("it has more than 64 KiB", "say it shorter, or put it on a page and write its address")
        } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            ("it has control characters in it", "take them out")
        } else {
            return Some(text.trim());
        };
        self.fault(path, fault.0, fault.1);
        None
    }

    fn number(&mut self, value: &Value, from: f64, to: f64, path: &str) -> Option<Value> {
        match value.as_f64() {
            Some(number) if (from..=to).contains(&number) => Some(value.clone()),
            _ => {
                let what = if value.is_number() { value.to_string() } else { kind_of(value).to_owned() };
                self.fault(
                    path,
                    format!("it is {what}, and no number from {from} to {to}"),
                    "write one, without quotes",
                );
                None
            }
        }
    }

    fn picture(&mut self, value: &Value, path: &str) -> Option<Value> {
        let (source, caption, place) = match value {
            Value::Object(members) => {
                for name in members.keys().filter(|name| !["id", "type", "caption"].contains(&name.as_str())) {
                    self.fault(&join(path, name), "an Image has no such member", instead(name, ["id", "caption"]));
                }
                (members.get("id").unwrap_or(&Value::Null), members.get("caption"), join(path, "id"))
            }
            source => (source, None, path.to_owned()),
        };
        let caption = caption.and_then(|caption| self.text(caption, &join(path, "caption")).map(str::to_owned));
        let source = match source {
            // Not read as text, whose length is limited.
            Value::String(source) => source.trim(),
            other => {
                let help = "write the name of a PNG or SVG file beside the template, or an https:// address";
                self.fault(&place, format!("it is {}, and no picture", kind_of(other)), help);
                return None;
            }
        };
        match image::picture(source, self.base) {
            Ok(id) => {
                let mut picture = Map::from_iter([("id".to_owned(), json!(id)), ("type".to_owned(), json!("Image"))]);
                picture.extend(caption.map(|caption| ("caption".to_owned(), json!(caption))));
                Some(Value::Object(picture))
            }
            Err(fault) => {
                self.fault(&place, fault.to_string(), fault.help());
                None
            }
        }
    }

    /// Taken over as its issuer signed it, if every reader will see the same in it.
    fn endorsement(&mut self, value: &Value, path: &str) -> Option<Value> {
        let types = value["type"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !types.iter().any(|kind| kind == "EndorsementCredential") || value["proof"].is_null() {
            let help = "take it over as its issuer signed it, or leave it out";
            self.fault(path, "it is no signed EndorsementCredential", help);
            return None;
        }
        self.defined("endorsement", value, path)
    }

    /// What a signature covers: some editions of the contexts do not define all that the data model does.
    fn defined(&mut self, name: &str, value: &Value, path: &str) -> Option<Value> {
        if let Err(error) = CANONICALIZER.n_quads(&frame(name, value)) {
            self.fault(path, error.to_string(), "leave it out");
            return None;
        }
        Some(value.clone())
    }
}

/// The least credential that an endorsement can stand in.
fn frame(name: &str, endorsement: &Value) -> Value {
    json!({
        "@context": CONTEXTS,
        "id": "urn:uuid:0",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "achievement": { "type": ["Achievement"], name: [endorsement] },
        },
    })
}

fn stamp(read: &mut Map<String, Value>, class: &Class) {
    match class.stamp {
        Stamp::List => read.insert("type".to_owned(), json!([class.name])),
        Stamp::Text => read.insert("type".to_owned(), json!(class.name)),
        Stamp::None => None,
    };
}

/// The path of a member.
pub fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// What JSON calls it.
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "missing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

fn article(name: &str) -> &'static str {
    if name.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" }
}

fn ask_for(member: &Member) -> String {
    match member.name {
        "criteria" => "write what one has to do for it, or the address of a page that says it".to_owned(),
        "targetUrl" => "write the address of the skill in its framework".to_owned(),
        name => format!("write `{name}`, which Open Badges 3.0 asks for"),
    }
}

/// A text in quotes, its beginning only where it is long.
pub fn shown(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("\"{}…\"", &text[..end]),
        None => format!("\"{text}\""),
    }
}
