//! What to do, given what was seen. Pure: no chain, no store, no clock.

use std::collections::BTreeMap;

use testamur_chain::{Fees, TxFees};
use testamur_core::{Address, BlockNumber, observation::AnchorRecord};

use super::fees::{self, TooDear};
use crate::store::{Attempt, BatchRecord, BatchState, TxRecord};

/// What the contract's slot at the newest block means for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// Nothing that the store does not say already, or nothing that this view can tell.
    Nothing,
    /// The root stands in a block that may still be undone.
    Included(AnchorRecord),
    /// The root stands in the finalized block or below it.
    Settled(AnchorRecord),
    /// The root was there and is not any more: a reorg took its block back.
    TakenBack,
    /// The root stands there with another number of leaves: never ours.
    OtherSize(AnchorRecord),
}

/// Compares a batch with its slot, read at block `head` of a chain whose finalized block is `finalized`.
pub fn sight(batch: &BatchRecord, slot: Option<AnchorRecord>, head: BlockNumber, finalized: BlockNumber) -> Sighting {
    match (slot, batch.state) {
        (Some(slot), _) if slot.size != batch.size => Sighting::OtherSize(slot),
        (Some(slot), _) if slot.block <= finalized => Sighting::Settled(slot),
        (Some(slot), BatchState::Included { anchor }) if anchor.block == slot.block && anchor.time == slot.time => {
            Sighting::Nothing
        }
        (Some(slot), _) => Sighting::Included(slot),
        // An endpoint that lags behind says nothing about a block that it has not seen.
        (None, BatchState::Included { anchor }) if anchor.block <= head => Sighting::TakenBack,
        (None, _) => Sighting::Nothing,
    }
}

/// Where a batch stands that no anchor and no known transaction carries any more, or that a reorg took back: with the
/// open transaction that carries it, or else back among the sealed.
pub fn state_off_chain(batch: &BatchRecord, open_txs: &[TxRecord]) -> BatchState {
    let carrier = open_txs.iter().rev().find(|tx| tx.batches().contains(&batch.id));
    carrier.map_or(BatchState::Sealed, |tx| BatchState::Broadcast { tx: tx.id })
}

/// What an endpoint says about a transaction that has not taken effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The account's nonce in the newest block: below it, nonces are used up.
    pub account_nonce: u64,
    /// The nonce that the account reaches when our earlier transactions are mined.
    pub next_nonce: u64,
    /// Whether the endpoint knows the newest version.
    pub known: bool,
    /// For how many blocks the newest version has been pending.
    pub blocks_pending: u64,
    /// Whether somebody else anchored a root that it carries, so that it can only fail.
    pub doomed: bool,
    /// Whether it carries a status update that is not one any more: its epoch is taken, or its root would be wrong.
    pub void: bool,
}

/// What becomes of a transaction that has not taken effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Wait: it is pending and bids enough.
    Wait,
    /// Send the newest version, once more if it was sent before: the same bytes cannot do harm.
    Send,
    /// Sign a version that bids this, store it, send it.
    Replace(TxFees),
    /// A replacement would cost more than is allowed; the newest version is sent if the endpoint does not know it.
    Stuck(TooDear),
    /// It must not be mined: sign one that does nothing under its nonce and bids this, store it, send it.
    Cancel(TxFees),
    /// Its nonce is used up: by a version of it that failed, or by another transaction of this account.
    NonceUsed,
    /// It cannot be mined, or only fail: what it carries goes into a new one. Should it be mined after all, the new one
    /// fails, because a root is anchored once, and an epoch made once.
    GiveUp,
}

/// Decides what becomes of a transaction. Its newest version is the one that counts: earlier ones may be mined
/// instead, which the contract's slots will show.
pub fn follow(tx: &TxRecord, standing: Standing, fees: Fees, patience: u64, cap: u128) -> Step {
    if tx.nonce < standing.account_nonce {
        return Step::NonceUsed;
    }
    // Beyond a gap that nothing of ours will fill (a reorg took back what did) it would wait for ever; and of two
    // with one nonce only one can be mined.
    let in_line = tx.nonce == standing.next_nonce;
    let Some(newest) = tx.attempts.last().filter(|_| in_line) else { return Step::GiveUp };
    if (standing.doomed || standing.void) && !standing.known {
        return Step::GiveUp;
    }
    let bid = bid_of(newest);
    if standing.void {
        return fees::raised_bid(bid, fees, cap).map_or_else(Step::Stuck, Step::Cancel);
    }
    if bid.max_fee < fees.base_fee || standing.blocks_pending >= patience {
        return match fees::raised_bid(bid, fees, cap) {
            Ok(bid) => Step::Replace(bid),
            Err(too_dear) => Step::Stuck(too_dear),
        };
    }
    if standing.known { Step::Wait } else { Step::Send }
}

/// What a stored version bids.
pub fn bid_of(attempt: &Attempt) -> TxFees {
    TxFees { max_fee: attempt.max_fee, max_priority_fee: attempt.max_priority_fee }
}

