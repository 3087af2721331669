//! A run under way: what has come in goes out to the node, thousands at a time, and at its end everything is finished.

use testamur::node::Node;
use testamur_core::{Hash, UnixSeconds};

use super::{
    IssueError, Order, Step, Summary,
    draft::{Desk, Succession, Wanted},
    gather, revoke, submit, write,
};
use crate::{
    credential::Superseded,
    roster::{Award, Row},
    store::Store,
};

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
pub(super) struct Session<'a, 't> {
    node: &'a Node,
    store: &'a mut Store,
    desk: Desk<'a>,
    summary: Summary,
    tell: &'a mut (dyn FnMut(Step<'_>) + 't),
}

impl<'a, 't> Session<'a, 't> {
    pub async fn begin(
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

    /// Rows of a roster.
    pub async fn take(&mut self, rows: Vec<Row>) -> Result<(), IssueError> {
        let wanted = self.desk.read(self.store, rows, &mut self.summary, self.tell)?;
        self.hand_over(wanted).await
    }

    /// Awards with their places in the list.
    pub async fn succeed(&mut self, successors: Vec<(u64, Successor)>) -> Result<(), IssueError> {
        self.summary.rows += successors.len() as u64;
        let (mut wanted, mut misfits) = (Vec::new(), Vec::new());
        for (line, Successor { award, content, superseded, revoke }) in successors {
            let supersedes = Some(Succession { superseded, revoke });
            match content.map_or_else(|| self.desk.content(&award), Ok) {
                Ok(content) => wanted.push(Wanted { line, award, content, supersedes }),
                Err(misfit) => misfits.push((line, misfit.to_string())),
            }
        }
        self.desk.refuse(self.store, misfits, &mut self.summary, self.tell)?;
        self.hand_over(wanted).await
    }

    async fn hand_over(&mut self, wanted: Vec<Wanted>) -> Result<(), IssueError> {
        self.desk.draft(self.node, self.store, wanted, &mut self.summary, self.tell).await?;
        submit::submit(self.node, self.store, &self.desk.place, self.desk.order.at_once, self.tell).await
    }

    /// Brings everything that was begun at this place to its end, whichever run began it.
    pub async fn end(mut self) -> Result<Summary, IssueError> {
        let Self { node, store, desk: Desk { order, place, run, now, .. }, summary, tell } = &mut self;
        submit::submit(node, store, place, order.at_once, *tell).await?;
        gather::gather(node, store, place, order, *tell).await?;
        summary.written += write::write(store, order.at_once, *tell)?;
        revoke::revoke(node, store, place, order.journals, *now, *tell).await?;
        summary.elsewhere = store.elsewhere(place)?;
        store.end_run(*run, *now)?;
        Ok(self.summary)
    }
}
