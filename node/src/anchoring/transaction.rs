//! Making transactions: which batches fit into one, what gas it gets, and signing it anew for another fee.

use std::sync::Arc;

use alloy::{
    consensus::{Transaction as _, TxEnvelope},
    eips::Decodable2718,
};
use testamur_chain::{
    Error, Key, Signed, TxFees,
    registry::{anchor_call, anchor_many_call},
    sign,
};
use testamur_core::{Address, ChainId, UnixSeconds};

use super::{problem::Problem, view::Eyes};
use crate::store::{Attempt, BatchRecord};

/// Batches that the contract would accept together now.
#[derive(Debug, Default)]
pub struct Load {
    /// The batches. None: nothing can be sent.
    pub batches: Vec<BatchRecord>,
    /// Gas limit, with a margin over what they would use now.
    pub gas: u64,
    /// Why others were left out.
    pub refused: Vec<Problem>,
}

/// Tries what the contract would do with these batches, and takes as many as it accepts within `gas_cap`.
pub async fn fit(eyes: &Eyes, mut batches: Vec<BatchRecord>, gas_cap: u64) -> Result<Load, Error> {
    let mut refused = Vec::new();
    while !batches.is_empty() {
        let detail = match estimate(eyes, &batches).await {
            Ok(gas) if gas <= gas_cap => return Ok(Load { batches, gas, refused }),
            Ok(gas) => format!("it needs {gas} gas, a transaction may have {gas_cap}"),
            Err(error) if error.is_transient() => return Err(error),
            Err(Error::Reverted { .. })
                if batches.len() > 1 && drop_refused(eyes, &mut batches, &mut refused).await? =>
            {
                continue;
            }
            Err(error) => error.to_string(),
        };
        if let [batch] = &batches[..] {
            refused.push(Problem::Refused { batch: batch.id, detail });
        }
        batches.truncate(batches.len() / 2);
    }
    Ok(Load { refused, ..Load::default() })
}

/// Drops the batches that the contract refuses on their own; whether there were any.
async fn drop_refused(eyes: &Eyes, batches: &mut Vec<BatchRecord>, refused: &mut Vec<Problem>) -> Result<bool, Error> {
    let before = batches.len();
    for batch in std::mem::take(batches) {
        match estimate(eyes, std::slice::from_ref(&batch)).await {
            Err(Error::Reverted { error }) => refused.push(Problem::Refused { batch: batch.id, detail: error }),
            Err(error) if error.is_transient() => return Err(error),
            _ => batches.push(batch),
        }
    }
    Ok(batches.len() < before)
}

/// A fifth more than the contract uses now: what it uses depends on what others write before.
async fn estimate(eyes: &Eyes, batches: &[BatchRecord]) -> Result<u64, Error> {
    let (registry, calldata) = (&eyes.registry, calldata(batches));
    let gas = registry.endpoint().estimate_gas(eyes.operator, registry.address(), &calldata).await?;
    Ok(gas.saturating_add(gas / 5))
}

fn calldata(batches: &[BatchRecord]) -> Vec<u8> {
    match batches {
        [batch] => anchor_call(batch.issuer, batch.root, batch.size),
        _ => anchor_many_call(&batches.iter().map(|b| (b.issuer, b.root, b.size)).collect::<Vec<_>>()),
    }
}

/// What signs: the operator's key, for one chain.
pub struct Pen {
    /// The operator's key.
    pub key: Arc<Key>,
    /// The chain that signatures are for.
    pub chain: ChainId,
}

impl Pen {
    /// Signs the first version of a transaction that anchors these batches.
    pub fn first(&self, registry: Address, load: &Load, nonce: u64, fees: TxFees, now: UnixSeconds) -> Attempt {
        let signed = sign(&self.key, nonce, fees, load.gas, registry, &calldata(&load.batches), self.chain);
        attempt(signed, fees, now)
    }

    /// Signs `last` anew with other fees; everything else stays. `None` if it cannot be read.
    pub fn again(&self, last: &Attempt, fees: TxFees, now: UnixSeconds) -> Option<Attempt> {
        let old = TxEnvelope::decode_2718_exact(&last.raw).ok()?;
        let to = Address(old.to()?.into());
        let signed = sign(&self.key, old.nonce(), fees, old.gas_limit(), to, old.input(), self.chain);
        Some(attempt(signed, fees, now))
    }
}

/// The most that a stored version can cost, in wei.
pub fn cost(attempt: &Attempt) -> u128 {
    let gas = TxEnvelope::decode_2718_exact(&attempt.raw).map_or(0, |tx| tx.gas_limit());
    u128::from(gas).saturating_mul(attempt.max_fee)
}

fn attempt(signed: Signed, fees: TxFees, now: UnixSeconds) -> Attempt {
    let TxFees { max_fee, max_priority_fee } = fees;
    Attempt { hash: signed.hash, raw: signed.raw, max_fee, max_priority_fee, signed_at: now }
}
