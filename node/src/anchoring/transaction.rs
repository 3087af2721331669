//! Making transactions: which batches fit into one, what gas it gets, and signing it anew for another fee.
//! (Which toggles fit into one: [`super::update`].)

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
use testamur_core::{Address, ChainId, Hash, UnixSeconds};

use super::{problem::Problem, view::Eyes};
use crate::{
    mirror,
    store::{Attempt, BatchRecord, Carries},
};

/// A transaction that the contract would accept now, but for its nonce and its fees.
#[derive(Debug)]
pub struct Load {
    /// What it writes.
    pub cargo: Cargo,
    /// Whom it calls.
    pub to: Address,
    /// With what.
    pub calldata: Vec<u8>,
    /// Gas limit, with a margin over what it would use now.
    pub gas: u64,
}

/// What a transaction writes, in full.
#[derive(Debug)]
pub enum Cargo {
    /// These batches' roots.
    Batches(Vec<BatchRecord>),
    /// A status update.
    Status {
        /// Whose, and of which bits.
        key: mirror::Key,
        /// The epoch that it makes.
        epoch: u64,
        /// The root that it states.
        root: Hash,
        /// The root of the bits that it was made for.
        base: Hash,
    },
    /// Nothing: it takes a nonce.
    Nothing,
}

impl Cargo {
    /// As a transaction's record says it.
    pub fn carries(&self) -> Carries {
        match self {
            Self::Batches(batches) => Carries::Batches(batches.iter().map(|batch| batch.id).collect()),
            &Self::Status { key: mirror::Key { issuer, purpose }, epoch, root, .. } => {
                Carries::Status { issuer, purpose, epoch, root }
            }
            Self::Nothing => Carries::Batches(Vec::new()),
        }
    }
}

/// Tries what the contract would do with these batches, and takes as many as it accepts within `gas_cap`; adds to
/// `refused` why others were left out.
pub async fn fit(
    eyes: &Eyes,
    mut batches: Vec<BatchRecord>,
    gas_cap: u64,
    refused: &mut Vec<Problem>,
) -> Result<Option<Load>, Error> {
    while !batches.is_empty() {
        let detail = match estimate(eyes, &batches).await {
            Ok(gas) if gas <= gas_cap => {
                let (to, calldata) = (eyes.registry.address(), calldata(&batches));
                return Ok(Some(Load { cargo: Cargo::Batches(batches), to, calldata, gas }));
            }
            Ok(gas) => too_much(gas, gas_cap),
            Err(error) if error.is_transient() => return Err(error),
            Err(Error::Reverted { .. }) if batches.len() > 1 && drop_refused(eyes, &mut batches, refused).await? => {
                continue;
            }
            Err(error) => error.to_string(),
        };
        if let [batch] = &batches[..] {
            refused.push(Problem::Refused { batch: batch.id, detail });
        }
        batches.truncate(batches.len() / 2);
    }
    Ok(None)
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

/// A fifth more gas than the contract uses now: what it uses depends on what others write before.
async fn estimate(eyes: &Eyes, batches: &[BatchRecord]) -> Result<u64, Error> {
    estimate_call(eyes, eyes.registry.address(), &calldata(batches)).await
}

/// The same for any call.
pub async fn estimate_call(eyes: &Eyes, to: Address, calldata: &[u8]) -> Result<u64, Error> {
    let gas = eyes.registry.endpoint().estimate_gas(eyes.operator, to, calldata).await?;
    Ok(gas.saturating_add(gas / 5))
}

/// Why a transaction of this size is not made.
pub fn too_much(gas: u64, gas_cap: u64) -> String {
    format!("it needs {gas} gas, a transaction may have {gas_cap}")
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
    /// Signs the first version of a transaction.
    pub fn first(&self, load: &Load, nonce: u64, fees: TxFees, now: UnixSeconds) -> Attempt {
        let signed = sign(&self.key, nonce, fees, load.gas, load.to, &load.calldata, self.chain);
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
