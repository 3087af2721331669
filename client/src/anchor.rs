//! Anchoring files: each gets a proof that anyone can check, inside a JSON credential or beside any other file.

mod error;
mod finish;
mod prepare;
mod submit;

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use futures::{StreamExt, TryStreamExt, stream};
use rand::{TryRngCore, rngs::OsRng};
use testamur_core::{Address, Digest, Receipt, StatusIndex, UnixSeconds, proof::ProofConfig};

use crate::node::{Node, Place, Wait};

pub use error::{AnchorError, FileError, ReceiptError};
pub use finish::check_receipt;

/// Files worked on at a time: syncing several to disk takes hardly longer than one, and a node that waits for a block
/// is not asked by more.
const AT_ONCE: usize = 8;

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

/// A file whose digest is, or is about to be, with the node.
struct Job {
    file: PathBuf,
    target: PathBuf,
    config: ProofConfig,
    digest: Digest,
    /// What its `credentialStatus` names in the issuer's own lists.
    index: Option<StatusIndex>,
}

/// Anchors files and writes their proofs. Tells each file's outcome through `progress` as it comes.
///
/// Before a digest leaves, what it was made from is stored durably beside the file (`<file>.pending.json`), so that a
/// run that was killed can be repeated without anchoring anything twice.
///
/// A credential whose `credentialStatus` names an own list of the issuer gets the status index that it names, which must
/// have been [reserved](Node::reserve) for it.
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
    let place = node.place(options.issuer).await?;
    let jobs = prepare_all(place, paths, options, now, progress).await?;
    if jobs.is_empty() {
        return Ok(());
    }
    let jobs = submit::submit(node, place.issuer, jobs, progress).await?;
    progress(Progress::Submitted(jobs.len()));
    let mut done = stream::iter(jobs)
        .map(|job| async move { (job.file.clone(), finish(node, place, job, options.wait).await) })
        .buffer_unordered(AT_ONCE);
    while let Some((file, outcome)) = done.next().await {
        progress(Progress::Done(&file, &outcome));
    }
    Ok(())
}

/// Makes every file ready that can be; the others, and those that are anchored already, are told.
async fn prepare_all(
    place: Place,
    paths: &[PathBuf],
    options: &AnchorOptions,
    now: UnixSeconds,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Job>, AnchorError> {
    let mut targets = HashSet::new();
    let start = |file: &PathBuf| {
        let (file, target) = (file.clone(), target(file, options.out.as_deref()));
        let is_first = targets.insert(fs::canonicalize(&target).unwrap_or_else(|_| target.clone()));
        async move {
            let nonce = nonce()?;
            let path = file.clone();
            let outcome = match is_first {
                true => blocking(move || prepare::prepare(place, path, target, now, nonce)).await,
                false => Err(FileError::SameTarget(target)),
            };
            Ok::<_, AnchorError>((file, outcome))
        }
    };
    let mut prepared = stream::iter(paths.iter().map(start)).buffered(AT_ONCE);
    let (mut jobs, mut count) = (Vec::with_capacity(paths.len()), 0);
    while let Some((file, outcome)) = prepared.try_next().await? {
        match outcome {
            Ok(Prepared::Job(job)) => jobs.push(job),
            Ok(Prepared::Already(anchored)) => progress(Progress::Done(&file, &Ok(anchored))),
            Err(error) => progress(Progress::Done(&file, &Err(error))),
        }
        count += 1;
        progress(Progress::Prepared(count));
    }
    Ok(jobs)
}

/// Waits for the receipt, checks it, and writes the proof.
async fn finish(node: &Node, place: Place, job: Job, wait: Wait) -> Result<Anchored, FileError> {
    let receipt = node.receipt(place.issuer, job.digest, wait).await.map_err(FileError::Node)?;
    check_receipt(&receipt, place, job.digest, job.index).map_err(FileError::Receipt)?;
    blocking(move || finish::write(job, receipt)).await
}

enum Prepared {
    Job(Job),
    Already(Anchored),
}

fn target(file: &Path, out: Option<&Path>) -> PathBuf {
    match (out, file.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => file.to_owned(),
    }
}

/// What blinds one digest.
fn nonce() -> Result<[u8; 32], AnchorError> {
    let mut nonce = [0; 32];
    OsRng.try_fill_bytes(&mut nonce).map_err(AnchorError::Randomness)?;
    Ok(nonce)
}

/// Work on the disk, kept off the threads that wait for the network.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
