//! Anchoring files: each gets a proof that anyone can check, inside a JSON credential or beside any other file.

mod error;

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use futures::{StreamExt, stream};
use rand::{TryRngCore, rngs::OsRng};
use testamur_core::{
    Address, ChainId, Digest, Document, Error, Receipt, UnixSeconds,
    json::MAX_BYTES,
    proof::{AnchorProof, ProofConfig, is_anchor, proofs},
};

use crate::{
    content::{Content, Credential, ReadError, print_like},
    files,
    node::{Node, Wait},
    pending,
};

pub use error::{AnchorError, FileError, ReceiptError};

/// Receipts asked for at a time: enough to keep a node busy, few enough to be polite while it waits for a block.
const RECEIPTS_AT_ONCE: usize = 8;

/// What is asked for beside the files.
#[derive(Clone, Debug, Default)]
pub struct AnchorOptions {
    /// The issuer that the token must speak for; `None`: whoever it speaks for.
    pub issuer: Option<Address>,
    /// How settled the anchors must be.
    pub wait: Wait,
    /// Where anchored copies go; `None`: the files themselves are anchored, in place.
    pub out: Option<PathBuf>,
}

/// A file that is anchored.
#[derive(Clone, Debug)]
pub struct Anchored {
    /// Where the proof stands: the credential itself, or the receipt beside the file.
    pub proof_in: PathBuf,
    /// The receipt.
    pub receipt: Receipt,
    /// Whether it had been anchored before this run, so that nothing was done.
    pub already: bool,
}

/// What is told while files are anchored.
#[derive(Debug)]
pub enum Progress<'a> {
    /// So many files are read and made ready.
    Prepared(usize),
    /// The digests are with the node, and durable there: their number.
    Submitted(usize),
    /// A file is done, one way or the other.
    Done(&'a Path, &'a Result<Anchored, FileError>),
}

/// Where a node anchors for us: what receipts must agree with.
#[derive(Clone, Copy)]
struct Place {
    issuer: Address,
    chain: ChainId,
    registry: Address,
}

/// A file whose digest is, or is about to be, with the node.
struct Job {
    file: PathBuf,
    target: PathBuf,
    config: ProofConfig,
    digest: Digest,
}

/// Anchors files and writes their proofs. Tells each file's outcome through `progress` as it comes.
///
/// Before a digest leaves, what it was made from is stored durably beside the file (`<file>.pending.json`), so that a
/// run that was killed can be repeated without anchoring anything twice.
pub async fn anchor(
    node: &Node,
    paths: &[PathBuf],
    options: &AnchorOptions,
    now: UnixSeconds,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), AnchorError> {
    if let Some(folder) = &options.out {
        fs::create_dir_all(folder).map_err(|error| AnchorError::Out { folder: folder.clone(), error })?;
    }
    let place = place(node, options.issuer).await?;
    let jobs = prepare_all(place, paths, options, now, progress)?;
    if jobs.is_empty() {
        return Ok(());
    }
    let digests: Vec<Digest> = jobs.iter().map(|job| job.digest).collect();
    node.submit(place.issuer, &digests).await?;
    progress(Progress::Submitted(jobs.len()));
    let mut done = stream::iter(jobs)
        .map(|job| async move {
            let outcome = finish(node, place, &job, options.wait).await;
            (job.file, outcome)
        })
        .buffer_unordered(RECEIPTS_AT_ONCE);
    while let Some((file, outcome)) = done.next().await {
        progress(Progress::Done(&file, &outcome));
    }
    Ok(())
}

async fn place(node: &Node, asked: Option<Address>) -> Result<Place, AnchorError> {
    let about = node.about().await?;
    let token = node.token().await?.issuer;
    match asked {
        Some(asked) if asked != token => Err(AnchorError::OtherIssuer { token, asked }),
        _ => Ok(Place { issuer: token, chain: about.chain, registry: about.registry }),
    }
}

