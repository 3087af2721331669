//! One JSON-RPC server, and what can be asked of it about any chain.

use std::{fmt, sync::Arc};

use alloy::primitives::{Bytes, U64, U256};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use testamur_core::{Address, BlockNumber, ChainId, Hash, UnixSeconds, observation::BlockRef};

use crate::{Error, SendError, TxFees, contract, rpc::Rpc};

/// Wei per gas: what geth's block builder asks for unless told otherwise. Proposers include nothing below.
const MIN_PRIORITY_FEE: u128 = 1_000_000;

/// How many recent blocks the usual priority fee is taken from.
const FEE_BLOCKS: u64 = 20;

/// A block, by name or number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockTag {
    /// The newest one.
    Latest,
    /// The newest one that is unlikely to be undone.
    Safe,
    /// The newest one that will not be undone.
    Finalized,
    /// The one at this height.
    Number(u64),
}

impl fmt::Display for BlockTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Safe => f.write_str("safe"),
            Self::Finalized => f.write_str("finalized"),
            Self::Number(number) => write!(f, "{number:#x}"),
        }
    }
}

impl From<BlockNumber> for BlockTag {
    fn from(number: BlockNumber) -> Self {
        Self::Number(number.0)
    }
}

/// What gas costs now, in wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// The next block's base fee.
    pub base_fee: u128,
    /// What others pay the proposer: the median of recent blocks, never below 0.001 gwei.
    pub priority: u128,
}

impl Fees {
    /// Fees for a transaction that stays payable while the base fee doubles (six full blocks).
    pub fn bid(&self) -> TxFees {
        let max_fee = self.base_fee.saturating_mul(2).saturating_add(self.priority);
        TxFees { max_fee, max_priority_fee: self.priority }
    }
}

/// Where a transaction was included, and how it ended. (Ethereum's receipt, not ours.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxReceipt {
    /// Its block.
    pub block: BlockNumber,
    /// The hash of that block, by which a reorg is noticed.
    pub block_hash: Hash,
    /// Whether it did what it was meant to, rather than revert.
    pub success: bool,
    /// Gas used.
    pub gas_used: u64,
}

/// One HTTP(S) JSON-RPC server. Cheap to clone. Prints as scheme and host, for its URL may hold an access key.
#[derive(Clone)]
pub struct Endpoint {
    rpc: Arc<Rpc>,
}

impl Endpoint {
    /// Prepares requests to a URL; asks nothing yet. [`Error::Url`] unless it is an `http` or `https` URL.
    pub fn connect(url: &str) -> Result<Self, Error> {
        Rpc::new(url).map(|rpc| Self { rpc: Arc::new(rpc) })
    }

    /// Sends any request. Waits at most 10 s; [`Error::Transport`] then.
    pub async fn request<R: DeserializeOwned>(&self, method: &str, params: Value) -> Result<R, Error> {
        self.rpc.request(method, params).await
    }

    /// How many requests were sent so far, by this and all its clones: how a long walk is seen to go on.
    pub fn requests(&self) -> u64 {
        self.rpc.requests()
    }

    /// The chain that is really served (`eth_chainId`).
    pub async fn chain_id(&self) -> Result<ChainId, Error> {
        let id: U64 = self.request("eth_chainId", json!([])).await?;
        Ok(ChainId(id.to()))
    }

    /// [`Error::WrongChain`] unless this chain is served.
    pub async fn require_chain(&self, wanted: ChainId) -> Result<(), Error> {
        let served = self.chain_id().await?;
        if served == wanted { Ok(()) } else { Err(Error::WrongChain { wanted, served }) }
    }

    /// A block. [`Error::NoBlock`] where there is none (some clients answer [`Error::Rpc`] for a tag that has none yet).
    pub async fn block(&self, tag: BlockTag) -> Result<BlockRef, Error> {
        let header = self.header(tag).await?;
        let number = BlockNumber(header.number.to());
        match tag {
            BlockTag::Number(wanted) if number.0 != wanted => {
                Err(Error::unusable(format!("block {number} came where {wanted} was asked for")))
            }
            _ => Ok(BlockRef { number, hash: header.hash, time: UnixSeconds(header.timestamp.to()) }),
        }
    }

