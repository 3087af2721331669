//! Revoking, suspending and reinstating what was issued.

use std::path::Path;

use testamur::{
    change::{
        self, Action, ChangeError, ChangeState, Target,
        through_node::{self, Order},
    },
    node::Node,
};
use testamur_core::{Address, UnixSeconds};

use crate::{
    issue::{How, IssueError, Step, carry_out},
    store::{Listed, Store},
};

/// How the status of credentials is changed.
#[derive(Clone, Copy, Debug)]
pub struct StatusOrder<'a> {
    /// The account that the node's token must speak for; `None`: whichever it does.
    pub account: Option<Address>,
    /// The issuer's own code. The node keeps it; it is not published.
    pub reason: u8,
    /// Whether the node is to send it to the chain at once, rather than with what else comes in.
    pub at_once: bool,
    /// How settled it must be before this returns.
    pub wait: ChangeState,
    /// The folder for what the node has not answered.
    pub journals: &'a Path,
}

/// Revokes credentials, for good; and whatever else is due. The decision is stored first: where the node cannot be
/// reached, the next run carries it out.
pub async fn revoke(
    node: &Node,
    store: &mut Store,
    credentials: &[Listed],
    order: &StatusOrder<'_>,
    now: UnixSeconds,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<(), IssueError> {
    store.decide_revocation(credentials, order.reason)?;
    let place = node.place(order.account).await?;
    let how = How { journals: order.journals, at_once: order.at_once, wait: order.wait };
    carry_out(node, store, &place, how, now, tell).await
}

/// Suspends credentials, or reinstates them. Tells `refused` which ones the node does not take, and why; returns how many
/// it took.
pub async fn set_suspended(
    node: &Node,
    store: &mut Store,
    credentials: &[Listed],
    suspended: bool,
    order: &StatusOrder<'_>,
    now: UnixSeconds,
    refused: &mut dyn FnMut(&str, &str),
) -> Result<usize, IssueError> {
    let place = node.place(order.account).await?;
    let change = Order {
        action: if suspended { Action::Suspend } else { Action::Reinstate },
        reason: order.reason,
        now: order.at_once,
        assigned_elsewhere: false,
        wait: order.wait,
    };
    let target = |of: &Listed| Target { name: of.id.clone(), digest: Some(of.digest), index: None, receipt: None };
    let targets = credentials.iter().map(target).collect();
    let mut left = Vec::new();
    let mut note = |step: change::Step| {
        if let change::Step::Refused(id, unfit) = step {
            refused(&id, &unfit.to_string());
            left.push(id);
        }
    };
    let changed = through_node::change(node, place, targets, &change, order.journals, now, &mut note).await;
    if !matches!(changed, Ok(()) | Err(ChangeError::Waiting { .. })) {
        changed?;
        return Ok(0);
    }
    let taken: Vec<_> = credentials.iter().filter(|of| !left.contains(&of.id)).map(|of| &of.digest).collect();
    store.note_suspended(taken.iter().copied(), suspended.then_some(now))?;
    changed?;
    Ok(taken.len())
}
