//! What a transaction bids for its gas. Pure arithmetic, in wei per gas.

use testamur_chain::{Fees, TxFees};

/// More is asked than the configuration allows: the transaction waits until the market falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooDear {
    /// The fee that would be needed.
    pub needed: u128,
}

/// What a transaction's first version offers: room for a doubled base fee, below the cap.
pub fn first_bid(fees: Fees, cap: u128) -> Result<TxFees, TooDear> {
    let needed = fees.base_fee.saturating_add(1);
    if needed > cap {
        return Err(TooDear { needed });
    }
    let bid = fees.bid();
    let max_fee = bid.max_fee.min(cap);
    Ok(TxFees { max_fee, max_priority_fee: bid.max_priority_fee.min(max_fee) })
}

/// What replaces `last` under the same nonce: both fees raised as pools demand, and at least what a new
/// transaction would offer.
pub fn raised_bid(last: TxFees, fees: Fees, cap: u128) -> Result<TxFees, TooDear> {
    let fresh = first_bid(fees, cap)?;
    let max_priority_fee = raise(last.max_priority_fee).max(fresh.max_priority_fee);
    let needed = raise(last.max_fee).max(max_priority_fee);
    if needed > cap {
        return Err(TooDear { needed });
    }
    Ok(TxFees { max_fee: needed.max(fresh.max_fee), max_priority_fee })
}

/// An eighth more, rounded up: geth and its kin replace a pending transaction only for a tenth more.
fn raise(fee: u128) -> u128 {
    fee.saturating_add(fee.div_ceil(8).max(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GWEI: u128 = 1_000_000_000;

    fn fees(base_fee: u128, priority: u128) -> Fees {
        Fees { base_fee, priority }
    }

    #[test]
    fn a_first_bid_leaves_room_for_rising_fees_below_the_cap() {
        let bid = first_bid(fees(10 * GWEI, GWEI), 100 * GWEI);
        assert_eq!(bid, Ok(TxFees { max_fee: 21 * GWEI, max_priority_fee: GWEI }));
        let bid = first_bid(fees(10 * GWEI, GWEI), 12 * GWEI);
        assert_eq!(bid, Ok(TxFees { max_fee: 12 * GWEI, max_priority_fee: GWEI }));
        assert_eq!(first_bid(fees(80 * GWEI, GWEI), 80 * GWEI), Err(TooDear { needed: 80 * GWEI + 1 }));
    }

    #[test]
    fn a_replacement_at_the_cap_is_too_dear() {
        let last = TxFees { max_fee: 95 * GWEI, max_priority_fee: GWEI };
        let raised = raised_bid(last, fees(GWEI, GWEI), 100 * GWEI);
        assert_eq!(raised, Err(TooDear { needed: 106_875_000_000 }));
    }

    proptest! {
        #[test]
        fn a_replacement_satisfies_pools_and_cap(
            max_fee in 0..1000 * GWEI, tip in 0..1000 * GWEI, base in 0..1000 * GWEI, prio in 0..100 * GWEI, cap in 0..2000 * GWEI
        ) {
            let last = TxFees { max_fee, max_priority_fee: tip.min(max_fee) };
            if let Ok(next) = raised_bid(last, fees(base, prio), cap) {
                prop_assert!(next.max_fee * 8 >= last.max_fee * 9);
                prop_assert!(next.max_priority_fee * 8 >= last.max_priority_fee * 9);
                prop_assert!(next.max_fee > last.max_fee && next.max_priority_fee > last.max_priority_fee);
                prop_assert!(next.max_priority_fee <= next.max_fee && next.max_fee <= cap);
                prop_assert!(next.max_fee > base);
            }
        }
    }
}
