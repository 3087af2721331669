//! Anchoring: takes sealed batches and changes of status to the chain and watches them until they are final.
//!
//! Reading order: [`machine`] (what a tick is) → `batches` and [`status`] (the truth) → `follow`, `course`, [`prepare`] and
//! `due` (the means: transactions) → [`decide`] and [`reconcile`] (the decisions, pure) → [`view`] (what is read from the chain) →
//! [`transaction`], [`update`] and [`fees`] (what is sent) → [`problem`] and [`report`] (what is told).

mod batches;
mod costs;
mod course;
pub mod decide;
mod due;
pub mod fees;
mod follow;
pub mod machine;
mod memory;
pub mod prepare;
pub mod problem;
pub mod reconcile;
pub mod report;
pub mod status;
#[cfg(test)]
pub(crate) mod tests;
pub mod transaction;
pub mod update;
pub mod view;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use testamur_chain::{Error, Key, Registry};
use testamur_core::{Address, ChainId, UnixSeconds};
use tokio::{sync::Notify, task::spawn_blocking, time::sleep};
use tokio_util::sync::CancellationToken;

pub use self::{machine::Anchoring, problem::Problem, reconcile::StatusPolicy, report::Report};
use crate::{
    mirror::Mirror,
    store::{Store, StoreError},
};

/// The longest pause after errors in a row.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What anchoring must know.
#[derive(Clone)]
pub struct AnchoringConfig {
    /// The contract, and the endpoint that it is reached through.
    pub registry: Registry,
    /// Shows the status bits of the issuers.
    pub mirror: Mirror,
    /// The chain that the endpoint must serve.
    pub chain: ChainId,
    /// The operator's key. No other program may send transactions with it.
    pub key: Arc<Key>,
    /// Issuers whose appointment of the operator is watched even while they have no batches.
    pub issuers: Vec<Address>,
    /// Pause between two looks at the chain. Much less than the time between blocks is of no use.
    pub poll: Duration,
    /// The most that may be bid, in wei per gas.
    pub max_fee: u128,
    /// The most batches in one transaction.
    pub max_batches: usize,
    /// The most gas for one transaction.
    pub max_gas: u64,
    /// The most bytes of toggles in one transaction.
    pub max_delta: usize,
    /// Blocks that a transaction may be pending before its bid is raised.
    pub patience: u64,
    /// When changes of status are written.
    pub status: StatusPolicy,
}

impl AnchoringConfig {
    /// A configuration with the usual limits: 500 gwei, 200 batches, EIP-7825's 2^24 gas, 3 blocks, once a second.
    pub fn new(registry: Registry, mirror: Mirror, chain: ChainId, key: Key, issuers: Vec<Address>) -> Self {
        Self {
            registry,
            mirror,
            chain,
            key: Arc::new(key),
            issuers,
            poll: Duration::from_secs(1),
            max_fee: 500_000_000_000,
            max_batches: 200,
            max_gas: 1 << 24,
            max_delta: update::MAX_DELTA,
            patience: 3,
            status: StatusPolicy::default(),
        }
    }
}

/// Why a tick did not come to its end. Nothing is lost: the next one takes up where it stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The chain could not be read.
    #[error(transparent)]
    Chain(#[from] Error),
    /// The endpoint refuses a transaction for good.
    #[error("the endpoint does not take the transaction: {0}")]
    NotTaken(testamur_chain::SendError),
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The process is stopping.
    #[error("the node is stopping")]
    Stopping,
}

/// Anchors until shutdown: at once when woken because a batch was sealed, else at every poll.
pub async fn run(
    store: Arc<Store>,
    config: AnchoringConfig,
    report: Report,
    wake: Arc<Notify>,
    shutdown: CancellationToken,
) -> Result<(), StoreError> {
    let poll = config.poll;
    let Ok(opened) = spawn_blocking(move || Anchoring::new(store, config, report)).await else { return Ok(()) };
    let mut anchoring = opened?;
    let mut failures = 0;
    loop {
        let ticked = tokio::select! {
            // Wherever a tick is dropped, the next start goes on from what is stored.
            () = shutdown.cancelled() => return Ok(()),
            ticked = anchoring.tick() => ticked,
        };
        failures = match ticked {
            Ok(()) => 0,
            Err(fault) => {
                tracing::warn!(%fault, failures, "anchoring pauses");
                failures + 1
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = sleep(pause(poll, failures)) => {}
            // After an error, new batches are no reason to ask again sooner.
            () = wake.notified(), if failures == 0 => {}
        }
    }
}

/// Doubles with each failure in a row.
fn pause(poll: Duration, failures: u32) -> Duration {
    poll.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX)).min(LONGEST_PAUSE.max(poll))
}

/// The wall clock, for what people read. No decision rests on it.
fn now() -> UnixSeconds {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    UnixSeconds(since.map_or(0, |since| since.as_secs()))
}
