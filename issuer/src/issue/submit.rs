//! To the node: digests, each with the status index that was reserved for it.

use std::time::Duration;

use testamur::node::{MOST_ENTRIES, Node, Place};

use super::{IssueError, Step};
use crate::store::Store;

/// Refusals until one is believed, and how long it is waited between them.
const MOST_REFUSALS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(300);

/// Hands over everything that was drafted for this place. Handing one over again is harmless.
pub(super) async fn submit(
    node: &Node,
    store: &mut Store,
    place: &Place,
    at_once: usize,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<(), IssueError> {
    let mut refusals = 0;
    loop {
        let entries = store.unsubmitted(place, at_once.min(MOST_ENTRIES))?;
        if entries.is_empty() {
            return Ok(());
        }
        if let Err(refused) = node.submit_entries(place.issuer, &entries).await {
            // Another command may be handing over the same at this moment: the node knows them a moment later.
            refusals += 1;
            if refused.error.is_transient() || refusals > MOST_REFUSALS {
                return Err(refused.error.into());
            }
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        refusals = 0;
        store.note_submitted(&entries)?;
        tell(Step::Submitted(entries.len()));
    }
}
