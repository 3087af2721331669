//! What a file is to us: a JSON credential, which can carry its proof inside, or any other bytes.

use std::{io, path::Path};

use serde::Serialize;
use serde_json::{Value, ser::PrettyFormatter};
use testamur_core::{
    Digest, Error, Hash,
    digest::{blind, credential_hash, file_hash},
    json::{self, MAX_BYTES},
    proof::ProofConfig,
};

use crate::files;

/// A file's content, read as far as anchoring and verifying need it.
pub enum Content {
    /// A JSON object with `@context` and a `type` that ends in `Credential`.
    Credential(Credential),
    /// Anything else, by its hash.
    File(Hash),
}

/// A JSON credential and how it was written.
pub struct Credential {
    /// The document. Always an object.
    pub value: Value,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Why a file cannot be taken as content: the disk, or what stands in it.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Its name says JSON, but it is none that two readers would read alike.
    #[error(transparent)]
    Document(#[from] Error),
}

impl Content {
    /// Reads a file. Where the name says JSON (`.json`, `.jsonld`) it must be JSON that can be trusted to mean
    /// one thing; a file of any other name is a credential if it reads as one, and bytes otherwise.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let bytes = match files::read_up_to(path, MAX_BYTES)? {
            Ok(bytes) => bytes,
            Err(error) if names_json(path) => return Err(error.into()),
            Err(_) => return Ok(Self::File(files::hash(files::open(path)?.0)?)),
        };
        Ok(Self::from_bytes(bytes, names_json(path))?)
    }

    fn from_bytes(bytes: Vec<u8>, named_json: bool) -> Result<Self, Error> {
        if !named_json && bytes.trim_ascii_start().first() != Some(&b'{') {
            return Ok(Self::File(file_hash(&bytes)));
        }
        match json::parse(&bytes) {
            Ok(value) if is_credential(&value) => Ok(Self::Credential(Credential { value, bytes })),
            Err(error) if named_json => Err(error),
            _ => Ok(Self::File(file_hash(&bytes))),
        }
    }

    /// The digest that the registry is to see.
    pub fn digest(&self, config: &ProofConfig) -> Digest {
        let hash = match self {
            Self::Credential(credential) => credential_hash(&credential.value),
            Self::File(hash) => *hash,
        };
        blind(&config.to_json(), hash)
    }

    /// The credential's `@context`, which is part of its proof configuration.
    pub fn context(&self) -> Option<&Value> {
        match self {
            Self::Credential(credential) => credential.value.get("@context"),
            Self::File(_) => None,
        }
    }
}

/// Whether a file's name says that it is JSON.
pub(crate) fn names_json(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "json" || ending == "jsonld")
}

fn is_credential(value: &Value) -> bool {
    let names_credential = |kind: &Value| kind.as_str().is_some_and(|name| name.ends_with("Credential"));
    value.get("@context").is_some()
        && match value.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().any(names_credential),
            Some(kind) => names_credential(kind),
            None => false,
        }
}

/// Prints JSON in the manner of `model`: on one line, or with its indentation; with or without a last line break.
pub fn print_like(model: &[u8], value: &Value) -> Vec<u8> {
    let mut out = match indentation(model) {
        Some(indent) => {
            let mut out = Vec::new();
            let mut printer = serde_json::Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(indent));
            value.serialize(&mut printer).expect("writing a value to a vector does not fail");
            out
        }
        None => value.to_string().into_bytes(),
    };
    if model.ends_with(b"\n") {
        out.push(b'\n');
    }
    out
}

/// What stands between the line break after the first brace and the first member.
fn indentation(json: &[u8]) -> Option<&[u8]> {
    let after_brace = json.trim_ascii_start().get(1..)?;
    let spaces = &after_brace[..after_brace.len() - after_brace.trim_ascii_start().len()];
    let line_break = spaces.iter().rposition(|&byte| byte == b'\n')?;
    Some(&spaces[line_break + 1..])
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(name: &str, bytes: &[u8]) -> Result<Content, ReadError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        Content::read(&path)
    }

    const CREDENTIAL: &[u8] = br#"{"@context":["x"],"type":["VerifiableCredential"]}"#;

    #[test]
    fn credentials_are_known_by_what_they_say() {
        for (name, bytes) in [
            ("a.json", CREDENTIAL),
            ("a.vc", CREDENTIAL),
            ("a.json", br#" {"@context":"x","type":"OpenBadgeCredential"}"#),
        ] {
            assert!(matches!(read(name, bytes), Ok(Content::Credential(_))), "{name}");
        }
        for (name, bytes) in [
            ("a.json", &br#"{"type":["VerifiableCredential"]}"#[..]),
            ("a.json", br#"[1]"#),
            ("a.rtf", br"{\rtf1 a diploma}"),
            ("a.pdf", b"%PDF-1.7"),
            ("empty", b""),
        ] {
            assert!(matches!(read(name, bytes), Ok(Content::File(hash)) if hash == file_hash(bytes)), "{name}");
        }
    }

    #[test]
    fn what_is_named_json_must_be_json_that_means_one_thing() {
        for bytes in [&br#"{"a":1,"a":2}"#[..], b"{", b"\xff", b""] {
            assert!(matches!(read("a.json", bytes), Err(ReadError::Document(_))));
        }
        let vast = vec![b'['; MAX_BYTES + 1];
        assert!(matches!(read("a.json", &vast), Err(ReadError::Document(Error::TooLarge { .. }))));
        assert!(matches!(read("a.bin", &vast), Ok(Content::File(hash)) if hash == file_hash(&vast)));
    }

    #[test]
    fn a_credential_is_printed_as_it_was_written() {
        for text in ["{\"b\":1,\"a\":[2]}", "{\n  \"b\": 1\n}\n", "{\n\t\"b\": 1\n}", "{}\n", "{\n    \"b\": {}\n}"] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(String::from_utf8(print_like(text.as_bytes(), &value)).unwrap(), text);
        }
    }
}
