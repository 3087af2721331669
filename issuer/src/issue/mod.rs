//! The run: a roster in, credentials out; anchored, and on disk.
//!
//! Each credential goes four steps, and each step is in the store before the next one is begun: it is drafted (built,
//! signed, its digest made), submitted to the node, anchored (its receipt is here and was checked), written. So a run
//! that was killed, or that lost its node, is finished by the next one, whatever that was started for; and nobody gets
//! the same twice, because the store has one credential for a learner, template and period.
//!
//! Reading order: [`issue()`] → `draft` (rows to signed credentials) → `submit` → `gather` (receipts, a batch at a time)
//! → `write` (files) → `revoke` (what others took the place of).

mod draft;
mod error;
mod gather;
mod linked;
mod names;
mod randomness;
mod revoke;
mod submit;
mod write;

use std::{fmt, path::Path, time::Duration};

use serde::Serialize;
use testamur::node::{Node, Wait};
use testamur_core::{Address, Hash, UnixSeconds};
use testamur_credentials::sign::{Signer, Suite};

use crate::{
    credential::Superseded,
    profile::Profile,
    roster::{Award, Row},
    store::{RunId, Store},
    template::Template,
};
use draft::{Desk, Succession, Wanted};

pub use error::IssueError;
pub(crate) use revoke::{How, carry_out};

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
}

impl fmt::Display for Passed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => f.write_str(fault),
            Self::Differs(id) => write!(f, "the learner has this already, with other content: {id}"),
            Self::Revoked(id) => write!(f, "the learner had this, and it was revoked: {id}"),
            Self::Already(id) => write!(f, "the learner has exactly this: {id}"),
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
    /// Rows whose learner has this already, with other content.
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
    session.take_successors(successors).await?;
    session.end().await
}

/// An award, and the credential that it takes the place of.
pub(crate) struct Successor {
    pub award: Award,
    /// What the roster said, where the change does not come from there.
    pub content: Option<Hash>,
    pub superseded: Superseded,
    /// The code for its revocation, if it is to be revoked.
    pub revoke: Option<u8>,
}

/// A run under way.
struct Session<'a, 't> {
    node: &'a Node,
    store: &'a mut Store,
    desk: Desk<'a>,
    summary: Summary,
    tell: &'a mut (dyn FnMut(Step<'_>) + 't),
}

impl<'a, 't> Session<'a, 't> {
    async fn begin(
        node: &'a Node,
        store: &'a mut Store,
        order: &'a Order<'a>,
        now: UnixSeconds,
        tell: &'a mut (dyn FnMut(Step<'_>) + 't),
    ) -> Result<Self, IssueError> {
        let folder = write::folder(order.folder)?;
        let place = node.place(order.account).await?;
        let run = store.begin_run(&order.template.id, &folder, &place, now)?;
        tell(Step::Began(run));
        let server = node.public_url(place.issuer).await?;
        let desk = Desk { order, place, server, folder, run, now };
        Ok(Self { node, store, desk, summary: Summary::default(), tell })
    }

    async fn take(&mut self, rows: Vec<Row>) -> Result<(), IssueError> {
        let wanted = self.desk.read(self.store, rows, &mut self.summary, self.tell)?;
        self.hand_over(wanted).await
    }

    async fn take_successors(&mut self, successors: Vec<Successor>) -> Result<(), IssueError> {
        self.summary.rows += successors.len() as u64;
        let mut wanted = Vec::with_capacity(successors.len());
        for (line, Successor { award, content, superseded, revoke }) in (1..).zip(successors) {
            let content = content.map_or_else(|| self.desk.content(&award), Ok);
            match content {
                Ok(content) => {
                    wanted.push(Wanted { line, award, content, supersedes: Some(Succession { superseded, revoke }) });
                }
                Err(misfit) => {
                    self.desk.refuse(self.store, vec![(line, misfit.to_string())], &mut self.summary, self.tell)?;
                }
            }
        }
        self.hand_over(wanted).await
    }

    async fn hand_over(&mut self, wanted: Vec<Wanted>) -> Result<(), IssueError> {
        self.desk.draft(self.node, self.store, wanted, &mut self.summary, self.tell).await?;
        submit::submit(self.node, self.store, &self.desk.place, self.desk.order.at_once, self.tell).await
    }

    /// Brings everything that was begun at this place to its end, whichever run began it.
    async fn end(mut self) -> Result<Summary, IssueError> {
        let Self { node, store, desk: Desk { order, place, run, now, .. }, summary, tell } = &mut self;
        submit::submit(node, store, place, order.at_once, *tell).await?;
        gather::gather(node, store, place, order, *tell).await?;
        summary.written += write::write(store, order.at_once, *tell)?;
        revoke::revoke(node, store, place, order.journals, *now, *tell).await?;
        summary.elsewhere = store.unfinished()? + store.undone()?;
        store.end_run(*run, *now)?;
        Ok(self.summary)
    }
}
