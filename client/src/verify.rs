//! Verifying documents against the chain itself: reads each with its proofs, asks for what stands elsewhere, looks at
//! the chain once for all, and leaves the verdict to `testamur_core`.

mod anchored;
mod subject;

use std::collections::BTreeSet;

use futures::{StreamExt, stream};
use rayon::prelude::*;
use testamur_chain::observe::Sighting;
use testamur_core::{
    BlockNumber, Document, Hash, Receipt, UnixSeconds,
    checked::Checked,
    observation::Unseen,
    policy::Policy,
    verify::{Report, verify as judge},
};
use testamur_credentials::{check::check, ties::Known};

pub use anchored::read;
use subject::{Content, Subject};

use crate::{
    chains::Chains,
    identity::{Desk, Library, ROUNDS},
    source::{LoadError, Loaded, Source},
    status::Sight,
};

/// Documents that are in memory together: lets them share reads of the chain.
const TOGETHER: usize = 4096;
/// Bytes that they have together: JSON takes some ten times its length in memory, and up to forty where that is meant.
const BYTES_TOGETHER: u64 = 64 << 20;
/// Links followed at a time.
const FETCHES: usize = 16;

/// Who verifies: with which view of the chains, whose documents, which policy, when.
#[derive(Clone, Copy)]
pub struct Verifier<'a> {
    /// The views of the chains.
    pub chains: &'a Chains,
    /// Where documents that stand elsewhere come from.
    pub library: &'a Library,
    /// What counts.
    pub policy: &'a Policy,
    /// Whom it knows.
    pub known: &'a Known,
    /// The time.
    pub now: UnixSeconds,
}

/// What came of one document.
#[derive(Debug)]
pub struct Verified {
    /// Where it stands.
    pub source: Source,
    /// SHA-256 of its bytes, where it could be had.
    pub hash: Option<Hash>,
    /// The report; an error where the document could not even be had, so that nothing can be told.
    pub report: Result<Report, LoadError>,
    /// The issuer that it names.
    pub issuer: Option<String>,
    /// What it says that this issuer is called. Nobody has checked that.
    pub issuer_name: Option<String>,
    /// What it is: the achievement's name, or the credential's.
    pub title: Option<String>,
    /// Whether this is about a credential that is attached to a PDF. Nobody has checked what its pages show.
    pub is_attached: bool,
    /// Why the chain could not be seen, in the words of the network. For people.
    pub detail: Option<String>,
    /// What was checked beside the chain.
    pub checked: Checked,
    /// What the report rests on: the look at the chain, and whose status bits are in it. `None` where none was made.
    pub sight: Option<Sight>,
    /// Its receipt, as read: what it names is what the report speaks of, and nothing in it is believed.
    pub receipt: Option<Receipt>,
}

