//! The records of batches against the contract.

use futures::{StreamExt, stream};
use testamur_chain::{BlockTag, Error, Registry};
use testamur_core::{BlockNumber, ChainId, observation::AnchorRecord};

use super::{Finding, Findings, Level, progress};
use crate::store::{AnchoredAt, BatchRecord, BatchState};

/// Requests that are under way at once.
const CONCURRENCY: usize = 16;

/// Reads every batch's slot. What cannot be read is [`Level::Unknown`], never false.
pub async fn check_anchors(batches: &[BatchRecord], registry: &Registry, chain: ChainId, findings: &mut Findings) {
    let head = match look(registry, chain).await {
        Ok(head) => head,
        Err(error) => return findings.add(Level::Unknown, "chain", error.to_string()),
    };
    let bar = progress(batches.len() as u64, "anchors");
    // Owned, so that the futures borrow nothing of one another.
    let read = |batch: BatchRecord| async move {
        let found = judge(&batch, registry, head).await;
        (batch, found)
    };
    let mut read = stream::iter(batches.to_vec()).map(read).buffered(CONCURRENCY);
    while let Some((batch, found)) = read.next().await {
        bar.inc(1);
        match found {
            Ok(finding) => {
                findings.anchors += u64::from(anchor_of(&batch).is_some());
                findings.findings.extend(finding);
            }
            // One request that fails after others were answered tells nothing about the rest.
            Err(error) => findings.add(Level::Unknown, format!("batch {}", batch.id.0), error.to_string()),
        }
    }
    bar.finish_and_clear();
}

/// The newest block of the chain, once it is known to be the right one, with the right contract.
async fn look(registry: &Registry, chain: ChainId) -> Result<BlockNumber, Error> {
    let registry = Registry::open(registry.endpoint().clone(), registry.address(), chain).await?;
    Ok(registry.endpoint().block(BlockTag::Latest).await?.number)
}

async fn judge(batch: &BatchRecord, registry: &Registry, head: BlockNumber) -> Result<Option<Finding>, Error> {
    let slot = registry.anchor_of(batch.issuer, batch.root, head.into()).await?;
    Ok(compare(batch, slot, head).map(|(level, detail)| Finding {
        level,
        subject: format!("batch {}", batch.id.0),
        detail,
    }))
}

/// What a slot, read at block `head`, says about a record. Pure.
fn compare(batch: &BatchRecord, slot: Option<AnchorRecord>, head: BlockNumber) -> Option<(Level, String)> {
    let is_final = matches!(batch.state, BatchState::Final { .. });
    match (anchor_of(batch), slot) {
        (_, Some(slot)) if slot.size != batch.size => {
            Some((Level::False, format!("anchored with {} leaves, it has {}", slot.size, batch.size)))
        }
        (Some(anchor), None) if anchor.block > head => {
            Some((Level::Unknown, format!("the endpoint ends at block {head}, it is anchored in {}", anchor.block)))
        }
        (Some(anchor), None) if is_final => {
            Some((Level::False, format!("recorded as final in block {}, and not on chain", anchor.block)))
        }
        (Some(_), None) => Some((Level::Note, "its block was undone; the node will anchor it again".to_owned())),
        (Some(anchor), Some(slot)) if (anchor.block, anchor.time) != (slot.block, slot.time) => {
            let level = if is_final { Level::False } else { Level::Note };
            Some((level, format!("recorded in block {}, anchored in block {}", anchor.block, slot.block)))
        }
        (_, Some(slot)) if slot.withdrawn => Some((Level::Note, "it was withdrawn".to_owned())),
        (None, Some(slot)) => {
            Some((Level::Note, format!("anchored in block {}, which the node has not seen yet", slot.block)))
        }
        _ => None,
    }
}

fn anchor_of(batch: &BatchRecord) -> Option<AnchoredAt> {
    match batch.state {
        BatchState::Included { anchor } | BatchState::Final { anchor } => Some(anchor),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use testamur_core::{Address, Hash, UnixSeconds};

    use super::*;
    use crate::store::BatchId;

    fn told(recorded: Option<(u64, bool)>, slot: Option<(u64, u64, bool)>, head: u64) -> Option<Level> {
        let anchor =
            |block| AnchoredAt { block: BlockNumber(block), time: UnixSeconds(block), transaction: Hash::ZERO };
        let state = match recorded {
            None => BatchState::Sealed,
            Some((block, false)) => BatchState::Included { anchor: anchor(block) },
            Some((block, true)) => BatchState::Final { anchor: anchor(block) },
        };
        let (issuer, root, sealed_at) = (Address([1; 20]), Hash([2; 32]), UnixSeconds(3));
        let batch = BatchRecord { id: BatchId(1), issuer, root, size: 5, sealed_at, final_at: None, state };
        let slot = slot.map(|(block, size, withdrawn)| AnchorRecord {
            time: UnixSeconds(block),
            block: BlockNumber(block),
            size,
            withdrawn,
        });
        compare(&batch, slot, BlockNumber(head)).map(|(level, _)| level)
    }

    #[test]
    fn a_slot_confirms_or_refutes_a_record() {
        use Level::{False, Note, Unknown};
        let (included, is_final) = (Some((7, false)), Some((7, true)));
        let table = [
            (None, None, None),
            (None, Some((7, 5, false)), Some(Note)),
            (None, Some((7, 6, false)), Some(False)),
            (included, Some((7, 5, false)), None),
            (included, Some((8, 5, false)), Some(Note)),
            (included, None, Some(Note)),
            (is_final, Some((7, 5, false)), None),
            (is_final, Some((7, 5, true)), Some(Note)),
            (is_final, Some((7, 4, false)), Some(False)),
            (is_final, Some((8, 5, false)), Some(False)),
            (is_final, None, Some(False)),
        ];
        for (recorded, slot, expected) in table {
            assert_eq!(told(recorded, slot, 9), expected, "{recorded:?}, {slot:?}");
        }
        assert_eq!(told(is_final, None, 6), Some(Unknown), "the endpoint lags behind");
    }
}
