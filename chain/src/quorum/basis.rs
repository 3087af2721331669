//! What a look at a chain rests on, in words that can be kept and shown.

use serde::{Deserialize, Serialize};
use testamur_core::{ChainId, observation::BlockRef};

use super::{Agreed, Footing, Quorum};
use crate::Endpoint;

/// What a look at a chain rests on. Endpoints are named by scheme and host: their paths may hold access keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Basis {
    /// The chain.
    pub chain: ChainId,
    /// How many endpoints had to agree.
    pub needed: u64,
    /// Of how many.
    pub given: u64,
    /// The newest block.
    pub head: AgreedBlock,
    /// The newest settled one.
    pub settled: AgreedBlock,
    /// How the contract was read at these blocks.
    pub mode: Mode,
    /// Whose proofs were checked, or whose answers agreed.
    pub read_from: Vec<String>,
    /// Endpoints that did not count, or could not do everything, and why.
    pub passed_over: Vec<PassedOver>,
    /// Where a moment in the past was looked back to: the one endpoint whose blocks and events tell what was so then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_back_by: Option<String>,
}

/// A block, and who said that it is the chain's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgreedBlock {
    /// The block.
    #[serde(flatten)]
    pub block: BlockRef,
    /// The endpoints that gave this very hash, number and time.
    pub by: Vec<String>,
}

/// How the contract was read. The weaker one is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Everything was proven against the hashes of the blocks.
    Proof,
    /// Something, or everything, rests on endpoints that answered alike.
    Agreement,
}

/// An endpoint that did not count, or that could not do everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PassedOver {
    /// Which one.
    pub endpoint: String,
    /// Why, for people.
    pub reason: String,
}

impl Basis {
    pub(crate) fn new(quorum: &Quorum, footing: &Footing, mut grounds: Grounds) -> Self {
        let block = |agreed: &Agreed<BlockRef>| AgreedBlock { block: agreed.value, by: names(&agreed.by) };
        let disagreed = [&footing.head, &footing.settled].into_iter().flat_map(|agreed| agreed.others.iter().cloned());
        grounds.add(Grounds { passed_over: disagreed.collect(), ..Grounds::default() });
        let Grounds { mode, by: read_from, passed_over } = grounds;
        Self {
            chain: quorum.chain(),
            needed: quorum.needed() as u64,
            given: quorum.endpoints().len() as u64,
            head: block(&footing.head),
            settled: block(&footing.settled),
            mode,
            read_from,
            passed_over,
            looked_back_by: None,
        }
    }
}

/// What the reading of a contract rests on, beside the blocks.
#[derive(Clone, Debug)]
pub(crate) struct Grounds {
    pub(crate) mode: Mode,
    pub(crate) by: Vec<String>,
    pub(crate) passed_over: Vec<PassedOver>,
}

impl Grounds {
    /// Proofs that an endpoint delivered.
    pub(crate) fn proven(endpoint: &Endpoint) -> Self {
        Self { mode: Mode::Proof, by: vec![endpoint.to_string()], passed_over: Vec::new() }
    }

    /// An answer that was agreed on, and what it rests on.
    pub(crate) fn agreed<T>(agreed: Agreed<T>) -> (T, Self) {
        let Agreed { value, by, others } = agreed;
        (value, Self { mode: Mode::Agreement, by: names(&by), passed_over: others })
    }

    /// Both together: the weaker mode, and everybody once.
    pub(crate) fn add(&mut self, other: Self) {
        self.mode = self.mode.max(other.mode);
        for name in other.by {
            if !self.by.contains(&name) {
                self.by.push(name);
            }
        }
        for passed_over in other.passed_over {
            if !self.passed_over.contains(&passed_over) {
                self.passed_over.push(passed_over);
            }
        }
    }
}

/// Of nothing, all is proven.
impl Default for Grounds {
    fn default() -> Self {
        Self { mode: Mode::Proof, by: Vec::new(), passed_over: Vec::new() }
    }
}

fn names(endpoints: &[Endpoint]) -> Vec<String> {
    endpoints.iter().map(Endpoint::to_string).collect()
}

impl PassedOver {
    pub(crate) fn new(endpoint: &impl ToString, reason: &impl ToString) -> Self {
        Self { endpoint: endpoint.to_string(), reason: reason.to_string() }
    }
}
