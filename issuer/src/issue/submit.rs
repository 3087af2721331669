//! To the node: digests, each with the status index that was reserved for it.

use testamur::node::{MOST_ENTRIES, Node, Place};

use super::{IssueError, Step};
use crate::store::Store;

/// Hands over everything that was drafted for this place. Handing one over again is harmless.
pub(super) async fn submit(
    node: &Node,
    store: &mut Store,
    place: &Place,
    at_once: usize,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<(), IssueError> {
    loop {
        let entries = store.unsubmitted(place, at_once.min(MOST_ENTRIES))?;
        if entries.is_empty() {
            return Ok(());
        }
        node.submit_entries(place.issuer, &entries).await.map_err(|refused| refused.error)?;
        store.note_submitted(&entries)?;
        tell(Step::Submitted(entries.len()));
    }
}
