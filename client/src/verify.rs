//! Verifying files against the chain itself: reads each with its proof, looks at the chain, and leaves the verdict
//! to `testamur_core`.

use std::{
    io,
    path::{Path, PathBuf},
};

use testamur_chain::observe::Sighting;
use testamur_core::{
    BlockNumber, Document, Error, StatusIndex, UnixSeconds,
    checked::Checked,
    digest::file_hash,
    json::MAX_BYTES,
    observation::Unseen,
    policy::Policy,
    verify::{Report, refuse, verify as judge},
};

use crate::{chains::Chains, content::names_json, files, status::Sight};

/// Documents read and looked up together: bounds the memory, and lets them share reads of the chain.
const TOGETHER: usize = 256;

/// What came of one file.
#[derive(Debug)]
pub struct Verified {
    /// The file.
    pub file: PathBuf,
    /// The report; an error where the file could not even be read, so that nothing can be told.
    pub report: io::Result<Report>,
    /// Why the chain could not be seen, in the words of the network. For people.
    pub detail: Option<String>,
    /// What the report rests on: the look at the chain, and whose status bits are in it. `None` where none was made.
    pub sight: Option<Sight>,
    /// The index of its status bits, as its receipt says.
    pub index: Option<StatusIndex>,
}

/// Verifies files, each by the proof inside it or the receipt beside it, and tells them in their order.
pub async fn verify(
    paths: &[PathBuf],
    chains: &Chains,
    policy: &Policy,
    now: UnixSeconds,
    progress: &mut dyn FnMut(Verified),
) {
    for paths in paths.chunks(TOGETHER) {
        let documents: Vec<_> = paths.iter().map(|path| read(path)).collect();
        let sightings = look(&documents, chains, policy).await;
        for ((file, document), sighting) in paths.iter().zip(documents).zip(sightings) {
            progress(verdict(file, document, sighting, chains.moment(), policy, now));
        }
    }
}

fn verdict(
    file: &Path,
    document: Reading,
    sighting: Option<Sighting>,
    moment: Option<UnixSeconds>,
    policy: &Policy,
    now: UnixSeconds,
) -> Verified {
    let anchor = document.as_ref().ok().and_then(|read| read.as_ref().ok()).and_then(|read| read.anchor.as_ref());
    let index = anchor.map(|anchor| anchor.receipt.status_index);
    let (seen, detail, origins) = match sighting {
        None => (Err(Unseen::Unusable), None, Vec::new()),
        Some(Sighting { look: Ok(seen), origins, .. }) => (Ok(seen), None, origins),
        Some(Sighting { look: Err((unseen, detail)), .. }) => (Err(unseen), Some(detail), Vec::new()),
    };
    let report = document.map(|document| match document {
        Ok(mut document) => {
            if let (Some(_), Some(anchor)) = (moment, &mut document.anchor) {
                // A hint that would excuse the absence of an anchor: then, the chain had no such block yet.
                anchor.receipt.block = BlockNumber(0);
            }
            judge(&document, &seen, &Checked::default(), policy, moment.unwrap_or(now))
        }
        Err(error) => refuse(error),
    });
    let sight = seen.ok().map(|seen| Sight { seen, origins });
    Verified { file: file.to_owned(), report, detail, sight, index }
}

/// A document; an error where it is no document that can be believed, or where the disk does not give it.
type Reading = io::Result<Result<Document, Error>>;

/// Looks at the chain for every document at once; answers in their order. A receipt that the policy would not
/// believe anyway makes nobody ask anything: `None`.
async fn look(documents: &[Reading], chains: &Chains, policy: &Policy) -> Vec<Option<Sighting>> {
    let receipt = |reading: &Reading| {
        let receipt = reading.as_ref().ok()?.as_ref().ok()?.anchor.as_ref()?.receipt.clone();
        (policy.accepts_chain(receipt.chain) && policy.accepts_registry(receipt.registry)).then_some(receipt)
    };
    let receipts: Vec<_> = documents.iter().map(receipt).collect();
    let asked: Vec<_> = receipts.iter().flatten().collect();
    let mut seen = chains.observe(&asked, policy.finality).await.into_iter();
    receipts.iter().map(|receipt| receipt.as_ref().and_then(|_| seen.next())).collect()
}

/// Reads a file with its proof: a credential with an anchor inside, or any file, of any size, with a receipt beside it.
pub fn read(path: &Path) -> Reading {
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
