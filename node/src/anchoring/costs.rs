//! What our transactions cost: read once each is in a block, counted, and kept for whoever looks back. Nothing rests
//! on it.

use std::collections::BTreeMap;

use alloy::primitives::{U64, U256};
use serde::Deserialize;
use serde_json::json;
use testamur_core::{BlockNumber, Hash};

use super::{Fault, machine::Anchoring};
use crate::store::{BatchRecord, Cost, TxRecord};

/// Of a transaction's receipt, what it cost.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Paid {
    block_number: U64,
    gas_used: U64,
    /// Some development chains leave it out.
    effective_gas_price: Option<U256>,
}

impl Anchoring {
    /// Of the transactions that brought batches where they are now. Those of others are not ours to count.
    pub(super) async fn keep_costs_of(&self, txs: &[TxRecord], moved: &[BatchRecord]) -> Result<(), Fault> {
        let anchors = moved.iter().filter_map(BatchRecord::anchor);
        let blocks: BTreeMap<Hash, BlockNumber> = anchors.map(|anchor| (anchor.transaction, anchor.block)).collect();
        for tx in txs {
            for hash in tx.attempts.iter().map(|attempt| attempt.hash) {
                if let Some(block) = blocks.get(&hash) {
                    self.keep_cost(tx, hash, *block).await?;
                }
            }
        }
        Ok(())
    }

    /// Of one version of a transaction that is in this block, unless it is known.
    pub(super) async fn keep_cost(&self, tx: &TxRecord, hash: Hash, block: BlockNumber) -> Result<(), Fault> {
        let known = self.blocking(move |store| store.cost(hash)).await?;
        if known.is_some_and(|cost| cost.block == block) {
            return Ok(());
        }
        let paid: Option<Paid> =
            self.eyes.registry.endpoint().request("eth_getTransactionReceipt", json!([hash])).await?;
        let Some(Paid { block_number, gas_used, effective_gas_price }) = paid else { return Ok(()) };
        let cost = Cost {
            block: BlockNumber(block_number.to()),
            gas_used: gas_used.to(),
            gas_price: effective_gas_price.map(|price| price.saturating_to()),
            batches: tx.batches().len() as u64,
        };
        self.blocking(move |store| store.put_cost(hash, &cost)).await?;
        self.report.gas(cost.gas_used);
        Ok(())
    }
}
