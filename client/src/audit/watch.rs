//! What is new since the last time, told at least once, whatever stops or fails meanwhile.
//!
//! The position is a block that is settled and before which all was told, and what was told of the blocks after
//! it. So an entry that a reorganisation took away is told as undone, and one that it put elsewhere is told again.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    path::Path,
    time::Duration,
};

use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use testamur_chain::causes;
use testamur_core::{Address, BlockNumber, ChainId, UnixSeconds};

use super::{Audit, entry::Entry};
use crate::files;

/// How long a webhook may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What was told so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Position {
    issuer: Address,
    chain: ChainId,
    registry: Address,
    /// Everything up to this settled block was told.
    block: BlockNumber,
    /// The time of that block.
    time: UnixSeconds,
    /// What was told of later blocks, by id.
    told: BTreeMap<String, Value>,
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The entry's id; of one that is undone, the entry's with the word before it.
    pub id: String,
    /// For people.
    pub line: Option<Entry>,
    /// For programs.
    pub object: Value,
}

impl Position {
    /// Nothing was told yet.
    pub fn new(issuer: Address, chain: ChainId, registry: Address) -> Self {
        let (block, time, told) = (BlockNumber(0), UnixSeconds(0), BTreeMap::new());
        Self { issuer, chain, registry, block, time, told }
    }

    /// The position in a file; [`Self::new`] where there is no file. An error of kind
    /// [`io::ErrorKind::InvalidData`] for a file that is no position, or another issuer's.
    pub fn read(path: &Path, issuer: Address, chain: ChainId, registry: Address) -> io::Result<Self> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::new(issuer, chain, registry)),
            bytes => bytes?,
        };
        let position: Self =
            serde_json::from_slice(&bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        if (position.issuer, position.chain, position.registry) == (issuer, chain, registry) {
            return Ok(position);
        }
        let other = format!("it is the position in the audit of {} on {}", position.issuer, position.chain);
        Err(io::Error::new(io::ErrorKind::InvalidData, other))
    }

    /// Writes the position, whole or not at all.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        files::replace(path, &serde_json::to_vec(self).expect("a position has only JSON values"))
    }

    /// What is to be told now, in the order of its time; what was undone comes first. Nothing is called undone by
    /// an audit with gaps.
    pub fn news(&self, audit: &Audit) -> Vec<Notice> {
        let later: Vec<_> = self.later(audit).map(|entry| (entry.id(), entry)).collect();
        let there: HashSet<_> = later.iter().map(|(id, _)| id).collect();
        let gone = |id: &String| audit.gaps.is_empty() && !there.contains(id);
        let undone = self.told.iter().filter(|(id, _)| gone(id)).map(|(id, of)| undone(id, of));
        let new = later.iter().filter(|(id, _)| !self.told.contains_key(id));
        let new =
            new.map(|(id, entry)| Notice { id: id.clone(), line: Some((*entry).clone()), object: entry.object(audit) });
        undone.chain(new).collect()
    }

    /// Takes note that a notice was told.
    pub fn tell(&mut self, notice: &Notice) {
        if notice.line.is_some() {
            self.told.insert(notice.id.clone(), notice.object.clone());
        } else {
            self.told.retain(|id, _| undone_id(id) != notice.id);
        }
    }

    /// Moves to the settled block of an audit, all of whose news were told.
    pub fn settle(&mut self, audit: &Audit) {
        if audit.gaps.is_empty() && audit.settled.number >= self.block {
            (self.block, self.time) = (audit.settled.number, audit.settled.time);
            let later: HashSet<_> = self.later(audit).map(Entry::id).collect();
            self.told.retain(|id, _| later.contains(id));
        }
    }

    /// The entries after this position.
    fn later<'a>(&self, audit: &'a Audit) -> impl Iterator<Item = &'a Entry> {
        let (block, time) = (self.block, self.time);
        let is_later = move |entry: &&Entry| entry.place.map_or(entry.time > time, |place| place.block > block);
        audit.entries.iter().filter(is_later)
    }
}

fn undone_id(id: &str) -> String {
    format!("undone-{id}")
}

fn undone(id: &str, of: &Value) -> Notice {
    let id = undone_id(id);
    Notice { line: None, object: json!({ "event": "undone", "id": id, "undone": of }), id }
}

/// Where news are posted as JSON.
pub struct Webhook {
    client: Client,
    url: Url,
}

impl Webhook {
    /// `None` unless the text is an http or https URL.
    pub fn new(url: &str) -> Option<Self> {
        let url: Url = url.trim().parse().ok()?;
        let client = Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build().ok()?;
        (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(Self { client, url })
    }

    /// Posts an object. Taken is what is answered with success; the error is for people, and does not show the URL.
    pub async fn post(&self, object: &Value) -> Result<(), String> {
        let answer = self.client.post(self.url.clone()).json(object).send().await.map_err(causes)?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(format!("HTTP status {}", status.as_u16())) }
    }
}
