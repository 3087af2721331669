//! Who vouches for the blocks that evidence rests on.

use std::{collections::HashMap, sync::Arc};

use testamur_chain::quorum::{AgreedBlock, Basis, Mode};
use testamur_core::{
    BlockNumber, ChainId, Hash,
    evidence::Checkpoints,
    observation::{BlockRef, Finality},
};

use crate::chains::Chains;

/// Blocks of one chain that endpoints are asked about, the newest first: whoever packs an archive says how many it has.
const MOST_ASKED: usize = 16;

/// Blocks that the verifier trusts, by where it says so.
#[derive(Clone, Debug, Default)]
pub struct Pins(Vec<(String, Checkpoints)>);

impl Pins {
    /// Adds blocks. `name` is told as what vouches for them.
    pub fn add(&mut self, name: impl Into<String>, blocks: Checkpoints) {
        self.0.push((name.into(), blocks));
    }

    fn name(&self, chain: ChainId, block: BlockRef) -> Option<&str> {
        let contains = |(_, pins): &&(String, Checkpoints)| pins.contains(chain, block.number, block.hash);
        self.0.iter().find(contains).map(|(name, _)| name.as_str())
    }
}

/// What is known of the blocks of one chain.
pub(super) struct Voucher {
    vouched: HashMap<Hash, Vouched>,
    doubts: Vec<String>,
}

struct Vouched {
    number: BlockNumber,
    finality: Finality,
    basis: Arc<Basis>,
}

impl Voucher {
    /// Asks the verifier's own checkpoints and, about what those do not have, its endpoints. `blocks` begin with the
    /// newest.
    pub(super) async fn of(
        pins: &Pins,
        chains: &Chains,
        chain: ChainId,
        blocks: &[BlockRef],
        finality: Finality,
    ) -> Self {
        let mut voucher = Self { vouched: HashMap::new(), doubts: Vec::new() };
        let quorum = chains.quorum(chain);
        let mut asked = 0;
        for &block in blocks {
            if let Some(name) = pins.name(chain, block) {
                voucher.add(chain, AgreedBlock { block, by: vec![name.to_owned()] }, finality, [1, 1]);
            } else if let Some(quorum) = quorum.as_ref().filter(|_| asked < MOST_ASKED) {
                asked += 1;
                match quorum.block(block.number, finality).await {
                    Ok((found, settled)) if found.block.hash == block.hash => {
                        let of = [quorum.needed(), quorum.endpoints().len()].map(|count| count as u64);
                        voucher.add(chain, found, settled, of);
                    }
                    Ok((found, _)) => voucher.doubts.push(contradiction(&found)),
                    Err(error) => voucher.doubts.push(error.to_string()),
                }
            }
        }
        if voucher.doubts.is_empty() {
            voucher.doubts.push("--block or --checkpoints pins it, --rpc asks endpoints about it".to_owned());
        }
        voucher
    }

    fn add(&mut self, chain: ChainId, block: AgreedBlock, finality: Finality, [needed, given]: [u64; 2]) {
        let (number, hash) = (block.block.number, block.block.hash);
        let basis = Arc::new(Basis {
            chain,
            needed,
            given,
            head: block.clone(),
            settled: block,
            mode: Mode::Proof,
            read_from: Vec::new(),
            passed_over: Vec::new(),
            looked_back_by: None,
        });
        self.vouched.insert(hash, Vouched { number, finality, basis });
    }

    /// Whether somebody vouches for a block, at least as settled as this.
    pub(super) fn vouches(&self, number: BlockNumber, hash: Hash, finality: Finality) -> bool {
        self.vouched.get(&hash).is_some_and(|block| block.number == number && block.finality >= finality)
    }

    /// Why other blocks are not trusted.
    pub(super) fn doubts(&self) -> impl Iterator<Item = &str> {
        self.doubts.iter().map(String::as_str)
    }

    /// What a look at a block in this archive rests on.
    pub(super) fn basis(&self, block: BlockRef, archive: &str) -> Option<Arc<Basis>> {
        let basis = &self.vouched.get(&block.hash)?.basis;
        Some(Arc::new(Basis { read_from: vec![archive.to_owned()], ..(**basis).clone() }))
    }
}

fn contradiction(found: &AgreedBlock) -> String {
    format!("as {} says, block {} is {}", found.by.join(", "), found.block.number, found.block.hash)
}