/// An issuer whose batches were in a transaction that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Suspicion {
    /// How often in a row.
    pub failures: u32,
    /// The block from which its batches are tried again.
    pub not_before: BlockNumber,
}

impl Suspicion {
    /// One failure more, seen at block `head`. The first is tried again at once (a race is forgiven); then the wait
    /// doubles up to a thousand blocks, because every failure costs gas.
    pub fn again(self, head: BlockNumber) -> Self {
        let wait = (1_u64 << self.failures.min(10)) - 1;
        Self { failures: self.failures.saturating_add(1), not_before: BlockNumber(head.0.saturating_add(wait)) }
    }
}

/// The batches of the next transaction: the oldest first, at most `limit`.
///
/// `anchorMany` is all or nothing. So that no issuer can block the others (by dismissing the operator at each
/// attempt, say), suspects go alone until they succeed, and take turns with all the others together: `turn` counts
/// the transactions made so far.
pub fn gather(
    ready: Vec<BatchRecord>,
    suspects: &BTreeMap<Address, Suspicion>,
    head: BlockNumber,
    turn: u64,
    limit: usize,
) -> Vec<BatchRecord> {
    let mut groups = BTreeMap::<Option<Address>, Vec<BatchRecord>>::new();
    for batch in ready {
        let suspicion = suspects.get(&batch.issuer);
        if suspicion.is_none_or(|suspicion| suspicion.not_before <= head) {
            groups.entry(suspicion.map(|_| batch.issuer)).or_default().push(batch);
        }
    }
    let count = groups.len().max(1) as u64;
    let mut chosen = groups.into_values().nth((turn % count) as usize).unwrap_or_default();
    chosen.truncate(limit);
    chosen
}

#[cfg(test)]
mod tests {
    use testamur_core::{Hash, UnixSeconds};

    use super::*;
    use crate::store::{AnchoredAt, BatchId, Carries, TxId};

    const GWEI: u128 = 1_000_000_000;
    const CAP: u128 = 100 * GWEI;

    fn batch(id: u64, issuer: u8, state: BatchState) -> BatchRecord {
        let (issuer, root) = (Address([issuer; 20]), Hash([id as u8; 32]));
        BatchRecord { id: BatchId(id), issuer, root, size: 5, sealed_at: UnixSeconds(1), final_at: None, state }
    }

    fn slot(block: u64, size: u64) -> AnchorRecord {
        AnchorRecord { time: UnixSeconds(1000 + block), block: BlockNumber(block), size, withdrawn: false }
    }

    fn included(block: u64) -> BatchState {
        let (block, time) = (BlockNumber(block), UnixSeconds(1000 + block));
        BatchState::Included { anchor: AnchoredAt { block, time, transaction: Hash([9; 32]) } }
    }

    fn tx(nonce: u64, max_fee: u128) -> TxRecord {
        let attempt =
            Attempt { hash: Hash([1; 32]), raw: vec![2], max_fee, max_priority_fee: GWEI, signed_at: UnixSeconds(1) };
        TxRecord { id: TxId(7), nonce, carries: Carries::Batches(vec![BatchId(1)]), attempts: vec![attempt] }
    }

    #[test]
    fn a_slot_decides_what_becomes_of_a_batch() {
        use BatchState::{Broadcast, Prepared, Sealed};
        let tx = TxId(7);
        let nowhere = [Sealed, Prepared { tx }, Broadcast { tx }];
        for state in nowhere {
            let see = |slot| sight(&batch(1, 1, state), slot, BlockNumber(20), BlockNumber(10));
            assert_eq!(see(None), Sighting::Nothing, "{state:?}");
            assert_eq!(see(Some(slot(15, 5))), Sighting::Included(slot(15, 5)), "{state:?}");
            assert_eq!(see(Some(slot(10, 5))), Sighting::Settled(slot(10, 5)), "{state:?}: somebody else's, long ago");
            assert_eq!(see(Some(slot(15, 6))), Sighting::OtherSize(slot(15, 6)), "{state:?}");
            assert_eq!(see(Some(slot(5, 4))), Sighting::OtherSize(slot(5, 4)), "{state:?}: not even when final");
        }
        let see = |slot, head| sight(&batch(1, 1, included(15)), slot, BlockNumber(head), BlockNumber(10));
        assert_eq!(see(Some(slot(15, 5)), 20), Sighting::Nothing);
        assert_eq!(see(Some(slot(16, 5)), 20), Sighting::Included(slot(16, 5)), "a reorg moved it");
        assert_eq!(see(Some(slot(9, 5)), 20), Sighting::Settled(slot(9, 5)));
        assert_eq!(see(None, 20), Sighting::TakenBack);
        assert_eq!(see(None, 15), Sighting::TakenBack);
        assert_eq!(see(None, 14), Sighting::Nothing, "the endpoint lags behind");
    }

