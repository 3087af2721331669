//! One look at the chain: the two blocks at which everything else is read.

use testamur_chain::{BlockTag, Endpoint, Error};
use testamur_core::{ChainId, observation::BlockRef};

/// The newest block, and the newest one that will not be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The newest block.
    pub head: BlockRef,
    /// The finalized block.
    pub settled: BlockRef,
}

impl Look {
    /// Looks. [`Error::WrongChain`] where another chain is served; [`Error::Behind`] where less is settled than at an
    /// earlier look, for what was settled stays so.
    pub async fn take(endpoint: &Endpoint, chain: ChainId, before: Option<Self>) -> Result<Self, Error> {
        endpoint.require_chain(chain).await?;
        // In this order: what is settled is then never above the head.
        let settled = finalized(endpoint).await?;
        let head = endpoint.block(BlockTag::Latest).await?;
        let known = before.map_or(settled.number, |before| before.settled.number);
        match (settled.number < known, head.number < settled.number) {
            (true, _) => Err(Error::Behind { block: settled.number, known }),
            (_, true) => Err(Error::Behind { block: head.number, known: settled.number }),
            _ => Ok(Self { head, settled }),
        }
    }
}

/// A young chain may have no finalized block; then only its first one cannot change.
async fn finalized(endpoint: &Endpoint) -> Result<BlockRef, Error> {
    match endpoint.block(BlockTag::Finalized).await {
        Err(Error::NoBlock { .. }) => endpoint.block(BlockTag::Number(0)).await,
        Err(error @ Error::Rpc { .. }) if !error.is_transient() => endpoint.block(BlockTag::Number(0)).await,
        block => block,
    }
}
