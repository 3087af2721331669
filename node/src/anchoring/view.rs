//! Reading the chain: one look at its blocks, and what the contract says about a batch or an update at that look.

use testamur_chain::{BlockTag, Error, Fees, Registry, Roles, history};
use testamur_core::{
    Address, BlockNumber, ChainId, Hash,
    observation::{AnchorRecord, BlockRef, StatusRecord},
};

use super::decide::{Sighting, sight, state_off_chain};
use crate::{
    mirror::Key,
    store::{AnchoredAt, Attempt, BatchRecord, BatchState, TxRecord, UpdatedAt},
};

/// One look at the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The newest block. Everything else about this look is read at its height.
    pub head: BlockRef,
    /// The finalized block.
    pub finalized: BlockNumber,
    /// The operator's next unused nonce.
    pub nonce: u64,
    /// What gas costs.
    pub fees: Fees,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing new.
    None,
    /// It has a new state.
    Moved(BatchState),
    /// Its root is anchored, but not by us and not as ours.
    OtherSize(AnchorRecord),
}

/// The contract, as the operator of one chain sees it.
pub struct Eyes {
    /// The contract.
    pub registry: Registry,
    /// The chain that must be served.
    pub chain: ChainId,
    /// Our account.
    pub operator: Address,
}

impl Eyes {
    /// Looks at the chain; [`Error::WrongChain`] where another one is served.
    pub async fn look(&self) -> Result<View, Error> {
        let endpoint = self.registry.endpoint();
        endpoint.require_chain(self.chain).await?;
        let finalized = self.finalized().await?;
        let head = endpoint.block(BlockTag::Latest).await?;
        // At the same height as the slots: a newer nonce beside older slots would look like a nonce used in vain.
        let nonce = endpoint.nonce(self.operator, head.number.into()).await?;
        Ok(View { head, finalized, nonce, fees: endpoint.fees().await? })
    }

    /// A young chain may have no finalized block; then only its first one cannot change.
    async fn finalized(&self) -> Result<BlockNumber, Error> {
        match self.registry.endpoint().block(BlockTag::Finalized).await {
            Ok(block) => Ok(block.number),
            Err(Error::NoBlock { .. }) => Ok(BlockNumber(0)),
            Err(error @ Error::Rpc { .. }) if !error.is_transient() => Ok(BlockNumber(0)),
            Err(error) => Err(error),
        }
    }

    /// [`Error::NoCode`] or [`Error::WrongCode`] where the contract is not the published one.
    pub async fn check_code(&self) -> Result<(), Error> {
        let endpoint = self.registry.endpoint().clone();
        Registry::open(endpoint, self.registry.address(), self.chain).await.map(drop)
    }

    /// Whether the operator may do something for an issuer.
    pub async fn may(&self, issuer: Address, roles: Roles, view: &View) -> Result<bool, Error> {
        self.registry.is_authorized(issuer, self.operator, roles, view.head.number.into()).await
    }

    /// Whether a status update stands where a change rests on it.
    pub async fn stands(&self, key: Key, at: &UpdatedAt) -> Result<bool, Error> {
        if at.epoch == 0 {
            return Ok(true);
        }
        if at.transaction != Hash::ZERO {
            let tx_receipt = self.registry.endpoint().tx_receipt(at.transaction).await?;
            return Ok(tx_receipt.is_some_and(|found| found.success && found.block == at.block));
        }
        // What the contract held at an old block is known to archives only, its events to all.
        let updates = history::status_updates_in(&self.registry, key.issuer, key.purpose, at.block).await?;
        if updates.iter().all(|update| update.what.epoch != at.epoch) {
            return Ok(false);
        }
        Ok(self.registry.endpoint().block(at.block.into()).await?.time == at.time)
    }

    /// The update that left a status record. Its transaction is known where it is one of `ours`.
    pub async fn updated_at(&self, record: &StatusRecord, ours: &[Attempt]) -> Result<UpdatedAt, Error> {
        let mut transaction = Hash::ZERO;
        for attempt in ours {
            let tx_receipt = self.registry.endpoint().tx_receipt(attempt.hash).await?;
            if tx_receipt.is_some_and(|found| found.success && found.block == record.block) {
                transaction = attempt.hash;
            }
        }
        Ok(UpdatedAt { epoch: record.epoch, block: record.block, time: record.time, transaction })
    }

    /// Reads a batch's slot at the newest block.
    pub async fn slot(&self, batch: &BatchRecord, view: &View) -> Result<Option<AnchorRecord>, Error> {
        self.registry.anchor_of(batch.issuer, batch.root, view.head.number.into()).await
    }

    /// What became of a batch since its record was written.
    pub async fn progress(&self, batch: &BatchRecord, view: &View, txs: &[TxRecord]) -> Result<Progress, Error> {
        let slot = self.slot(batch, view).await?;
        match sight(batch, slot, view.head.number, view.finalized) {
            Sighting::Nothing => Ok(Progress::None),
            Sighting::OtherSize(slot) => Ok(Progress::OtherSize(slot)),
            Sighting::TakenBack => Ok(Progress::Moved(state_off_chain(batch, txs))),
            Sighting::Included(slot) => self.included(batch, slot).await,
            Sighting::Settled(slot) => self.settled(batch, slot, view).await,
        }
    }

    /// An endpoint that does not have the event of a fresh anchor yet is asked again at the next tick.
    async fn included(&self, batch: &BatchRecord, slot: AnchorRecord) -> Result<Progress, Error> {
        let log = self.registry.anchored_log(batch.issuer, batch.root, slot.block).await?;
        let included = |anchor| Progress::Moved(BatchState::Included { anchor });
        Ok(log.map_or(Progress::None, |log| included(anchored_at(slot, log.transaction))))
    }

    /// Final is for ever, so the contract is asked once more, in the finalized block itself.
    async fn settled(&self, batch: &BatchRecord, slot: AnchorRecord, view: &View) -> Result<Progress, Error> {
        let again = self.registry.anchor_of(batch.issuer, batch.root, view.finalized.into()).await?;
        if again.is_none_or(|again| (again.block, again.size) != (slot.block, slot.size)) {
            return Ok(Progress::None);
        }
        // Old events may be pruned. The transaction is a hint for people; nothing rests on it.
        let transaction = match self.registry.anchored_log(batch.issuer, batch.root, slot.block).await {
            Ok(log) => log.map_or(Hash::ZERO, |log| log.transaction),
            Err(error) if error.is_transient() => return Err(error),
            Err(_) => Hash::ZERO,
        };
        Ok(Progress::Moved(BatchState::Final { anchor: anchored_at(slot, transaction) }))
    }
}

fn anchored_at(slot: AnchorRecord, transaction: Hash) -> AnchoredAt {
    AnchoredAt { block: slot.block, time: slot.time, transaction }
}