/// Makes every file ready that can be; the others, and those that are anchored already, are told.
fn prepare_all(
    place: Place,
    paths: &[PathBuf],
    options: &AnchorOptions,
    now: UnixSeconds,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Job>, AnchorError> {
    let mut jobs = Vec::with_capacity(paths.len());
    let mut targets = HashSet::new();
    for (count, file) in paths.iter().enumerate() {
        let target = target(file, options.out.as_deref());
        let outcome = if targets.insert(fs::canonicalize(&target).unwrap_or_else(|_| target.clone())) {
            prepare(place, file, target, now)?
        } else {
            Prepared::Done(Err(FileError::SameTarget(target)))
        };
        match outcome {
            Prepared::Job(job) => jobs.push(job),
            Prepared::Done(outcome) => progress(Progress::Done(file, &outcome)),
        }
        progress(Progress::Prepared(count + 1));
    }
    Ok(jobs)
}

fn target(file: &Path, out: Option<&Path>) -> PathBuf {
    match (out, file.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => file.to_owned(),
    }
}

enum Prepared {
    Job(Job),
    Done(Result<Anchored, FileError>),
}

fn prepare(place: Place, file: &Path, target: PathBuf, now: UnixSeconds) -> Result<Prepared, AnchorError> {
    let mut nonce = [0; 32];
    OsRng.try_fill_bytes(&mut nonce).map_err(AnchorError::Randomness)?;
    let begun = || -> Result<Prepared, FileError> {
        let content = Content::read(file)?;
        if let Some(anchored) = already(&content, &target)? {
            pending::end(&files::pending_path(&target)).map_err(FileError::Write)?;
            return Ok(Prepared::Done(Ok(anchored)));
        }
        let fresh = ProofConfig::new(content.context(), place.chain, place.issuer, now, nonce);
        let config = pending::begin(&files::pending_path(&target), &content, fresh)?;
        let digest = content.digest(&config);
        Ok(Prepared::Job(Job { file: file.to_owned(), target, config, digest }))
    };
    Ok(begun().unwrap_or_else(|error| Prepared::Done(Err(error))))
}

/// The proof that a file has already: inside a credential, in the copy that a run before this one made, or beside the
/// file. A receipt that does not fit what the file is now, because that was changed since, counts as none.
fn already(content: &Content, target: &Path) -> Result<Option<Anchored>, FileError> {
    let proof_in = match content {
        Content::Credential(credential) if carries_anchor(credential) => {
            let document = Document::from_credential(&credential.bytes).map_err(FileError::OldProof)?;
            let digest = document.digest();
            let receipt = document.proof.receipt;
            receipt.check_inclusion(digest).map_err(FileError::OldProof)?;
            return Ok(Some(Anchored { proof_in: target.to_owned(), receipt, already: true }));
        }
        Content::Credential(_) => target.to_owned(),
        Content::File(_) => files::receipt_path(target),
    };
    let Some(proof) = proof_at(content, &proof_in)? else { return Ok(None) };
    let fits = proof.receipt.check_inclusion(content.digest(&proof.config)).is_ok();
    Ok(fits.then_some(Anchored { proof_in, receipt: proof.receipt, already: true }))
}

fn proof_at(content: &Content, path: &Path) -> Result<Option<AnchorProof>, FileError> {
    let bytes = match files::read_up_to(path, MAX_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(ReadError::from)?.map_err(FileError::OldProof)?,
    };
    match content {
        Content::Credential(_) => match Document::from_credential(&bytes) {
            Err(Error::NoAnchor) => Ok(None),
            document => Ok(Some(document.map_err(FileError::OldProof)?.proof)),
        },
        Content::File(_) => AnchorProof::from_detached(&bytes).map(Some).map_err(FileError::OldProof),
    }
}

fn carries_anchor(credential: &Credential) -> bool {
    credential.value.as_object().is_some_and(|members| proofs(members).any(is_anchor))
}

/// Waits for the receipt, checks it, and writes the proof.
async fn finish(node: &Node, place: Place, job: &Job, wait: Wait) -> Result<Anchored, FileError> {
    let receipt = node.receipt(place.issuer, job.digest, wait).await.map_err(FileError::Node)?;
    check(&receipt, place, job.digest).map_err(FileError::Receipt)?;
    let content = Content::read(&job.file)?;
    if content.digest(&job.config) != job.digest {
        return Err(FileError::Changed);
    }
    let proof = AnchorProof { config: job.config.clone(), receipt };
    let proof_in = write(content, &proof, job)?;
    pending::end(&files::pending_path(&job.target)).map_err(FileError::Write)?;
    Ok(Anchored { proof_in, receipt: proof.receipt, already: false })
}

/// A node may be mistaken, or lie: its receipt must prove our digest, in the place that it named.
fn check(receipt: &Receipt, place: Place, digest: Digest) -> Result<(), ReceiptError> {
    receipt.check_shape()?;
    receipt.check_inclusion(digest)?;
    if (receipt.issuer, receipt.chain, receipt.registry) == (place.issuer, place.chain, place.registry) {
        return Ok(());
    }
    let Receipt { issuer, chain, registry, .. } = *receipt;
    Err(ReceiptError::Elsewhere { issuer, chain, registry })
}

fn write(content: Content, proof: &AnchorProof, job: &Job) -> Result<PathBuf, FileError> {
    match content {
        Content::Credential(credential) => {
            let bytes = embed(credential, proof).map_err(FileError::OldProof)?;
            // What is about to be written must verify as it stands, whatever printing did to it.
            let written = Document::from_credential(&bytes).map_err(FileError::OldProof)?;
            if written.digest() != job.digest {
                return Err(FileError::Changed);
            }
            files::replace(&job.target, &bytes).map_err(FileError::Write)?;
            Ok(job.target.clone())
        }
        Content::File(_) => {
            if job.target != job.file {
                files::copy(&job.file, &job.target).map_err(FileError::Write)?;
            }
            let receipt = files::receipt_path(&job.target);
            let text = format!("{:#}\n", proof.to_detached());
            files::replace(&receipt, text.as_bytes()).map_err(FileError::Write)?;
            Ok(receipt)
        }
    }
}

fn embed(credential: Credential, proof: &AnchorProof) -> Result<Vec<u8>, Error> {
    let Credential { mut value, bytes } = credential;
    let members = value.as_object_mut().ok_or(Error::Member { member: "credential" })?;
    proof.embed(members)?;
    Ok(print_like(&bytes, &value))
}
