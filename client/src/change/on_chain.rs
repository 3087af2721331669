//! Straight to the chain, when the node is gone: rebuilds the bits from the chain, and updates what differs.
//!
//! One loop: look at the chain, compare with what is wanted, send the next update, look again. Whatever others, or a
//! reorganisation, do in between is seen at the next look.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use futures::{StreamExt, TryStreamExt, stream};
use testamur_chain::{
    BlockTag, Error, Key, Registry,
    follow::{Follower, StatusView, TreeAt},
    registry::update_status_call,
    transact,
};
use testamur_core::{
    Address, BlockNumber, ChainId, Hash, Purpose, StatusIndex,
    status::{StatusTree, delta},
};

use super::{Action, ChangeError, ChangeState, Landed, Step, Target, Unfit, targets};
use crate::node::Place;

/// The most gas that a transaction may take on chains with EIP-7825.
const MOST_GAS: u64 = 1 << 24;
/// Pools refuse transactions of more than 128 KiB.
const MOST_DELTA: usize = 100_000;
/// How often in a row another sender may be faster.
const MOST_CONTENDED: u32 = 5;
/// Requests under way at a time.
const AT_ONCE: usize = 8;
/// Between two looks at a chain that has nothing new.
const POLL: Duration = Duration::from_secs(2);
/// Looks in a row that may fail for a passing reason.
const MOST_FAILURES: u32 = 10;

/// Who sends, for whom, and where.
pub struct Sender<'a> {
    /// The contract.
    pub registry: &'a Registry,
    /// Its chain.
    pub chain: ChainId,
    /// Whose credentials.
    pub issuer: Address,
    /// The key of the issuer's controller, or of an operator that may revoke.
    pub key: &'a Key,
    /// How long one transaction is waited for.
    pub patience: Duration,
}

