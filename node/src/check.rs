//! `testamur-node check`: verifies everything that is stored, against itself and against the chain.
//!
//! It believes no record: roots are computed from entries anew, places are looked up in the index, anchors are read
//! from the contract, and status bits rebuilt from what was published. It changes nothing.

mod anchors;
mod changes;
mod statuses;
mod stored;

use std::{fmt, path::Path, process::ExitCode, sync::Arc};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use testamur_chain::Registry;
use testamur_core::ChainId;

pub use self::{anchors::check_anchors, statuses::check_statuses, stored::check_store};
use crate::{
    config::Config,
    store::{Store, StoreError},
};

/// How bad a finding is. Later variants are worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing; nothing is wrong.
    Note,
    /// It could not be told.
    Unknown,
    /// Something stored is false, or the chain says otherwise.
    False,
}

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What it is about: `batch 7`, `issuer 0x…`, `transaction 3`, `chain`.
    pub subject: String,
    /// What was found, and what was expected.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Note => "note",
            Level::Unknown => "unknown",
            Level::False => "FALSE",
        };
        write!(f, "{level:<8} {:<16} {}", self.subject, self.detail)
    }
}

/// What was checked, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Findings {
    /// Sealed batches, all of them.
    pub batches: u64,
    /// Entries of these, and of open batches.
    pub entries: u64,
    /// Changes of status that are stored.
    pub changes: u64,
    /// Anchors that were compared with the contract.
    pub anchors: u64,
    /// Empty: all is well.
    pub findings: Vec<Finding>,
}

impl Findings {
    /// The worst level; `None` where there is no finding.
    pub fn worst(&self) -> Option<Level> {
        self.findings.iter().map(|finding| finding.level).max()
    }

    /// 0: all is well; 1: something is false; 2: something could not be told.
    pub fn exit_status(&self) -> u8 {
        match self.worst() {
            None | Some(Level::Note) => 0,
            Some(Level::False) => 1,
            Some(Level::Unknown) => 2,
        }
    }

    fn add(&mut self, level: Level, subject: impl fmt::Display, detail: impl Into<String>) {
        self.findings.push(Finding { level, subject: subject.to_string(), detail: detail.into() });
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.findings.iter().try_for_each(|finding| writeln!(f, "{finding}"))?;
        let Self { batches, entries, changes, anchors, .. } = self;
        let verdict = match self.exit_status() {
            0 => "all is well",
            1 => "something is FALSE",
            _ => "not everything could be told",
        };
        write!(f, "{batches} batches, {entries} entries, {changes} changes, {anchors} anchors on chain: {verdict}")
    }
}

/// Why the check did not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The data folder cannot be opened; while the node runs it is locked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no store in the data folder.
    #[error("there is no store in {0}: check data_dir")]
    Nothing(String),
    /// The endpoint's URL.
    #[error(transparent)]
    Chain(#[from] testamur_chain::Error),
}

/// Checks the configured data folder against the configured chain, and prints what was found. The node must not run.
pub async fn run(config: &Config, as_json: bool) -> Result<ExitCode, CheckError> {
    let store = Arc::new(open(&config.data_dir)?);
    let endpoint = testamur_chain::Endpoint::connect(&config.chain.rpc)?;
    let registry = Registry::new(endpoint, config.chain.registry);
    let findings = check(store, &registry, config.chain.caip2()).await?;
    if as_json {
        println!("{}", serde_json::to_string(&findings).expect("findings have only JSON values"));
    } else {
        println!("{findings}");
    }
    Ok(findings.exit_status().into())
}

/// Checks a store against itself, then against the chain.
pub async fn check(store: Arc<Store>, registry: &Registry, chain: ChainId) -> Result<Findings, StoreError> {
    let reading = store.clone();
    let checked = tokio::task::spawn_blocking(move || check_store(&reading)).await;
    let mut findings = checked.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
    let batches = store.all_batches().collect::<Result<Vec<_>, _>>()?;
    check_anchors(&batches, registry, chain, &mut findings).await;
    check_statuses(store, registry, chain, &mut findings).await?;
    Ok(findings)
}

/// Opening a folder makes it, which would turn a mistyped path into an empty store where all is well.
fn open(data_dir: &Path) -> Result<Store, CheckError> {
    if !data_dir.join("store").is_dir() {
        return Err(CheckError::Nothing(data_dir.display().to_string()));
    }
    Ok(Store::open(data_dir)?)
}

/// On standard error, and only where that is a terminal.
fn progress(length: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} {eta}").expect("a fixed template");
    ProgressBar::new(length).with_style(style).with_message(what)
}

#[cfg(test)]
mod tests;
