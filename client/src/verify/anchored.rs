//! Anchored documents alone, for the commands that read receipts and do not verify.

use std::{io, path::Path};

use testamur_core::{Document, Error, digest::file_hash, json::MAX_BYTES};

use crate::{content::names_json, files};

/// Reads a file with its proof: a credential with an anchor inside, or any file, of any size, with a receipt beside it.
/// An error where it is no document that can be believed, or where the disk does not give it.
pub fn read(path: &Path) -> io::Result<Result<Document, Error>> {
    let (hash, inside) = match files::read_up_to(path, MAX_BYTES)? {
        Ok(bytes) => (file_hash(&bytes), Document::from_credential(&bytes).and_then(anchored)),
        Err(error) => (files::hash(files::open(path)?.0)?, Err(error)),
    };
    if inside.is_ok() {
        return Ok(inside);
    }
    match files::read_up_to(&files::receipt_path(path), MAX_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(inside.map_err(|error| why_none(path, error))),
        receipt => Ok(receipt?.and_then(|receipt| Document::from_file_hash(hash, &receipt))),
    }
}
fn anchored(document: Document) -> Result<Document, Error> {
    if document.anchor.is_some() { Ok(document) } else { Err(Error::NoAnchor) }
}

/// What a file without a receipt beside it lacks. One that is no JSON at all is not a spoilt credential, unless its
/// name says JSON: it only carries no proof.
fn why_none(path: &Path, error: Error) -> Error {
    match error {
        Error::Json { .. } | Error::Utf8 { .. } | Error::TooLarge { .. } if !names_json(path) => Error::NoAnchor,
        Error::Member { member: "credential" } => Error::NoAnchor,
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn refusal(name: &str, bytes: &[u8]) -> Error {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        read(&path).unwrap().unwrap_err()
    }

    #[test]
    fn a_file_without_a_proof_is_told_apart_from_a_spoilt_credential() {
        assert_eq!(refusal("a.pdf", b"%PDF-1.7"), Error::NoAnchor);
        assert_eq!(refusal("a.json", b"[1]"), Error::NoAnchor);
        assert_eq!(refusal("a.json", br#"{"type":"VerifiableCredential"}"#), Error::NoAnchor);
        assert!(matches!(refusal("a.json", br#"{"a":1,"a":2}"#), Error::DuplicateKey { .. }));
        assert!(matches!(refusal("a.json", b"{"), Error::Json { .. }));
        assert!(matches!(refusal("a.json", &vec![b'['; MAX_BYTES + 1]), Error::TooLarge { .. }));
    }

    #[test]
    fn what_the_disk_does_not_give_is_no_verdict() {
        assert_eq!(read(Path::new("/nonexistent")).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(read(Path::new("/dev/zero")).is_err());
    }
}
