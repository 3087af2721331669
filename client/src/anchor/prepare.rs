//! Before the node: what is to be anchored, and whether it is already.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde_json::Value;
use testamur_core::{
    Address, Document, Error, StatusIndex, UnixSeconds,
    json::MAX_BYTES,
    proof::{AnchorProof, ProofConfig},
    status::{self, own_index},
};

use super::{Anchored, FileError, Job, Prepared};
use crate::{
    content::{Content, Credential, ReadError},
    files,
    node::Place,
    pending,
};

/// Reads a file and stores durably what its digest is made from, unless it is anchored.
pub(super) fn prepare(
    place: Place,
    file: PathBuf,
    target: PathBuf,
    now: UnixSeconds,
    nonce: [u8; 32],
) -> Result<Prepared, FileError> {
    let content = Content::read(&file)?;
    let pending = files::pending_path(&target);
    let index = named_index(&content, place.issuer)?;
    if let Some(anchored) = already(&content, index, &file, &target)? {
        pending::end(&pending).map_err(FileError::Write)?;
        return Ok(Prepared::Already(anchored));
    }
    let fresh = ProofConfig::new(content.context(), place.chain, place.issuer, now, nonce);
    let config = pending::begin(&pending, &content, fresh)?;
    let digest = content.digest(&config);
    Ok(Prepared::Job(Job { file, target, config, digest, index }))
}

/// The status index that a credential was given before it was signed: what the entries of its `credentialStatus` name in
/// the issuer's own lists.
fn named_index(content: &Content, issuer: Address) -> Result<Option<StatusIndex>, FileError> {
    let Content::Credential(Credential { value: Value::Object(credential), .. }) = content else { return Ok(None) };
    let entries = status::entries(credential).iter().enumerate();
    let mut named = entries.filter_map(|(place, entry)| Some((place, own_index(entry, issuer)?)));
    let Some((_, index)) = named.next() else { return Ok(None) };
    match named.find(|(_, other)| *other != index) {
        None => Ok(Some(index)),
        Some((place, other)) => Err(FileError::TwoIndices { index, place, other }),
    }
}

/// The anchor that a file, or the copy that an earlier run made, has already. A copy is made where it is wanted.
fn already(
    content: &Content,
    index: Option<StatusIndex>,
    file: &Path,
    target: &Path,
) -> Result<Option<Anchored>, FileError> {
    let places = if file == target { vec![file] } else { vec![file, target] };
    for at in places {
        let stands_in = home(content, at);
        let Some(proof) = proof_in(content, &stands_in)? else { continue };
        match holds(&proof, content, index) {
            Ok(()) => {
                if at != target {
                    carry(content, file, target).map_err(FileError::Write)?;
                }
                let proof_in = home(content, target);
                return Ok(Some(Anchored { proof_in, receipt: proof.receipt, already: true }));
            }
            // An anchor inside the file itself stands in the way of a new one.
            Err(error) if stands_in == file => return Err(error),
            // A copy or receipt of what the file was before is replaced.
            Err(_) => {}
        }
    }
    Ok(None)
}

/// Whether a proof is of this content, with the status index that the content names.
fn holds(proof: &AnchorProof, content: &Content, index: Option<StatusIndex>) -> Result<(), FileError> {
    let receipt = &proof.receipt;
    receipt.check_inclusion(content.digest(&proof.config)).map_err(FileError::OldProof)?;
    match index.filter(|named| *named != receipt.status_index) {
        None => Ok(()),
        Some(named) => Err(FileError::OldIndex { anchored: receipt.status_index, named }),
    }
}

/// Where the proof of a file stands.
fn home(content: &Content, file: &Path) -> PathBuf {
    match content {
        Content::Credential(_) => file.to_owned(),
        Content::File(_) => files::receipt_path(file),
    }
}

fn proof_in(content: &Content, path: &Path) -> Result<Option<AnchorProof>, FileError> {
    let bytes = match files::read_up_to(path, MAX_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(ReadError::from)?.map_err(FileError::OldProof)?,
    };
    let proof = match content {
        Content::Credential(_) => Document::from_credential(&bytes).and_then(Document::into_anchor),
        Content::File(_) => AnchorProof::from_detached(&bytes),
    };
    match proof {
        Err(Error::NoAnchor) => Ok(None),
        proof => proof.map(Some).map_err(FileError::OldProof),
    }
}

/// Copies an anchored file, with the receipt beside it.
fn carry(content: &Content, file: &Path, target: &Path) -> io::Result<()> {
    files::copy(file, target)?;
    match content {
        Content::Credential(_) => Ok(()),
        Content::File(_) => files::copy(&files::receipt_path(file), &files::receipt_path(target)),
    }
}
