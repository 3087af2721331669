//! After the node: its receipt is checked, and the proof written.

use std::path::PathBuf;

use testamur_core::{Digest, Document, Error, Receipt, StatusIndex, proof::AnchorProof};

use super::{Anchored, FileError, Job, ReceiptError};
use crate::{
    content::{Content, Credential, print_like},
    files,
    node::Place,
    pending,
};

/// A node may be mistaken, or lie: its receipt must prove our digest, in the place that it named, and with the status
/// index that the credential names itself, where it names one.
pub fn check_receipt(
    receipt: &Receipt,
    place: Place,
    digest: Digest,
    index: Option<StatusIndex>,
) -> Result<(), ReceiptError> {
    receipt.check_shape()?;
    receipt.check_inclusion(digest)?;
    if let Some(named) = index.filter(|named| *named != receipt.status_index) {
        return Err(ReceiptError::OtherIndex { given: receipt.status_index, named });
    }
    if place.is_of(receipt) {
        return Ok(());
    }
    let Receipt { issuer, chain, registry, .. } = *receipt;
    Err(ReceiptError::Elsewhere { issuer, chain, registry })
}

/// Writes the proof, and ends the anchoring.
pub(super) fn write(job: Job, receipt: Receipt) -> Result<Anchored, FileError> {
    let content = Content::read(&job.file)?;
    if content.digest(&job.config) != job.digest {
        return Err(FileError::Changed);
    }
    let proof = AnchorProof { config: job.config.clone(), receipt };
    let proof_in = match content {
        Content::Credential(credential) => write_inside(credential, &proof, &job)?,
        Content::File(_) => write_beside(&proof, &job)?,
    };
    pending::end(&files::pending_path(&job.target)).map_err(FileError::Write)?;
    Ok(Anchored { proof_in, receipt: proof.receipt, already: false })
}

fn write_inside(credential: Credential, proof: &AnchorProof, job: &Job) -> Result<PathBuf, FileError> {
    let bytes = embed(credential, proof).map_err(FileError::OldProof)?;
    // What is about to be written must verify as it stands, whatever printing did to it.
    let written = Document::from_credential(&bytes).map_err(FileError::OldProof)?;
    if written.digest() != Some(job.digest) {
        return Err(FileError::Changed);
    }
    files::replace(&job.target, &bytes).map_err(FileError::Write)?;
    Ok(job.target.clone())
}

fn embed(credential: Credential, proof: &AnchorProof) -> Result<Vec<u8>, Error> {
    let Credential { mut value, bytes } = credential;
    let members = value.as_object_mut().ok_or(Error::Member { member: "credential" })?;
    proof.embed(members)?;
    Ok(print_like(&bytes, &value))
}

fn write_beside(proof: &AnchorProof, job: &Job) -> Result<PathBuf, FileError> {
    if job.target != job.file {
        files::copy(&job.file, &job.target).map_err(FileError::Write)?;
    }
    let receipt = files::receipt_path(&job.target);
    let text = format!("{:#}\n", proof.to_detached());
    files::replace(&receipt, text.as_bytes()).map_err(FileError::Write)?;
    Ok(receipt)
}