    /// Whether a block is still in the chain.
    pub async fn has(&self, block: BlockRef) -> Result<bool, Error> {
        match self.block(block.number.into()).await {
            Ok(now) => Ok(now.hash == block.hash),
            Err(Error::NoBlock { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn header(&self, tag: BlockTag) -> Result<Header, Error> {
        let header: Option<Header> = self.request("eth_getBlockByNumber", json!([tag.to_string(), false])).await?;
        header.ok_or_else(|| Error::NoBlock { wanted: tag.to_string() })
    }

    /// keccak-256 of the code at an address; `None` where there is none.
    pub async fn code_hash(&self, address: Address, at: BlockTag) -> Result<Option<Hash>, Error> {
        let code: Bytes = self.request("eth_getCode", json!([address, at.to_string()])).await?;
        Ok((!code.is_empty()).then(|| contract::keccak(&code)))
    }

    /// An account's money at the newest block, in wei.
    pub async fn balance(&self, account: Address) -> Result<u128, Error> {
        let wei: U256 = self.request("eth_getBalance", json!([account, "latest"])).await?;
        Ok(wei.saturating_to())
    }

    /// How many transactions of an account are in the chain at a block: its next nonce. Waiting ones are not counted.
    pub async fn nonce(&self, account: Address, at: BlockTag) -> Result<u64, Error> {
        let nonce: U64 = self.request("eth_getTransactionCount", json!([account, at.to_string()])).await?;
        Ok(nonce.to())
    }

    /// What gas costs now. [`Error::Unusable`] on a chain without EIP-1559.
    pub async fn fees(&self) -> Result<Fees, Error> {
        let asked = json!([U64::from(FEE_BLOCKS), "latest", [50.0]]);
        let history: FeeHistory = self.request("eth_feeHistory", asked).await?;
        // The last of them is the next block's.
        let base_fee = history.base_fee_per_gas.last();
        let base_fee = base_fee.ok_or_else(|| Error::unusable("no base fee: the chain lacks EIP-1559"))?;
        Ok(Fees { base_fee: base_fee.saturating_to(), priority: usual_priority(history.reward.unwrap_or_default()) })
    }

    /// The gas a call would use after the newest block, from its sender. [`Error::Reverted`] where the contract refuses it.
    pub async fn estimate_gas(&self, from: Address, to: Address, calldata: &[u8]) -> Result<u64, Error> {
        let gas: U64 =
            self.request("eth_estimateGas", json!([call_object(Some(from), to, calldata), "latest"])).await?;
        Ok(gas.to())
    }

    /// Runs a call without sending it, and returns its output. [`Error::Reverted`] where the contract refuses it.
    pub async fn call(
        &self,
        from: Option<Address>,
        to: Address,
        calldata: &[u8],
        at: BlockTag,
    ) -> Result<Vec<u8>, Error> {
        let output: Bytes = self.request("eth_call", json!([call_object(from, to, calldata), at.to_string()])).await?;
        Ok(output.into())
    }

    /// Hands in a signed transaction and returns its hash. It is idempotent: [`SendError::AlreadyKnown`] is as good.
    pub async fn send_raw(&self, raw: &[u8]) -> Result<Hash, SendError> {
        let expected = contract::keccak(raw);
        let params = json!([Bytes::copy_from_slice(raw)]);
        let hash: Hash = self.request("eth_sendRawTransaction", params).await?;
        if hash == expected {
            return Ok(hash);
        }
        Err(SendError::Other(Error::unusable(format!("transaction {expected} was answered with the hash {hash}"))))
    }

    /// Whether the endpoint has a transaction, in a block or waiting.
    pub async fn tx_known(&self, hash: Hash) -> Result<bool, Error> {
        let found: Value = self.request("eth_getTransactionByHash", json!([hash])).await?;
        Ok(!found.is_null())
    }

    /// How a transaction ended; `None` while it is in no block.
    pub async fn tx_receipt(&self, hash: Hash) -> Result<Option<TxReceipt>, Error> {
        let receipt: Option<RawReceipt> = self.request("eth_getTransactionReceipt", json!([hash])).await?;
        Ok(receipt.map(|r| TxReceipt {
            block: BlockNumber(r.block_number.to()),
            block_hash: r.block_hash,
            success: r.status == U64::from(1),
            gas_used: r.gas_used.to(),
        }))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rpc.fmt(f)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

// Only the members that are needed, so that no chain's own additions get in the way.

#[derive(Deserialize)]
struct Header {
    number: U64,
    hash: Hash,
    timestamp: U64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FeeHistory {
    base_fee_per_gas: Vec<U256>,
    reward: Option<Vec<Vec<U256>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawReceipt {
    block_number: U64,
    block_hash: Hash,
    status: U64,
    gas_used: U64,
}

fn call_object(from: Option<Address>, to: Address, calldata: &[u8]) -> Value {
    let mut object = json!({ "to": to, "data": Bytes::copy_from_slice(calldata) });
    if let Some(from) = from {
        object["from"] = json!(from);
    }
    object
}

/// The median of what blocks with transactions paid; empty ones report zero.
fn usual_priority(rewards: Vec<Vec<U256>>) -> u128 {
    let mut paid: Vec<u128> =
        rewards.into_iter().flatten().filter(|fee| !fee.is_zero()).map(|fee| fee.saturating_to()).collect();
    paid.sort_unstable();
    paid.get(paid.len() / 2).copied().unwrap_or(0).max(MIN_PRIORITY_FEE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_blocks_do_not_lower_the_priority_fee() {
        let rewards = |fees: &[u64]| fees.iter().map(|&fee| vec![U256::from(fee)]).collect();
        assert_eq!(usual_priority(rewards(&[0, 0, 3_000_000, 0, 2_000_000, 9_000_000])), 3_000_000);
        assert_eq!(usual_priority(rewards(&[0, 0])), MIN_PRIORITY_FEE);
        assert_eq!(usual_priority(rewards(&[7])), MIN_PRIORITY_FEE);
        assert_eq!(usual_priority(Vec::new()), MIN_PRIORITY_FEE);
    }

    #[test]
    fn a_bid_outlives_a_doubled_base_fee() {
        let fees = Fees { base_fee: 10, priority: 3 };
        assert_eq!(fees.bid(), TxFees { max_fee: 23, max_priority_fee: 3 });
        assert_eq!(Fees { base_fee: u128::MAX, priority: 3 }.bid().max_fee, u128::MAX);
    }
}
