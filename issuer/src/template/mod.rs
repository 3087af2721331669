//! What a credential is awarded for: a TOML or JSON file that an institution writes once, checked against the data
//! model of Open Badges 3.0 before anything is issued by it.
//!
//! Everything that is wrong is told at once, each with its place and a way out ([`TemplateFaults`]). Three forms are
//! taken, all under the names of Open Badges or the shorter ones that `templates/example.toml` shows:
//! - a table `achievement` with [`Template`]'s settings beside it,
//! - both in one table, for a template of a dozen lines,
//! - an `Achievement` as JSON, as it stands in credentials of anybody's.
//!
//! Reading order: `model` (the classes) → `read` (one walk by them, with `forms`) → `whole` (members that need each
//! other) → `image` with `svg` → `validity` → [`Achievement`].

mod achievement;
mod fault;
pub mod folder;
mod forms;
mod image;
mod model;
mod read;
mod svg;
#[cfg(test)]
pub(crate) mod tests;
mod validity;
mod whole;

use std::{fs::File, io::Read, path::Path};

use serde_json::{Map, Value, json};
use testamur_core::json as strict;

pub use achievement::Achievement;
pub use fault::{TemplateFault, TemplateFaults};
pub(crate) use forms::is_uri;
pub use image::MAX_IMAGE;
pub(crate) use image::{ImageFault, MAX_PIXELS, check_picture};
pub use validity::{NoValidity, Validity};

use fault::instead;
use read::{Reader, kind_of};

/// A template of every field, with comments: what `template new` prints.
pub const EXAMPLE: &str = include_str!("../../templates/example.toml");

/// The largest template file: text, and a picture as a `data:` URL.
const MAX_FILE: u64 = 2 << 20;
/// What stands beside the achievement.
const SETTINGS: [&str; 5] = ["id", "validity", "identity", "evidence", "achievement"];

/// What a credential is awarded for, and how it is made out.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// What the institution calls it, in files and addresses: small letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// The achievement.
    pub achievement: Achievement,
    /// For how long its credentials are valid; for ever, if nothing is said. A roster's own date goes before it.
    pub validity: Option<Validity>,
    /// How credentials say whose they are.
    pub identity: Identity,
    /// `Evidence` of Open Badges, for awards that bring none of their own.
    pub evidence: Vec<Value>,
}

/// How credentials say whose they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Identity {
    /// By the learner's DID where the roster has one, by the hashed e-mail address else.
    #[default]
    Known,
    /// By all of these. By nothing, if there are none: then it is whoever's that holds it.
    These(Vec<IdentityKind>),
}

/// A way to say whose a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityKind {
    /// The learner's decentralized identifier.
    Did,
    /// The learner's e-mail address as a salted hash: who knows the address can check it, nobody can read it.
    Email,
    /// The learner's name, in plain text.
    Name,
}

/// How a template is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// TOML.
    Toml,
    /// JSON, strictly (RFC 7493).
    Json,
}

impl Template {
    /// Reads the template at `path`: JSON where it begins with `{`, TOML else. Pictures are looked for beside it.
    ///
    /// # Errors
    /// Everything that is wrong with it, or why it cannot be read.
    pub fn read(path: &Path) -> Result<Self, TemplateFaults> {
        let text = text(path)?;
        let format = if text.trim_start().starts_with('{') { Format::Json } else { Format::Toml };
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Self::parse(&text, format, path.parent().unwrap_or(Path::new("")), &name)
    }

    /// Reads a template, which is called `name` unless it says another name itself, and whose pictures are in the folder
    /// `base`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str, format: Format, base: &Path, name: &str) -> Result<Self, TemplateFaults> {
        let text = text.trim_start_matches('\u{feff}');
        let value = match format {
            Format::Json => json_value(text)?,
            Format::Toml => toml_value(text)?,
        };
        let Value::Object(mut members) = value else {
            let what = format!("it is {}", kind_of(&value));
            return Err(TemplateFaults::one("", what, "write an object with the members of an achievement"));
        };
        if members.contains_key("credentialSubject") {
            let help = "its achievement is the template: take what stands in credentialSubject.achievement";
            return Err(TemplateFaults::one("", "it is a credential, and no template", help));
        }
        let (achievement, prefix) = match members.shift_remove("achievement") {
            Some(achievement) => (achievement, "achievement"),
            None => (apart(&mut members), ""),
        };
        let mut reader = Reader::new(base);
        unknown(&members, &mut reader);
        let template = Self {
            id: id(members.get("id"), name, &mut reader),
            validity: validity(members.get("validity"), &mut reader),
            identity: identity(members.get("identity"), &mut reader),
            evidence: evidence(members.get("evidence"), &mut reader),
            achievement: Achievement(reader.object(&achievement, &model::ACHIEVEMENT, prefix)),
        };
        if reader.faults.is_empty() { Ok(template) } else { Err(reader.faults) }
    }

    /// The `Achievement` in credentials of the issuer with this id. Its own id, where the template gives none, is made of
    /// the issuer's, the template's and its version.
    pub fn achievement_json(&self, issuer: &str) -> Map<String, Value> {
        self.achievement.complete(issuer, &self.id)
    }
}

