//! Where the checks get what stands elsewhere: kept in memory, fetched once in a run, or not at all where the verifier is
//! offline.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{StreamExt, stream};
use serde_json::Value;
use testamur_core::{Hash, checked::Missing};
use testamur_credentials::{Supplied, Supplies};
use tokio::sync::OnceCell;

use super::{Desk, Dns};
use crate::{clock, fetch::Fetcher};

/// How often a check is run again with what it wanted. A token's issuer, its list, the list's issuer: three.
pub const ROUNDS: usize = 4;
/// Documents fetched at a time; the fetcher bounds how many connections that takes.
const FETCHES: usize = 16;
/// Bytes kept in memory; what is beyond is forgotten, and fetched again where it is needed again.
const MOST_KEPT: usize = 256 << 20;

type Answer = Result<Supplied, Missing>;
type Canonical = Box<dyn Fn(&Value) -> Result<Hash, Missing> + Send + Sync>;

/// What was fetched in a run, and who fetches more.
pub struct Library {
    fetcher: Option<Fetcher>,
    dns: Option<Result<Dns, Missing>>,
    canonical: Canonical,
    kept: Mutex<Kept>,
}

/// Each cell is filled by the first who wants it; the others wait.
#[derive(Default)]
struct Kept {
    cells: HashMap<String, Arc<OnceCell<Answer>>>,
    bytes: usize,
}

impl Library {
    /// One that fetches nothing.
    pub fn offline() -> Self {
        let not_carried = |_: &Value| Err(Missing::NotCarried { what: "JSON-LD".to_owned(), help: None });
        Self { fetcher: None, dns: None, canonical: Box::new(not_carried), kept: Mutex::default() }
    }

    /// One that fetches documents.
    pub fn online(fetcher: Fetcher) -> Self {
        Self { fetcher: Some(fetcher), ..Self::offline() }
    }

    /// Asks this resolver for DNS records, if it can be had. Without one, none are asked for.
    pub fn with_dns(mut self, dns: Result<Dns, Missing>) -> Self {
        self.dns = Some(dns);
        self
    }

    /// Works out canonical forms of JSON-LD with this.
    pub fn with_canonical(
        mut self,
        canonical: impl Fn(&Value) -> Result<Hash, Missing> + Send + Sync + 'static,
    ) -> Self {
        self.canonical = Box::new(canonical);
        self
    }

    /// Puts in a document that is at hand already: from an archive of evidence, say. It is not fetched again.
    pub fn put(&self, url: impl Into<String>, document: Supplied) {
        let mut kept = self.kept();
        kept.bytes += document.bytes.len();
        kept.cells.insert(url.into(), Arc::new(OnceCell::new_with(Some(Ok(document)))));
    }

    /// Notes why a document cannot be had. It is not fetched.
    pub fn put_missing(&self, url: impl Into<String>, missing: Missing) {
        self.kept().cells.insert(url.into(), Arc::new(OnceCell::new_with(Some(Err(missing)))));
    }

    /// Every document that was had, with its URL: what evidence keeps.
    pub fn documents(&self) -> Vec<(String, Supplied)> {
        let kept = self.kept();
        let had = |(url, cell): (&String, &Arc<OnceCell<Answer>>)| Some((url.clone(), cell.get()?.clone().ok()?));
        kept.cells.iter().filter_map(had).collect()
    }

    /// Runs a check of one document until it has all that it wants, or has been run [`ROUNDS`] times and once more.
    pub async fn supply<T>(&self, check: impl Fn(&dyn Supplies) -> T) -> T {
        for _ in 0..ROUNDS {
            let desk = Desk::new(self);
            let outcome = check(&desk);
            let wanted = desk.wanted();
            if wanted.is_empty() {
                return outcome;
            }
            self.fetch_all(wanted).await;
        }
        check(&Desk::new(self))
    }

    /// Fetches what is not kept yet.
    pub async fn fetch_all(&self, urls: impl IntoIterator<Item = String>) {
        let fetches = stream::iter(urls).map(|url| async move { self.document(&url).await });
        fetches.buffer_unordered(FETCHES).for_each(async |_| ()).await;
    }

    /// The document at a URL, or the TXT records at a `dns:` URI as a JSON array: kept, or fetched.
    pub async fn document(&self, url: &str) -> Answer {
        let cell = self.kept().cells.entry(url.to_owned()).or_default().clone();
        let mut is_new = false;
        let fetched = async {
            is_new = true;
            self.fetch(url).await
        };
        let answer = cell.get_or_init(|| fetched).await.clone();
        if let (true, Ok(document)) = (is_new, &answer) {
            self.make_room(document.bytes.len());
        }
        answer
    }

    /// A document that is kept already, or why it cannot be had; `None` where nobody has asked for it yet.
    pub fn at_hand(&self, url: &str) -> Option<Answer> {
        self.kept().cells.get(url)?.get().cloned()
    }

    /// SHA-256 of a JSON-LD document's canonical form.
    pub fn canonical(&self, document: &Value) -> Result<Hash, Missing> {
        (self.canonical)(document)
    }

    async fn fetch(&self, url: &str) -> Answer {
        let not_asked = || Missing::NotAsked { what: url.to_owned() };
        let Some(name) = url.strip_prefix("dns:") else {
            return self.fetcher.as_ref().ok_or_else(not_asked)?.get(url).await;
        };
        let dns = self.dns.as_ref().ok_or_else(not_asked)?.as_ref().map_err(Missing::clone)?;
        let texts = dns.texts(name.strip_suffix("?type=TXT").unwrap_or(name)).await?;
        Ok(Supplied { bytes: Value::from(texts).to_string().into_bytes().into(), as_of: clock::now() })
    }

    fn make_room(&self, bytes: usize) {
        let mut kept = self.kept();
        kept.bytes += bytes;
        if kept.bytes > MOST_KEPT {
            *kept = Kept::default();
        }
    }

    /// What is behind this lock is whole at any time.
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library").field("fetcher", &self.fetcher).field("dns", &self.dns).finish_non_exhaustive()
    }
}
