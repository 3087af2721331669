//! One transaction from simulation to inclusion: for an issuer's single acts.
//!
//! The node's anchoring, which must survive restarts, is its own; it uses [`sign`] and [`Endpoint`].

use std::time::Duration;

use alloy::{
    consensus::{SignableTransaction, TxEip1559},
    primitives::{TxKind, U256},
    signers::SignerSync,
};
use testamur_core::{Address, ChainId, Hash};
use tokio::time::{Instant, sleep};

use crate::{
    BlockTag, Endpoint, Error, Key, SendError, TxReceipt,
    contract::{keccak, to_alloy},
};

/// The most gas that a transaction may ask for on chains with EIP-7825.
const MOST_GAS: u64 = 1 << 24;

/// Often enough for one-second blocks, seldom enough for public endpoints.
const POLL: Duration = Duration::from_millis(500);

/// The fees of one transaction (EIP-1559), in wei per gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxFees {
    /// The most that is paid in all.
    pub max_fee: u128,
    /// The most of it that goes to the proposer.
    pub max_priority_fee: u128,
}

/// A signed transaction, ready to be sent, as often as need be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Its hash.
    pub hash: Hash,
    /// The EIP-2718 envelope.
    pub raw: Vec<u8>,
}

/// A transaction that is in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Included {
    /// Its hash.
    pub hash: Hash,
    /// Where it is, and the gas it used.
    pub receipt: TxReceipt,
}

/// Signs a call without value as an EIP-1559 transaction. The same arguments give the same bytes.
pub fn sign(key: &Key, nonce: u64, fees: TxFees, gas: u64, to: Address, calldata: &[u8], chain: ChainId) -> Signed {
    let tx = TxEip1559 {
        chain_id: chain.0,
        nonce,
        gas_limit: gas,
        max_fee_per_gas: fees.max_fee,
        max_priority_fee_per_gas: fees.max_priority_fee,
        to: TxKind::Call(to_alloy(to)),
        value: U256::ZERO,
        access_list: Default::default(),
        input: calldata.to_vec().into(),
    };
    let signature = key.signer().sign_hash_sync(&tx.signature_hash()).expect("a valid key signs any hash");
    let mut raw = Vec::new();
    tx.into_signed(signature).eip2718_encode(&mut raw);
    Signed { hash: keccak(&raw), raw }
}

/// Sends a call and waits until it is in a block.
///
/// It is simulated first, so that a refusal ([`Error::Reverted`]) costs nothing. [`Error::NotSent`] where the
/// endpoint does not take it, [`Error::NotIncluded`] at the timeout, [`Error::Failed`] where it reverts in its block.
pub async fn send(
    endpoint: &Endpoint,
    key: &Key,
    to: Address,
    calldata: &[u8],
    timeout: Duration,
) -> Result<Included, Error> {
    let from = key.address();
    endpoint.call(Some(from), to, calldata, BlockTag::Latest).await?;
    let chain = endpoint.chain_id().await?;
    let nonce = endpoint.nonce(from, BlockTag::Latest).await?;
    let fees = endpoint.fees().await?.bid();
    let gas = with_margin(endpoint.estimate_gas(from, to, calldata).await?);
    let signed = sign(key, nonce, fees, gas, to, calldata, chain);
    let receipt = broadcast(endpoint, &signed, timeout).await?;
    if receipt.success {
        return Ok(Included { hash: signed.hash, receipt });
    }
    let repeated = endpoint.call(Some(from), to, calldata, receipt.block.into()).await;
    let reason = repeated.err().map_or("a repetition succeeds".to_owned(), |error| error.to_string());
    Err(Error::Failed { hash: signed.hash, block: receipt.block, reason })
}

/// Sends a transaction, again whenever the endpoint does not know it, until it is in a block.
async fn broadcast(endpoint: &Endpoint, signed: &Signed, timeout: Duration) -> Result<TxReceipt, Error> {
    let deadline = Instant::now() + timeout;
    loop {
        match attempt(endpoint, signed).await {
            Ok(Some(receipt)) => return Ok(receipt),
            Ok(None) => {}
            // The request may have arrived although the answer did not: only the chain can tell.
            Err(error) if error.is_transient() => tracing::debug!(hash = %signed.hash, %error, "asking again"),
            Err(error) => return Err(error),
        }
        if Instant::now() >= deadline {
            return Err(Error::NotIncluded { hash: signed.hash, seconds: timeout.as_secs() });
        }
        sleep(POLL).await;
    }
}

async fn attempt(endpoint: &Endpoint, signed: &Signed) -> Result<Option<TxReceipt>, Error> {
    let receipt = endpoint.tx_receipt(signed.hash).await?;
    if receipt.is_some() || endpoint.tx_known(signed.hash).await? {
        return Ok(receipt);
    }
    match endpoint.send_raw(&signed.raw).await {
        Ok(_) | Err(SendError::AlreadyKnown) => endpoint.tx_receipt(signed.hash).await,
        Err(SendError::Other(error)) if error.is_transient() => Err(error),
        Err(refused) => match endpoint.tx_receipt(signed.hash).await? {
            // Included between our question and our sending.
            Some(receipt) => Ok(Some(receipt)),
            None => Err(Error::NotSent(Box::new(refused))),
        },
    }
}

/// A fifth more than estimated, because the state may change until the block, and unused gas costs nothing. The margin,
/// not the estimate, ends where transactions are refused.
fn with_margin(estimate: u64) -> u64 {
    estimate.saturating_add(estimate / 5).min(MOST_GAS).max(estimate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_stays_below_what_chains_accept() {
        assert_eq!(with_margin(50_000), 60_000);
        assert_eq!(with_margin(MOST_GAS - 1), MOST_GAS);
        assert_eq!(with_margin(MOST_GAS + 5), MOST_GAS + 5);
    }
}