impl Sender<'_> {
    /// Changes the status of the targets, as far as they are fit; tells each step through `tell`.
    ///
    /// `wait` is [`ChangeState::Included`] or [`ChangeState::Final`]. An issuer whose last root does not fit its deltas
    /// is healed by the way: the next update states the true root.
    pub async fn change(
        &self,
        targets: Vec<Target>,
        action: Action,
        wait: ChangeState,
        tell: &mut dyn FnMut(Step),
    ) -> Result<(), ChangeError> {
        let (purpose, wanted) = action.wanted();
        let mut indices = self.fit(targets, tell).await?;
        if action == Action::Reinstate {
            self.take_out_revoked(&mut indices, tell).await?;
        }
        if indices.is_empty() {
            return Ok(());
        }
        let all: BTreeSet<StatusIndex> = indices.into_keys().collect();
        self.reconcile(purpose, &all, wanted, wait, tell).await
    }

    /// The indices that hold: of this issuer, and from receipts whose root is anchored.
    async fn fit(
        &self,
        mut targets: Vec<Target>,
        tell: &mut dyn FnMut(Step),
    ) -> Result<HashMap<StatusIndex, String>, ChangeError> {
        targets::distinct(&mut targets);
        let place = Place { issuer: self.issuer, chain: self.chain, registry: self.registry.address() };
        let sizes = self.anchored_sizes(&targets).await?;
        let mut fit = HashMap::with_capacity(targets.len());
        for Target { name, index, receipt, .. } in targets {
            let unfit = receipt.and_then(|receipt| {
                let forged = || (sizes.get(&receipt.root) != Some(&Some(receipt.tree_size))).then_some(receipt.root);
                Unfit::elsewhere(place, &receipt).or_else(|| forged().map(|root| Unfit::NotAnchored { root }))
            });
            match (unfit, index) {
                (Some(unfit), _) => tell(Step::Refused(name, unfit)),
                (None, None) => tell(Step::Refused(name, Unfit::NoIndex)),
                (None, Some(index)) => {
                    fit.insert(index, name);
                }
            }
        }
        Ok(fit)
    }

    /// The leaves of each batch that a receipt names; `None` where the issuer anchored no such root.
    async fn anchored_sizes(&self, targets: &[Target]) -> Result<HashMap<Hash, Option<u64>>, Error> {
        let roots: BTreeSet<Hash> = targets.iter().filter_map(|target| Some(target.receipt.as_ref()?.root)).collect();
        let size = |root| async move {
            let anchor = self.registry.anchor_of(self.issuer, root, BlockTag::Latest).await?;
            Ok::<_, Error>((root, anchor.map(|anchor| anchor.size)))
        };
        stream::iter(roots).map(size).buffer_unordered(AT_ONCE).try_collect().await
    }

    async fn take_out_revoked(
        &self,
        indices: &mut HashMap<StatusIndex, String>,
        tell: &mut dyn FnMut(Step),
    ) -> Result<(), ChangeError> {
        let mut follower = Follower::new(self.issuer, Purpose::REVOCATION);
        let view = self.look(&mut follower, BlockNumber(0)).await?;
        let revoked = view.head.bits()?;
        indices.retain(|&index, name| {
            let is_revoked = revoked.bit(index);
            if is_revoked {
                tell(Step::Refused(name.clone(), Unfit::Revoked));
            }
            !is_revoked
        });
        Ok(())
    }

    async fn reconcile(
        &self,
        purpose: Purpose,
        all: &BTreeSet<StatusIndex>,
        wanted: bool,
        wait: ChangeState,
        tell: &mut dyn FnMut(Step),
    ) -> Result<(), ChangeError> {
        let mut follower = Follower::new(self.issuer, purpose);
        let (mut last, mut left, mut contended) = (None, usize::MAX, 0);
        loop {
            let seen = last.map_or(BlockNumber(0), |landed: Landed| landed.block);
            let view = self.look(&mut follower, seen).await?;
            let toggles = differing(&view.head, all, wanted)?;
            if toggles.is_empty() && view.head.fault.is_none() {
                let settled = is_settled(&view.settled, all, wanted);
                if settled || wait < ChangeState::Final {
                    let state = if settled { ChangeState::Final } else { wait };
                    tell(Step::Reached { count: all.len(), state, at: last, change: None });
                    return Ok(());
                }
                tokio::time::sleep(POLL).await;
                continue;
            }
            // Somebody toggles back, or is faster each time.
            contended = if toggles.len() < left { 0 } else { contended + 1 };
            left = toggles.len();
            if contended == MOST_CONTENDED {
                return Err(ChangeError::Contended { times: contended });
            }
            match self.update(purpose, &view.head, &toggles).await {
                Ok((landed, count)) => {
                    tell(Step::Sent { count, of: all.len(), at: landed });
                    last = Some(landed);
                }
                Err(ChangeError::Chain(error)) if is_overtaken(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The status now, once the endpoint has at least the block `seen`, which is where our last update is.
    async fn look(&self, follower: &mut Follower, seen: BlockNumber) -> Result<StatusView, ChangeError> {
        let mut failures = 0;
        loop {
            match self.look_once(follower).await {
                Ok(view) if view.head.block.number >= seen => return Ok(view),
                Ok(_) => {}
                Err(error) if error.is_transient() && failures < MOST_FAILURES => failures += 1,
                Err(error) => return Err(error.into()),
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn look_once(&self, follower: &mut Follower) -> Result<StatusView, Error> {
        let endpoint = self.registry.endpoint();
        let settled = match endpoint.block(BlockTag::Finalized).await {
            // A young chain has no final block yet: only its first one is settled.
            Err(Error::NoBlock { .. } | Error::Rpc { .. }) => endpoint.block(BlockTag::Number(0)).await?,
            block => block?,
        };
        let head = endpoint.block(BlockTag::Latest).await?;
        follower.advance(self.registry, head, settled).await?;
        follower.view().ok_or(Error::Unusable { detail: "no view after a look".to_owned() })
    }

    /// Sends one update with as many of the toggles as one transaction takes; returns how many those are.
    async fn update(
        &self,
        purpose: Purpose,
        base: &TreeAt,
        toggles: &[StatusIndex],
    ) -> Result<(Landed, usize), ChangeError> {
        let epoch = base.record.epoch + 1;
        let (count, calldata) = self.largest(purpose, epoch, &base.tree, toggles).await?;
        let sent =
            transact::send(self.registry.endpoint(), self.key, self.registry.address(), &calldata, self.patience);
        let sent = sent.await?;
        Ok((Landed { epoch, block: sent.receipt.block, transaction: Some(sent.hash) }, count))
    }

    /// The largest of: all toggles, half of them, a quarter … that a transaction takes, and its calldata.
    async fn largest(
        &self,
        purpose: Purpose,
        epoch: u64,
        tree: &StatusTree,
        toggles: &[StatusIndex],
    ) -> Result<(usize, Vec<u8>), ChangeError> {
        let mut count = toggles.len();
        loop {
            let part = &toggles[..count];
            let delta = delta::encode(part).expect("a set's indices ascend");
            let mut tree = tree.clone();
            tree.toggle(part);
            let calldata = update_status_call(self.issuer, purpose, epoch, tree.root(), &delta);
            if delta.len() <= MOST_DELTA {
                let (from, to) = (self.key.address(), self.registry.address());
                let gas = self.registry.endpoint().estimate_gas(from, to, &calldata).await?;
                match gas {
                    0..=MOST_GAS => return Ok((count, calldata)),
                    _ if count <= 1 => return Err(ChangeError::TooMuchGas { gas }),
                    _ => {}
                }
            }
            count = count.div_ceil(2);
        }
    }
}

/// The indices whose bit is not as wanted. A wrong root does not matter: the deltas say what the bits are.
fn differing(at: &TreeAt, all: &BTreeSet<StatusIndex>, wanted: bool) -> Result<Vec<StatusIndex>, Error> {
    match &at.fault {
        None | Some(Error::StatusRoot { .. }) => {
            Ok(all.iter().copied().filter(|&index| at.tree.bit(index) != wanted).collect())
        }
        Some(fault) => Err(fault.clone()),
    }
}

fn is_settled(at: &TreeAt, all: &BTreeSet<StatusIndex>, wanted: bool) -> bool {
    at.bits().is_ok_and(|bits| all.iter().all(|&index| bits.bit(index) == wanted))
}

/// Whether another update took the epoch.
fn is_overtaken(error: &Error) -> bool {
    match error {
        Error::Reverted { error } | Error::Failed { reason: error, .. } => error.contains("WrongEpoch"),
        _ => false,
    }
}
