//! A document on its way to a verdict.

use serde_json::{Map, Value};
use testamur_core::{
    Document, Hash, Receipt,
    proof::AnchorProof,
    verify::{Report, refuse, refuse_because},
};
use testamur_credentials::{
    attached,
    opened::{Format, Opened, Refusal, open},
};

use crate::source::{LoadError, Loaded, Source};

pub(super) struct Subject {
    pub source: Source,
    pub hash: Option<Hash>,
    pub content: Content,
}

/// What became of reading it.
pub(super) enum Content {
    Opened(Box<Opened>),
    /// Too large for memory: known by its hash, and by the receipt beside it.
    Hashed(Box<Document>),
    /// It is not what it pretends to be.
    Refused(Report),
    /// It could not be had.
    Missing(LoadError),
}

impl Subject {
    pub(super) fn of(source: &Source, loaded: Result<Loaded, LoadError>) -> Self {
        let (hash, content) = match loaded {
            Err(error) => (None, Content::Missing(error)),
            Ok(loaded) => (Some(loaded.hash), Content::of(source, loaded)),
        };
        Self { source: source.clone(), hash, content }
    }

    pub(super) fn opened_mut(&mut self) -> Option<&mut Opened> {
        match &mut self.content {
            Content::Opened(opened) => Some(opened),
            _ => None,
        }
    }

    pub(super) fn document(&self) -> Option<&Document> {
        match &self.content {
            Content::Opened(opened) => Some(&opened.document),
            Content::Hashed(document) => Some(document),
            Content::Refused(_) | Content::Missing(_) => None,
        }
    }

    pub(super) fn receipt(&self) -> Option<&Receipt> {
        Some(&self.document()?.anchor.as_ref()?.receipt)
    }

    pub(super) fn anchor_mut(&mut self) -> Option<&mut AnchorProof> {
        match &mut self.content {
            Content::Opened(opened) => opened.document.anchor.as_mut(),
            Content::Hashed(document) => document.anchor.as_mut(),
            Content::Refused(_) | Content::Missing(_) => None,
        }
    }

    /// The issuer that it names, what it calls it, and what it is.
    pub(super) fn says(&self) -> [Option<String>; 3] {
        let Some(document) = self.document() else { return [None, None, None] };
        let issuer = document.named_issuer().map(str::to_owned);
        let Some(credential) = &document.credential else { return [issuer, None, None] };
        let issuer_name = credential.get("issuer").and_then(|issuer| text(issuer.get("name")?));
        [issuer, issuer_name, title(credential)]
    }
}

impl Content {
    fn of(source: &Source, Loaded { bytes, hash, receipt }: Loaded) -> Self {
        let Some(bytes) = bytes else { return Self::hashed(hash, receipt.as_deref()) };
        match open(source.file_name().as_deref(), &bytes, receipt.as_deref()) {
            Ok(opened) if opened.format == Format::File && receipt.is_none() => Self::attached(&bytes, opened),
            opened => Self::opened(opened),
        }
    }

    fn opened(opened: Result<Opened, Refusal>) -> Self {
        match opened {
            Ok(opened) => Self::Opened(Box::new(opened)),
            Err(Refusal::Document(error)) => Self::Refused(refuse(error)),
            Err(refusal) => Self::Refused(refuse_because(refusal.to_string())),
        }
    }

    /// The credential that is attached to a PDF, or the file as such. A receipt beside the file would be about the
    /// whole of it.
    fn attached(bytes: &[u8], file: Opened) -> Self {
        match attached::credential(bytes) {
            Ok(Some(credential)) => Self::opened(open(None, &credential, None)),
            Ok(None) => Self::Opened(Box::new(file)),
            Err(fault) => Self::Refused(refuse_because(fault.to_string())),
        }
    }

    fn hashed(hash: Hash, receipt: Option<&[u8]>) -> Self {
        let document = match receipt {
            Some(receipt) => Document::from_file_hash(hash, receipt),
            None => Ok(Document::unanchored(hash, None)),
        };
        document.map_or_else(|error| Self::Refused(refuse(error)), |document| Self::Hashed(Box::new(document)))
    }
}

/// The achievement's name, or the credential's own.
fn title(credential: &Map<String, Value>) -> Option<String> {
    let subject = credential.get("credentialSubject");
    let subject = subject.and_then(|subject| subject.as_array().map_or(Some(subject), |subjects| subjects.first()));
    let achievement = subject.and_then(|subject| subject.get("achievement"));
    let achievement = achievement.and_then(|one| one.as_array().map_or(Some(one), |many| many.first()));
    let named = |value: &Value| text(value.get("name")?);
    achievement.and_then(named).or_else(|| text(credential.get("name")?))
}

/// A text, or the first of those in several languages.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(by_language) => by_language.values().find_map(text),
        Value::Array(values) => values.iter().find_map(|value| text(value.get("@value").unwrap_or(value))),
        _ => None,
    }
}
