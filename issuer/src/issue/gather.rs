//! From the node: receipts, a whole batch at a time. What it says is checked before it is kept.

use std::time::Instant;

use futures::future::try_join_all;
use rayon::prelude::*;
use testamur::{
    anchor::{ReceiptError, check_receipt},
    node::{Look, Node, Place},
};
use testamur_core::{Digest, Entry, Receipt};

use super::{IssueError, Order, Step};
use crate::store::Store;

/// A batch in which there are so many times as many leaves as receipts are waited for belongs to others: it is not
/// fetched as a whole.
const CROWDED: u64 = 16;
/// Receipts asked for one by one at a time.
const SINGLES: usize = 32;

/// Waits until everything submitted at this place is anchored, and keeps the receipts.
pub(super) async fn gather(
    node: &Node,
    store: &mut Store,
    place: &Place,
    order: &Order<'_>,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<(), IssueError> {
    loop {
        let (count, some) = store.awaiting(place, SINGLES)?;
        let Some(&Entry { digest: first, status_index }) = some.first() else { return Ok(()) };
        let receipt = settled(node, place, first, order, tell).await?;
        check_receipt(&receipt, *place, first, Some(status_index)).map_err(wrong(first))?;
        let mut kept = store.keep_receipts(&[(first, receipt.clone())])?;
        if receipt.tree_size > count.saturating_mul(CROWDED) {
            let looks = some[1..].iter().map(|entry| look(node, place, entry.digest, order));
            let found = try_join_all(looks).await?.into_iter().flatten().collect();
            kept += keep(store, place, found)?;
        } else if receipt.tree_size > 1 {
            let mut outcome = Ok(());
            let mut take = |piece| {
                match keep(store, place, piece) {
                    Ok(more) => kept += more,
                    Err(error) => outcome = Err(error),
                }
                outcome.is_ok()
            };
            node.batch_receipts(place.issuer, receipt.root, order.wait, &mut take).await?;
            outcome?;
        }
        tell(Step::Anchored(kept));
    }
}

/// Those receipts of a piece that are waited for.
fn keep(store: &mut Store, place: &Place, piece: Vec<(Digest, Receipt)>) -> Result<usize, IssueError> {
    piece
        .par_iter()
        .try_for_each(|(digest, receipt)| check_receipt(receipt, *place, *digest, None).map_err(wrong(*digest)))?;
    Ok(store.keep_receipts(&piece)?)
}

fn wrong(digest: Digest) -> impl Fn(ReceiptError) -> IssueError {
    move |error| IssueError::Receipt { digest, error }
}

async fn look(
    node: &Node,
    place: &Place,
    digest: Digest,
    order: &Order<'_>,
) -> Result<Option<(Digest, Receipt)>, IssueError> {
    match node.look(place.issuer, digest, order.wait).await? {
        Look::Settled(receipt) => Ok(Some((digest, *receipt))),
        Look::NotYet(_) => Ok(None),
    }
}

/// Waits for one receipt. A node that tells of trouble which keeps it from anchoring is waited for no longer than the
/// order's patience lasts.
async fn settled(
    node: &Node,
    place: &Place,
    digest: Digest,
    order: &Order<'_>,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<Receipt, IssueError> {
    let mut trouble: Option<(String, Instant)> = None;
    loop {
        let pause = match node.look(place.issuer, digest, order.wait).await? {
            Look::Settled(receipt) => return Ok(*receipt),
            Look::NotYet(pause) => pause,
        };
        let told = node.trouble(place.issuer).await?;
        trouble = match (told, trouble) {
            (None, _) => None,
            (Some(now), Some((_, since))) if since.elapsed() >= order.patience => {
                return Err(IssueError::Held { trouble: now });
            }
            (Some(now), Some((before, since))) if now == before => Some((now, since)),
            (Some(now), before) => {
                tell(Step::Trouble(&now));
                Some((now, before.map_or_else(Instant::now, |(_, since)| since)))
            }
        };
        tokio::time::sleep(pause.min(order.patience)).await;
    }
}
