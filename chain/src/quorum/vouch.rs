//! What endpoints say of a block that somebody else names: whoever packed evidence, say.

use testamur_core::{BlockNumber, observation::Finality};

use super::{AgreedBlock, Quorum};
use crate::{Endpoint, Error};

impl Quorum {
    /// The block that enough endpoints have at a height, and how settled it is: as `finality` says, or only included.
    pub async fn block(&self, number: BlockNumber, finality: Finality) -> Result<(AgreedBlock, Finality), Error> {
        let settled = self.footing(finality).await?.settled;
        let is_settled = number <= settled.value.number;
        let ask = |endpoint: Endpoint| async move { endpoint.block(number.into()).await };
        let agreed = self.agree(&format!("block {number}"), &settled.by, ask).await?;
        let by = agreed.by.iter().map(Endpoint::to_string).collect();
        let block = AgreedBlock { block: agreed.value, by };
        Ok((block, if is_settled { finality } else { Finality::Included }))
    }
}
