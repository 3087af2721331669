//! To the node: revocations that were decided. Each is durable there before the store forgets that it is due.

use std::path::Path;

use testamur::{
    change::{
        self, Action, ChangeState, Target,
        through_node::{self, Order},
    },
    node::{Node, Place},
};
use testamur_core::UnixSeconds;

use super::{IssueError, Step};
use crate::store::{Due, Store};

/// How revocations are carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How<'a> {
    /// The folder for what the node has not answered.
    pub journals: &'a Path,
    /// Whether the node is to send them to the chain at once.
    pub at_once: bool,
    /// How settled they must be.
    pub wait: ChangeState,
}

/// Carries out what is due at this place. A run does not wait for the chain: once the node has it, it is revoked.
pub(super) async fn revoke(
    node: &Node,
    store: &mut Store,
    place: &Place,
    journals: &Path,
    now: UnixSeconds,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<(), IssueError> {
    carry_out(node, store, place, How { journals, at_once: false, wait: ChangeState::Pending }, now, tell).await
}

/// Carries out what is due at this place, a reason at a time.
pub(crate) async fn carry_out(
    node: &Node,
    store: &mut Store,
    place: &Place,
    how: How<'_>,
    now: UnixSeconds,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<(), IssueError> {
    for due in store.due(place)?.chunk_by(|one, next| one.reason == next.reason) {
        one_reason(node, store, place, due, how, now, tell).await?;
    }
    Ok(())
}

async fn one_reason(
    node: &Node,
    store: &mut Store,
    place: &Place,
    due: &[Due],
    how: How<'_>,
    now: UnixSeconds,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<(), IssueError> {
    let order = Order {
        action: Action::Revoke,
        reason: due.first().map_or(0, |due| due.reason),
        now: how.at_once,
        assigned_elsewhere: false,
        wait: how.wait,
    };
    let target = |due: &Due| Target { name: due.id.clone(), digest: Some(due.digest), index: None, receipt: None };
    let targets = due.iter().map(target).collect();
    let mut refused = Vec::new();
    let mut note = |step: change::Step| {
        if let change::Step::Refused(id, unfit) = step {
            tell(Step::Unrevoked(&id, &unfit.to_string()));
            refused.push(id);
        }
    };
    let changed = through_node::change(node, *place, targets, &order, how.journals, now, &mut note).await;
    // What is only waited for is with the node.
    if matches!(changed, Ok(()) | Err(change::ChangeError::Waiting { .. })) {
        let taken: Vec<_> = due.iter().filter(|due| !refused.contains(&due.id)).map(|due| &due.digest).collect();
        store.note_revoked(taken.iter().copied(), now)?;
        tell(Step::Revoked(taken.len()));
    }
    Ok(changed?)
}