impl Verifier<'_> {
    /// Verifies documents, and tells them in their order.
    pub async fn verify(&self, sources: &[Source], progress: &mut dyn FnMut(Verified)) {
        let mut rest = sources;
        while !rest.is_empty() {
            let (sources, later) = rest.split_at(together(rest));
            rest = later;
            let mut subjects = self.open(sources).await;
            let checked = self.check(&mut subjects).await;
            let sightings = self.look(&subjects).await;
            let parts: Vec<_> = subjects.into_iter().zip(checked).zip(sightings).collect();
            let verdicts: Vec<Verified> = in_parallel(|| {
                parts.into_par_iter().map(|((subject, checked), seen)| self.judge(subject, checked, seen)).collect()
            });
            verdicts.into_iter().for_each(&mut *progress);
        }
    }

    /// Reads documents, those behind links as well.
    async fn open(&self, sources: &[Source]) -> Vec<Subject> {
        let fetched = stream::iter(sources).map(|source| self.fetch(source)).buffered(FETCHES);
        let fetched: Vec<_> = fetched.collect().await;
        in_parallel(|| {
            let both = sources.par_iter().zip(fetched);
            both.map(|(source, fetched)| Subject::of(source, fetched.unwrap_or_else(|| source.load()))).collect()
        })
    }

    /// The document behind a link; `None` where the source is no link to fetch.
    async fn fetch(&self, source: &Source) -> Option<Result<Loaded, LoadError>> {
        let document = self.library.document(source.url()?).await;
        Some(document.map(|document| Loaded::of(document.bytes.to_vec(), None)).map_err(LoadError::Fetch))
    }

    /// Checks signatures, lists and ties, and fetches what they want until nothing is wanted any more.
    async fn check(&self, subjects: &mut [Subject]) -> Vec<Checked> {
        let mut checked = vec![Checked::default(); subjects.len()];
        let mut open: Vec<_> = subjects.iter_mut().zip(&mut checked).collect();
        for _ in 0..ROUNDS {
            let wants: Vec<_> =
                in_parallel(|| open.par_iter_mut().map(|(subject, checked)| self.pass(subject, checked)).collect());
            let mut wants = wants.into_iter();
            let mut wanted = BTreeSet::new();
            open.retain(|_| {
                let wants: BTreeSet<String> = wants.next().unwrap_or_default();
                let is_open = !wants.is_empty();
                wanted.extend(wants);
                is_open
            });
            if open.is_empty() {
                break;
            }
            self.library.fetch_all(wanted).await;
        }
        checked
    }

    /// Checks one document with what is at hand. What else it wants is told.
    fn pass(&self, subject: &mut Subject, checked: &mut Checked) -> BTreeSet<String> {
        let Some(opened) = subject.opened_mut() else { return BTreeSet::new() };
        let desk = Desk::new(self.library);
        *checked = check(opened, &desk, self.policy, self.known, self.now);
        desk.wanted()
    }

    /// Looks at the chain for every document at once; answers in their order. A receipt that the policy would not
    /// believe anyway makes nobody ask anything: `None`.
    async fn look(&self, subjects: &[Subject]) -> Vec<Option<Sighting>> {
        let policy = self.policy;
        let believed: Vec<Option<&Receipt>> = subjects
            .iter()
            .map(|subject| subject.receipt())
            .map(|receipt| receipt.filter(|r| policy.accepts_chain(r.chain) && policy.accepts_registry(r.registry)))
            .collect();
        let asked: Vec<&Receipt> = believed.iter().flatten().copied().collect();
        let mut seen = self.chains.observe(&asked, policy.finality).await.into_iter();
        believed.into_iter().map(|receipt| receipt.and_then(|_| seen.next())).collect()
    }

    fn judge(&self, mut subject: Subject, checked: Checked, sighting: Option<Sighting>) -> Verified {
        let (seen, detail, sighting) = match sighting {
            None => (Err(Unseen::Unusable), None, None),
            Some(Sighting { look: Ok(seen), origins, basis }) => (Ok(seen), None, Some((origins, basis))),
            Some(Sighting { look: Err((unseen, detail)), .. }) => (Err(unseen), Some(detail), None),
        };
        let moment = self.chains.moment();
        if let (Some(_), Some(anchor)) = (moment, subject.anchor_mut()) {
            // A hint that would excuse the absence of an anchor: then, the chain had no such block yet.
            anchor.receipt.block = BlockNumber(0);
        }
        let [issuer, issuer_name, title] = subject.says();
        let Subject { source, hash, content, is_attached } = subject;
        let now = moment.unwrap_or(self.now);
        let judge = |document: Document| {
            let report = judge(&document, &seen, &checked, self.policy, now);
            (Ok(report), document.anchor.map(|anchor| anchor.receipt))
        };
        let (report, receipt) = match content {
            Content::Opened(opened) => judge(opened.document),
            Content::Hashed(document) => judge(*document),
            Content::Refused(report) => (Ok(report), None),
            Content::Missing(error) => (Err(error), None),
        };
        let sight = seen.ok().zip(sighting).map(|(seen, (origins, basis))| Sight { seen, origins, basis });
        Verified { source, hash, report, issuer, issuer_name, title, is_attached, detail, checked, sight, receipt }
    }
}

/// How many of these come into memory next: one at least.
fn together(sources: &[Source]) -> usize {
    let mut bytes = 0;
    let fits = |source: &&Source| {
        bytes += source.length();
        bytes <= BYTES_TOGETHER
    };
    sources.iter().take(TOGETHER).take_while(fits).count().max(1)
}

/// Work that keeps the processors busy, on all of them; the other tasks of this thread go on elsewhere.
fn in_parallel<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_documents_do_not_come_into_memory_all_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = |length: u64| {
            let path = folder.path().join(length.to_string());
            std::fs::File::create(&path).unwrap().set_len(length).unwrap();
            Source::File(path)
        };
        assert_eq!(together(&vec![file(3_000); TOGETHER + 1]), TOGETHER);
        assert_eq!(together(&vec![file(BYTES_TOGETHER / 4); 9]), 4);
        assert_eq!(together(&vec![Source::link("https://a.example/1"); 100]), 64);
        // What is larger is never in memory as a whole.
        assert_eq!(together(&vec![file(1 << 40); 3]), 2);
    }
}
