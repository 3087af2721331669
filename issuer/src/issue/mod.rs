//! The run: a roster in, credentials out; anchored, and on disk.
//!
//! Each credential goes four steps, and each step is in the store before the next one is begun: it is drafted (built,
//! signed, its digest made), submitted to the node, anchored (its receipt is here and was checked), written. So a run
//! that was killed, or that lost its node, is finished by the next one, whatever that was started for; and nobody gets
//! the same twice, because the store has one credential for a learner, template and period.
//!
//! Reading order: [`issue()`] → `session` → `draft` (rows to signed credentials) → `submit` → `gather` (receipts, a batch at a time)
//! → `write` (files) → `revoke` (what others took the place of).

mod draft;
mod error;
mod gather;
mod linked;
mod names;
mod randomness;
mod revoke;
mod session;
mod submit;
mod write;

use std::{fmt, path::Path, time::Duration};

use serde::Serialize;
use testamur::node::{Node, Wait};
use testamur_core::{Address, UnixSeconds};
use testamur_credentials::sign::{Signer, Suite};

use crate::{
    profile::Profile,
    roster::Row,
    store::{RunId, Store},
    template::Template,
};
use session::Session;

pub use error::IssueError;
pub(crate) use revoke::{How, carry_out};
pub(crate) use session::Successor;

/// Credentials worked on at a time, unless stated: some ten megabytes of them, and one transaction.
pub const AT_ONCE: usize = 5_000;

/// What is to be issued, by whom, and where to.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// Who issues.
    pub profile: &'a Profile,
    /// What.
    pub template: &'a Template,
    /// The key that signs, under its name.
    pub signer: Signer<'a>,
    /// How it signs.
    pub suite: Suite,
    /// The account that the node's token must speak for; `None`: whichever it does.
    pub account: Option<Address>,
    /// The folder for the files. Made where there is none.
    pub folder: &'a Path,
    /// The code for revoking a credential that its roster corrects: it is superseded then. `None`: it stays, and the row
    /// is told.
    pub supersede: Option<u8>,
    /// How settled an anchor must be before its credential is written.
    pub wait: Wait,
    /// Credentials worked on at a time.
    pub at_once: usize,
    /// How long a node is waited for that tells of trouble which keeps it from anchoring.
    pub patience: Duration,
    /// The folder for changes of status that the node has not answered.
    pub journals: &'a Path,
}

/// What is told while a run goes on.
#[derive(Debug)]
pub enum Step<'a> {
    /// The run has its number.
    Began(RunId),
    /// A row gets no new credential: its line, and why.
    Passed(u64, Passed<'a>),
    /// So many more are signed and stored.
    Drafted(usize),
    /// So many more are with the node.
    Submitted(usize),
    /// The node tells what keeps it from anchoring; it is waited for.
    Trouble(&'a str),
    /// So many more have their receipt.
    Anchored(usize),
    /// So many more files are on disk.
    Written(usize),
    /// So many more are revoked, because others took their place or somebody decided it.
    Revoked(usize),
    /// The node does not revoke this one: its `id`, and why. It is tried again by each later run.
    Unrevoked(&'a str, &'a str),
}

/// Why a row gets no new credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed<'a> {
    /// It cannot be read as an award.
    Fault(&'a str),
    /// The learner has this already, by the `id` of that credential, and the roster or the template says something else
    /// now.
    Differs(&'a str),
    /// The learner had this, and it was revoked.
    Revoked(&'a str),
    /// The learner has exactly this.
    Already(&'a str),
    /// It was to take the place of this one, and another one did meanwhile; or its learner has one already.
    Overtaken(&'a str),
}

impl fmt::Display for Passed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => f.write_str(fault),
            Self::Differs(id) => write!(f, "the learner has this already, with other content: {id}"),
            Self::Revoked(id) => write!(f, "the learner had this, and it was revoked: {id}"),
            Self::Already(id) => write!(f, "the learner has exactly this: {id}"),
            Self::Overtaken(id) => {
                write!(f, "{id} is not replaced: another one took its place meanwhile, or the learner has one already")
            }
        }
    }
}

/// What came of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Rows that were read.
    pub rows: u64,
    /// New credentials.
    pub issued: u64,
    /// Those of them that took the place of others.
    pub superseded: u64,
    /// Rows whose learner has exactly this already.
    pub already: u64,
    /// Rows whose learner has this already, with other content; and what was not replaced.
    pub differ: u64,
    /// Rows whose learner had this, and it was revoked.
    pub revoked: u64,
    /// Rows that cannot be read as an award.
    pub faults: u64,
    /// Files written: the new ones, those that an earlier run left, and those that were missing in the folder.
    pub written: u64,
    /// Credentials, and revocations, that wait for another node, or another issuer, chain or registry than this one's.
    pub elsewhere: u64,
}

impl Summary {
    /// Whether every row has its credential.
    pub fn is_whole(&self) -> bool {
        (self.differ, self.revoked, self.faults, self.elsewhere) == (0, 0, 0, 0)
    }
}

/// Issues to the rows of a roster, and finishes what earlier runs left. Tells each step through `tell`.
///
/// It computes and writes between its requests: a server runs it on a thread of its own.
pub async fn issue(
    node: &Node,
    store: &mut Store,
    order: &Order<'_>,
    rows: impl Iterator<Item = Row>,
    now: UnixSeconds,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<Summary, IssueError> {
    let mut session = Session::begin(node, store, order, now, tell).await?;
    let mut rows = rows.peekable();
    while rows.peek().is_some() {
        let chunk: Vec<Row> = rows.by_ref().take(order.at_once).collect();
        session.take(chunk).await?;
    }
    session.end().await
}

/// Issues awards that take the place of what their learners have, and finishes what earlier runs left. One that would
/// not go with the template is told by its place in the list, from 1.
pub(crate) async fn succeed(
    node: &Node,
    store: &mut Store,
    order: &Order<'_>,
    successors: Vec<Successor>,
    now: UnixSeconds,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<Summary, IssueError> {
    let mut session = Session::begin(node, store, order, now, tell).await?;
    let mut numbered = (1..).zip(successors).peekable();
    while numbered.peek().is_some() {
        session.succeed(numbered.by_ref().take(order.at_once).collect()).await?;
    }
    session.end().await
}
