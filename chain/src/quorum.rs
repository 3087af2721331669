//! Several endpoints of one chain, of which some number must agree: no single one is believed.
//!
//! They agree on block hashes ([`blocks`]); what the contract holds in those blocks is then proven against the hash,
//! or agreed on as well ([`Reading`]). One that is silent, behind, on another chain or alone with its answer is named
//! and passed over: it speaks against itself, never against a credential.

mod agree;
mod basis;
mod blocks;
mod vouch;

use std::{collections::HashSet, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};
use testamur_core::{ChainId, observation::BlockRef};

use crate::{Endpoint, Error};
pub(crate) use agree::{Agreed, Answer};
pub(crate) use basis::Grounds;
pub use basis::{AgreedBlock, Basis, Mode, PassedOver};
pub(crate) use blocks::Footing;

/// How the contract is read at a block whose hash was agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reading {
    /// By proof where an endpoint can prove, else by agreement.
    #[default]
    Auto,
    /// By `eth_getProof` alone, checked against the block's hash: one honest hash is then enough.
    Proof,
    /// By plain calls alone, that as many endpoints must answer alike.
    Agreement,
}

impl FromStr for Reading {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "proof" => Ok(Self::Proof),
            "agreement" => Ok(Self::Agreement),
            _ => Err("the chain is read by proof, agreement or auto"),
        }
    }
}

/// Endpoints that are to serve one chain, and how many of them must agree. Cheap to clone.
#[derive(Clone)]
pub struct Quorum {
    chain: ChainId,
    endpoints: Arc<[Endpoint]>,
    needed: usize,
    reading: Reading,
}

impl Quorum {
    /// A majority of these must agree: 1 of 1, 2 of 2, 2 of 3, 3 of 4 or 5. Asks nothing yet.
    ///
    /// Two that print alike (scheme, host and port) are one voice: the first of them is kept.
    pub fn new(chain: ChainId, endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        let mut names = HashSet::new();
        let endpoints: Arc<[Endpoint]> =
            endpoints.into_iter().filter(|endpoint| names.insert(endpoint.to_string())).collect();
        Self { chain, needed: endpoints.len() / 2 + 1, endpoints, reading: Reading::default() }
    }

    /// So many must agree, at least one; `None`: a majority. More than there are never agree.
    pub fn needing(mut self, needed: Option<usize>) -> Self {
        self.needed = needed.map_or(self.endpoints.len() / 2 + 1, |needed| needed.max(1));
        self
    }

    /// Reads the contract in this way.
    pub fn reading(mut self, reading: Reading) -> Self {
        self.reading = reading;
        self
    }

    /// The chain that they are to serve.
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// The endpoints, in the order in which they were given.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// How many must agree.
    pub fn needed(&self) -> usize {
        self.needed
    }

    /// How the contract is read.
    pub(crate) fn how(&self) -> Reading {
        self.reading
    }

    /// Whether enough of those who agreed on a block still have it. An error where too few can tell.
    pub(crate) async fn has(&self, block: &Agreed<BlockRef>) -> Result<bool, Error> {
        let still = self.agree("whether the newest block is still there", &block.by, move |endpoint| {
            let block = block.value;
            async move { endpoint.has(block).await }
        });
        Ok(still.await?.value)
    }
}

impl fmt::Debug for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quorum({} of {:?} on {})", self.needed, self.endpoints, self.chain)
    }
}
