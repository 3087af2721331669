//! To the node: digests, each with the status index that its credential names, where it names one.

use std::collections::{HashMap, VecDeque};

use testamur_core::{Address, Digest, Entry};

use super::{FileError, Job, Progress};
use crate::{
    files,
    node::{MOST_ENTRIES, Node, NodeError, Refused},
    pending,
};

/// Hands over everything, and returns what the node has now. Indices that it refuses are told as errors of their files.
pub(super) async fn submit(
    node: &Node,
    issuer: Address,
    jobs: Vec<Job>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Job>, NodeError> {
    let (plain, named): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.index.is_none());
    if !plain.is_empty() {
        let digests: Vec<Digest> = plain.iter().map(|job| job.digest).collect();
        node.submit(issuer, &digests).await?;
    }
    let (mut taken, mut waiting, mut at_once) = (plain, VecDeque::from(named), MOST_ENTRIES);
    while !waiting.is_empty() {
        let part: Vec<Job> = waiting.drain(..waiting.len().min(at_once)).collect();
        let entries: Vec<Entry> = part.iter().filter_map(entry).collect();
        let refused = match node.submit_entries(issuer, &entries).await {
            Ok(()) => {
                taken.extend(part);
                continue;
            }
            Err(refused) => refused,
        };
        let named = refused.offenders.len();
        if refused.count > named as u64 && named > 0 {
            // It does not name them all; of so few at once it does.
            at_once = named;
        }
        let before = part.len();
        let (kept, error) = leave_out(part, refused, progress);
        if kept.len() == before {
            return Err(error);
        }
        kept.into_iter().rev().for_each(|job| waiting.push_front(job));
    }
    Ok(taken)
}

fn entry(job: &Job) -> Option<Entry> {
    job.index.map(|status_index| Entry { digest: job.digest, status_index })
}

/// Tells the files that are to blame, and returns the others.
fn leave_out(part: Vec<Job>, refused: Refused, progress: &mut dyn FnMut(Progress<'_>)) -> (Vec<Job>, NodeError) {
    let mut reasons: HashMap<_, _> = refused.offenders.into_iter().map(|o| (o.place, o.reason)).collect();
    let mut kept = Vec::with_capacity(part.len());
    for (place, job) in part.into_iter().enumerate() {
        match (reasons.remove(&place), job.index) {
            (Some(reason), Some(index)) => {
                // Nothing is under way: the next run begins anew.
                let ended = pending::end(&files::pending_path(&job.target));
                let error = ended.err().map_or(FileError::Index { index, reason }, FileError::Write);
                progress(Progress::Done(&job.file, &Err(error)));
            }
            _ => kept.push(job),
        }
    }
    (kept, refused.error)
}
