//! Anchoring against a real chain, through a proxy that fails when told to.

// All of this is test code, and a panic its way to fail.
#![allow(clippy::unwrap_used)]

mod anvil;
mod faults;
pub(crate) mod proxy;
mod status;
mod status_faults;
mod stories;
pub(crate) mod world;

use alloy::consensus::{SignableTransaction, TxEip1559};
use testamur_core::{Hash, UnixSeconds};

use crate::store::Attempt;

/// A signed transaction with this calldata; whose signature it has does not matter.
pub(crate) fn signed(calldata: &[u8]) -> Attempt {
    let transaction = TxEip1559 { input: calldata.to_vec().into(), ..TxEip1559::default() };
    let mut raw = Vec::new();
    let signature = alloy::primitives::Signature::test_signature();
    transaction.into_signed(signature).eip2718_encode(&mut raw);
    Attempt { hash: Hash::ZERO, raw, max_fee: 1, max_priority_fee: 1, signed_at: UnixSeconds(1) }
}
