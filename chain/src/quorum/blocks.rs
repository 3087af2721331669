//! The two blocks of a look: the newest one and the newest settled one, each as enough endpoints have it.

use std::collections::BTreeSet;

use testamur_core::{
    BlockNumber,
    observation::{BlockRef, Finality},
};

use super::{Agreed, Quorum, agree::Said};
use crate::{Endpoint, Error, observe};

/// By how many blocks a newest block that is not agreed on is stepped back: endpoints may see different ones for a
/// moment, and rarely more than one deep.
const STEP_BACK: u64 = 2;

/// The blocks at which a look reads.
pub(crate) struct Footing {
    pub(crate) head: Agreed<BlockRef>,
    pub(crate) settled: Agreed<BlockRef>,
}

/// What one endpoint calls its blocks.
#[derive(Clone, Copy, PartialEq)]
struct Tips {
    head: BlockRef,
    settled: BlockRef,
}

impl Quorum {
    /// The newest block, and the newest that is settled as `finality` says, that enough endpoints have alike.
    pub(crate) async fn footing(&self, finality: Finality) -> Result<Footing, Error> {
        let chain = self.chain;
        let tips = async |endpoint: Endpoint| {
            endpoint.require_chain(chain).await?;
            let (head, settled) = observe::blocks(&endpoint, finality).await?;
            Ok(Tips { head, settled })
        };
        let tips = self.ask(self.endpoints(), tips).await;
        let head = self.newest("the newest block", &tips, STEP_BACK, |tips| tips.head).await?;
        let settled = match finality {
            Finality::Included => head.clone(),
            _ => self.newest("the newest settled block", &tips, 0, |tips| tips.settled).await?,
        };
        // Settled for enough of them, and new to others: then it is the newest that is known.
        let head = if settled.value.number > head.value.number { settled.clone() } else { head };
        Ok(Footing { head, settled })
    }

    /// The newest block that enough of them have alike. An endpoint that runs ahead, or claims to, is asked for the
    /// block at the height that the others have.
    async fn newest(
        &self,
        what: &str,
        tips: &[Said<Tips>],
        step_back: u64,
        tip: impl Fn(&Tips) -> BlockRef,
    ) -> Result<Agreed<BlockRef>, Error> {
        let tips =
            || tips.iter().map(|(endpoint, tips)| (endpoint.clone(), tips.as_ref().map(&tip).map_err(Error::clone)));
        let heights: BTreeSet<BlockNumber> = tips().filter_map(|(_, tip)| Some(tip.ok()?.number)).collect();
        let lowest = heights.first().copied().unwrap_or_default().0;
        let below = (1..=step_back).filter_map(|step| lowest.checked_sub(step).map(BlockNumber));
        let mut highest_dispute = None;
        for height in heights.iter().rev().copied().chain(below) {
            let have = tips().filter(|(_, tip)| matches!(tip, Ok(tip) if tip.number >= height)).count();
            if have < self.needed {
                continue;
            }
            match self.count(what, self.at(height, tips().collect()).await) {
                Ok(agreed) => return Ok(agreed),
                Err(dispute) => _ = highest_dispute.get_or_insert(dispute),
            }
        }
        Err(highest_dispute.unwrap_or_else(|| self.no_quorum(what, tips().collect())))
    }

    /// What each says of the block at a height, if it has come so far.
    async fn at(&self, height: BlockNumber, tips: Vec<Said<BlockRef>>) -> Vec<Said<BlockRef>> {
        let ahead = tips.iter().filter(|(_, tip)| matches!(tip, Ok(tip) if tip.number > height));
        let ahead: Vec<Endpoint> = ahead.map(|(endpoint, _)| endpoint.clone()).collect();
        let mut asked =
            self.ask(&ahead, async |endpoint: Endpoint| endpoint.block(height.into()).await).await.into_iter();
        let said = |(endpoint, tip): Said<BlockRef>| match tip {
            Ok(tip) if tip.number > height => asked.next().unwrap_or((endpoint, Ok(tip))),
            Ok(tip) if tip.number < height => (endpoint, Err(Error::Behind { block: tip.number, known: height })),
            said => (endpoint, said),
        };
        tips.into_iter().map(said).collect()
    }
}