/// Checks who issues by the same data model; a logo that is a file in `base` becomes a part of it.
pub(crate) fn profile(profile: Map<String, Value>, base: &Path) -> Result<Map<String, Value>, TemplateFaults> {
    let mut reader = Reader::new(base);
    let read = reader.object(&Value::Object(profile), &model::PROFILE, "profile");
    if reader.faults.is_empty() { Ok(read) } else { Err(reader.faults) }
}

fn text(path: &Path) -> Result<String, TemplateFaults> {
    let fault = |what: String, help: &str| TemplateFaults::one("", format!("{}: {what}", path.display()), help);
    let unreadable =
        |error: std::io::Error| fault(error.to_string(), "look whether the name is right and the file may be read");
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(fault("it has more than 2 MiB".to_owned(), "put pictures into files of their own"));
    }
    String::from_utf8(bytes).map_err(|_| fault("it is not in UTF-8".to_owned(), "save it as UTF-8"))
}

fn json_value(text: &str) -> Result<Value, TemplateFaults> {
    let help = "mend it there: nothing else can be read before";
    strict::parse(text.as_bytes()).map_err(|error| TemplateFaults::one("", error.to_string(), help))
}

fn toml_value(text: &str) -> Result<Value, TemplateFaults> {
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        let help = "mend it there: nothing else can be read before";
        TemplateFaults::one(format!("line {line}, column {column}"), error.message(), help)
    })?;
    Ok(plain(toml::Value::Table(table)))
}

/// The same as JSON. Dates, and numbers that are none, become text.
fn plain(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) if number.is_finite() => json!(number),
        toml::Value::Float(number) => json!(number.to_string()),
        toml::Value::Boolean(truth) => json!(truth),
        toml::Value::Datetime(time) => json!(time.to_string()),
        toml::Value::Array(values) => Value::Array(values.into_iter().map(plain).collect()),
        toml::Value::Table(members) => members.into_iter().map(|(name, value)| (name, plain(value))).collect(),
    }
}

/// The achievement out of a file that has its members beside the settings; these are left. An `id` that is a URI is the
/// achievement's own.
fn apart(members: &mut Map<String, Value>) -> Value {
    let is_setting = |name: &str, value: &Value| match name {
        "id" => !value.as_str().is_some_and(|id| id.contains(':')),
        name => SETTINGS.contains(&name),
    };
    let (settings, mut achievement): (Map<_, _>, Map<_, _>) =
        std::mem::take(members).into_iter().partition(|(name, value)| is_setting(name, value));
    *members = settings;
    // What its members mean is said by the model; those that only another context defines are unknown here.
    achievement.shift_remove("@context");
    Value::Object(achievement)
}

fn unknown(members: &Map<String, Value>, reader: &mut Reader<'_>) {
    for name in members.keys().filter(|name| !SETTINGS.contains(&name.as_str())) {
        let here = instead(name, SETTINGS);
        reader.fault(name, "a template has no such member", format!("{here} (an achievement's members go below it)"));
    }
}

fn id(value: Option<&Value>, name: &str, reader: &mut Reader<'_>) -> String {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    match value {
        None => {
            let slug: String = name.to_lowercase().chars().map(|c| if allowed(c) { c } else { '-' }).take(64).collect();
            let slug = slug.trim_matches(['-', '.']);
            if slug.is_empty() { "template".to_owned() } else { slug.to_owned() }
        }
        Some(Value::String(id))
            if id.len() <= 64 && id.chars().all(allowed) && id.starts_with(|c: char| c.is_ascii_alphanumeric()) =>
        {
            id.clone()
        }
        Some(_) => {
            let help = "write up to 64 small letters, digits, -, _ and ., a letter or digit first";
            reader.fault("id", "it is no name for a template", help);
            String::new()
        }
    }
}

fn validity(value: Option<&Value>, reader: &mut Reader<'_>) -> Option<Validity> {
    let value = value?;
    let validity = value.as_str().and_then(|text| text.parse().ok());
    if validity.is_none() {
        let help = "write \"2 years\", \"18 months\", \"90 days\", or a date such as \"2028-06-30\"";
        reader.fault("validity", format!("{value} says no length of time and no date"), help);
    }
    validity
}

fn identity(value: Option<&Value>, reader: &mut Reader<'_>) -> Identity {
    let Some(value) = value else { return Identity::Known };
    let words = match value {
        Value::Array(words) => words.as_slice(),
        word => std::slice::from_ref(word),
    };
    let mut kinds = Vec::new();
    for word in words {
        match word.as_str() {
            Some("did") => kinds.push(IdentityKind::Did),
            Some("email") => kinds.push(IdentityKind::Email),
            Some("name") => kinds.push(IdentityKind::Name),
            Some("none") if words.len() == 1 => (),
            _ => {
                let help = "write \"did\", \"email\" (hashed), \"name\", a list of these, or \"none\"";
                reader.fault("identity", format!("{word} is no way to say whose a credential is"), help);
            }
        }
    }
    kinds.dedup();
    Identity::These(kinds)
}

fn evidence(value: Option<&Value>, reader: &mut Reader<'_>) -> Vec<Value> {
    let values = match value {
        None => &[],
        Some(Value::Array(values)) => values.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let each = values.iter().enumerate();
    each.map(|(at, value)| Value::Object(reader.object(value, &model::EVIDENCE, &format!("evidence[{at}]")))).collect()
}