    #[test]
    fn a_batch_taken_back_returns_to_the_newest_transaction_that_carries_it() {
        let (older, newer) = (tx(3, GWEI), TxRecord { id: TxId(8), ..tx(4, GWEI) });
        let batch = batch(1, 1, included(15));
        assert_eq!(state_off_chain(&batch, &[older, newer]), BatchState::Broadcast { tx: TxId(8) });
        assert_eq!(state_off_chain(&batch, &[]), BatchState::Sealed);
    }

    /// Standing of a transaction that is first in line.
    fn standing(account_nonce: u64, known: bool, blocks_pending: u64) -> Standing {
        Standing { account_nonce, next_nonce: account_nonce, known, blocks_pending, doomed: false, void: false }
    }

    #[test]
    fn a_transaction_is_followed_to_its_end() {
        let fees = Fees { base_fee: 10 * GWEI, priority: GWEI };
        let follow = |tx: &TxRecord, standing| follow(tx, standing, fees, 3, CAP);
        let fair = tx(5, 21 * GWEI);
        assert_eq!(follow(&fair, standing(5, false, 0)), Step::Send, "never sent, lost, or dropped");
        assert_eq!(follow(&fair, standing(5, true, 0)), Step::Wait);
        assert_eq!(follow(&fair, standing(5, true, 2)), Step::Wait);
        assert!(matches!(follow(&fair, standing(5, true, 3)), Step::Replace(_)), "too long");
        assert!(matches!(follow(&tx(5, 9 * GWEI), standing(5, false, 0)), Step::Replace(_)), "below the base fee");
        assert_eq!(follow(&fair, standing(6, true, 0)), Step::NonceUsed);
        assert_eq!(follow(&fair, standing(4, true, 0)), Step::GiveUp);
        let doomed = |known| Standing { doomed: true, ..standing(5, known, 0) };
        assert_eq!(follow(&fair, doomed(false)), Step::GiveUp);
        assert_eq!(follow(&fair, doomed(true)), Step::Wait);
        let void = |known| Standing { void: true, ..standing(5, known, 0) };
        assert_eq!(follow(&fair, void(false)), Step::GiveUp);
        assert!(matches!(follow(&fair, void(true)), Step::Cancel(bid) if bid.max_fee > 21 * GWEI));
        let second = Standing { next_nonce: 5, ..standing(4, true, 0) };
        assert_eq!(follow(&fair, second), Step::Wait, "one of ours stands before it");
        let dear = tx(5, 95 * GWEI);
        assert!(matches!(follow(&dear, void(true)), Step::Stuck(_)), "it may be mined, and is healed then");
        assert!(matches!(follow(&dear, standing(5, true, 3)), Step::Stuck(TooDear { needed }) if needed > CAP));
        let fees = Fees { base_fee: 101 * GWEI, priority: GWEI };
        assert!(matches!(super::follow(&fair, standing(5, true, 0), fees, 3, CAP), Step::Stuck(_)));
    }

    fn ids(batches: &[BatchRecord]) -> Vec<u64> {
        batches.iter().map(|batch| batch.id.0).collect()
    }

    #[test]
    fn issuers_share_a_transaction_until_one_of_them_makes_it_fail() {
        let ready: Vec<_> =
            [(1, 1), (2, 2), (3, 1), (4, 3)].map(|(id, issuer)| batch(id, issuer, BatchState::Sealed)).into();
        let none = BTreeMap::new();
        let chosen = |suspects: &BTreeMap<_, _>, head, turn, limit| {
            ids(&gather(ready.clone(), suspects, BlockNumber(head), turn, limit))
        };
        assert_eq!(chosen(&none, 9, 0, 100), [1, 2, 3, 4]);
        assert_eq!(chosen(&none, 9, 1, 3), [1, 2, 3], "the oldest first");

        let suspicion = Suspicion::default().again(BlockNumber(9));
        let suspects = BTreeMap::from([(Address([1; 20]), suspicion), (Address([3; 20]), suspicion)]);
        assert_eq!(chosen(&suspects, 9, 0, 100), [2]);
        assert_eq!(chosen(&suspects, 9, 1, 100), [1, 3]);
        assert_eq!(chosen(&suspects, 9, 2, 100), [4]);
        assert_eq!(chosen(&suspects, 9, 3, 100), [2]);

        let suspects = BTreeMap::from([(Address([1; 20]), suspicion.again(BlockNumber(9)))]);
        assert_eq!(chosen(&suspects, 9, 1, 100), [2, 4], "it waits");
        assert_eq!(chosen(&suspects, 10, 1, 100), [1, 3]);
        assert!(gather(Vec::new(), &suspects, BlockNumber(10), 1, 100).is_empty());
    }

    #[test]
    fn waits_double_and_end_at_a_thousand_blocks() {
        let mut suspicion = Suspicion::default();
        let waits: Vec<_> = (0..13)
            .map(|_| {
                suspicion = suspicion.again(BlockNumber(0));
                suspicion.not_before.0
            })
            .collect();
        assert_eq!(waits, [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1023, 1023]);
    }
}
