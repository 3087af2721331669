//! What becomes of credentials after they were issued: revoked, suspended, made out anew, renewed.
//!
//! **The order of a correction.** The new credential comes first: signed, anchored, written. Only then is the old one
//! revoked. Killed in between, its holder has two that are good for a while, and the newer one names the other; the
//! other way round there would be a time, and after a crash a long one, in which they had none. The decision to revoke is
//! stored together with the draft, so the next run carries it out, whatever that was started for.
//!
//! **A renewal revokes nothing.** What it takes the place of was never wrong: it ends by itself.

mod corrected;
mod status;

use testamur::node::Node;
use testamur_core::UnixSeconds;

pub use corrected::{NoEnd, corrected, renewed};
pub use status::{StatusOrder, revoke, set_suspended};

use crate::{
    issue::{IssueError, Order, Step, Successor, Summary, succeed},
    roster::Award,
    store::{Issued, Store},
};

/// Issues these awards in place of these credentials, which are revoked with the code `reason` once the new ones are
/// written; and finishes what earlier runs left. All are of the order's template.
///
/// An award that does not go with the template is told as [`Step::Passed`] by its place in the list, from 1. A credential
/// that another one has taken the place of meanwhile is left as it is.
pub async fn reissue(
    node: &Node,
    store: &mut Store,
    order: &Order<'_>,
    corrections: Vec<(Issued, Award)>,
    reason: u8,
    now: UnixSeconds,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<Summary, IssueError> {
    let successor = |(issued, award): (Issued, Award)| Successor {
        award,
        content: None,
        superseded: issued.superseded(),
        revoke: issued.listed.revoked.is_none().then_some(reason),
    };
    succeed(node, store, order, corrections.into_iter().map(successor).collect(), now, tell).await
}

/// As [`reissue`], for credentials that end: see [`renewed`]. Nothing is revoked. To rosters, a learner whose credential
/// was renewed has what he had.
pub async fn renew(
    node: &Node,
    store: &mut Store,
    order: &Order<'_>,
    renewals: Vec<(Issued, Award)>,
    now: UnixSeconds,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<Summary, IssueError> {
    let successor = |(issued, award): (Issued, Award)| Successor {
        award,
        content: Some(issued.content),
        superseded: issued.superseded(),
        revoke: None,
    };
    succeed(node, store, order, renewals.into_iter().map(successor).collect(), now, tell).await
}
