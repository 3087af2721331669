//! One look at the chain with a verifier's own eyes: everything that `testamur_core::verify` wants to know.
//!
//! All reads of a look are made at the same two blocks, and afterwards the newer one must still be there:
//! a look is never half before and half after a reorganisation.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash as StdHash,
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, stream};
use testamur_core::{
    Address, ChainId, Hash, Purpose, Receipt, StatusIndex,
    observation::{AnchorRecord, BlockRef, Finality, Observation, StatusAt, StatusRecord, StatusSeen, Unseen},
    status::StatusTree,
};

use crate::{BlockTag, Endpoint, Error, Registry, contract, history};

/// Requests under way at a time.
const CONCURRENCY: usize = 8;
/// How often a look is repeated when the chain is reorganised meanwhile.
const LOOKS: u32 = 3;
/// How long the walk through one issuer's status updates may take. Then the bits are unknown.
const PATIENCE: Duration = Duration::from_secs(60);

const PURPOSES: [Purpose; 2] = [Purpose::REVOCATION, Purpose::SUSPENSION];

/// What was seen for a receipt, or why nothing could be, with the detail for people.
pub type Look = Result<Observation, (Unseen, String)>;

/// Looks at the chain for one receipt. `finality` says what counts as settled.
pub async fn observe(endpoint: &Endpoint, receipt: &Receipt, finality: Finality) -> Look {
    let mut looks = observe_many(endpoint, std::slice::from_ref(receipt), finality).await;
    looks.pop().expect("as many looks as receipts")
}

/// Looks at the chain once for many receipts; answers in their order. What they share is read once.
pub async fn observe_many(endpoint: &Endpoint, receipts: &[Receipt], finality: Finality) -> Vec<Look> {
    match look(endpoint, receipts, finality).await {
        Ok(looks) => looks.into_iter().map(|look| look.map_err(fault)).collect(),
        Err(error) => receipts.iter().map(|_| Err(fault(error.clone()))).collect(),
    }
}

fn fault(error: Error) -> (Unseen, String) {
    (error.unseen(), error.to_string())
}

async fn look(
    endpoint: &Endpoint,
    receipts: &[Receipt],
    finality: Finality,
) -> Result<Vec<Result<Observation, Error>>, Error> {
    for _ in 0..LOOKS {
        let view = View::open(endpoint, finality).await?;
        let seen = view.read(receipts).await;
        if endpoint.has(view.head).await? {
            return Ok(receipts.iter().map(|receipt| view.observation(&seen, receipt)).collect());
        }
    }
    Err(Error::unusable("the chain was reorganised during every look at it"))
}

/// The two blocks at which everything is read.
struct View<'a> {
    endpoint: &'a Endpoint,
    chain: ChainId,
    head: BlockRef,
    settled: BlockRef,
    finality: Finality,
}

/// What receipts may share, each part read once. A part that could not be read keeps its error.
struct Seen {
    codes: HashMap<Address, Result<Option<Hash>, Error>>,
    anchors: HashMap<AnchorKey, Result<[Option<AnchorRecord>; 2], Error>>,
    statuses: HashMap<StatusKey, Result<[Bits; 2], Error>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct AnchorKey {
    registry: Address,
    issuer: Address,
    root: Hash,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct StatusKey {
    registry: Address,
    issuer: Address,
    purpose: Purpose,
}

/// A status record and, where its root is not zero and its history could be had, the bits behind it.
struct Bits {
    record: StatusRecord,
    tree: Option<Arc<StatusTree>>,
}

impl Bits {
    fn at(&self, index: StatusIndex) -> StatusAt {
        let proof = self.tree.as_ref().map(|tree| tree.proof(index));
        StatusAt { record: self.record, proof }
    }
}

impl<'a> View<'a> {
    async fn open(endpoint: &'a Endpoint, finality: Finality) -> Result<Self, Error> {
        let chain = endpoint.chain_id().await?;
        // The settled block first: it is then never newer than the head, unless different servers answer.
        let settled = settled(endpoint, finality).await?;
        let head = endpoint.block(BlockTag::Latest).await?;
        let (head, settled) = match settled {
            None => (head, head),
            Some(settled) if settled.number > head.number => (settled, settled),
            Some(settled) => (head, settled),
        };
        Ok(Self { endpoint, chain, head, settled, finality })
    }

    async fn read(&self, receipts: &[Receipt]) -> Seen {
        let ours = || receipts.iter().filter(|receipt| receipt.chain == self.chain);
        let codes = each(ours().map(|r| r.registry), |at| self.endpoint.code_hash(at, self.head.number.into())).await;
        // A look-alike contract is not asked anything: its answers mean nothing.
        let genuine = || ours().filter(|r| codes.get(&r.registry) == Some(&Ok(Some(contract::code_hash()))));
        let anchor_keys = genuine().map(|r| AnchorKey { registry: r.registry, issuer: r.issuer, root: r.root });
        let anchors = each(anchor_keys, |key| self.anchor(key)).await;
        let status_keys = genuine()
            .flat_map(|r| PURPOSES.map(|purpose| StatusKey { registry: r.registry, issuer: r.issuer, purpose }));
        let statuses = each(status_keys, |key| self.status(key)).await;
        Seen { codes, anchors, statuses }
    }

    fn registry(&self, address: Address) -> Registry {
        Registry::new(self.endpoint.clone(), address)
    }

    /// The anchor at the head and at the settled block.
    async fn anchor(&self, key: AnchorKey) -> Result<[Option<AnchorRecord>; 2], Error> {
        let registry = self.registry(key.registry);
        let read = |at: BlockRef| registry.anchor_of(key.issuer, key.root, at.number.into());
        let head = read(self.head).await?;
        let settled = match head {
            // A root is anchored once, so where it is newer than the settled block it is not in that one's state.
            None => None,
            Some(anchor) if anchor.block > self.settled.number => None,
            // Only the withdrawal may be newer.
            Some(anchor) if anchor.withdrawn => read(self.settled).await?,
            anchor => anchor,
        };
        Ok([head, settled])
    }

    /// The status bits at the head and at the settled block.
    async fn status(&self, key: StatusKey) -> Result<[Bits; 2], Error> {
        let registry = self.registry(key.registry);
        let head = registry.status_of(key.issuer, key.purpose, self.head.number.into()).await?;
        let settled = if head.block <= self.settled.number {
            head // not written since: the settled block's state has the same
        } else {
            match registry.status_of(key.issuer, key.purpose, self.settled.number.into()).await {
                Err(Error::NoCode { .. }) => StatusRecord::default(), // deployed since
                record => record?,
            }
        };
        let [head_tree, settled_tree] = trees(&registry, key, [head, settled]).await;
        Ok([Bits { record: head, tree: head_tree }, Bits { record: settled, tree: settled_tree }])
    }

    fn observation(&self, seen: &Seen, receipt: &Receipt) -> Result<Observation, Error> {
        let Receipt { chain, registry, issuer, root, .. } = *receipt;
        if chain != self.chain {
            return Err(Error::WrongChain { wanted: chain, served: self.chain });
        }
        let code_hash = part(&seen.codes, registry)?.copied().flatten();
        let anchors = part(&seen.anchors, AnchorKey { registry, issuer, root })?;
        let [anchor_at_head, anchor_settled] = anchors.copied().unwrap_or_default();
        let mut status = Vec::with_capacity(PURPOSES.len());
        for purpose in PURPOSES {
            if let Some([head, settled]) = part(&seen.statuses, StatusKey { registry, issuer, purpose })? {
                let [head, settled] = [head, settled].map(|bits| bits.at(receipt.status_index));
                status.push(StatusSeen { purpose, head, settled });
            }
        }
        let Self { chain, head, settled, finality, .. } = *self;
        Ok(Observation {
            chain,
            registry,
            code_hash,
            issuer,
            root,
            head,
            settled,
            finality,
            anchor_at_head,
            anchor_settled,
            status,
        })
    }
}

/// The newest block that is settled as `finality` says; `None` where that is the head itself.
async fn settled(endpoint: &Endpoint, finality: Finality) -> Result<Option<BlockRef>, Error> {
    let tag = match finality {
        Finality::Included => return Ok(None),
        Finality::Safe => BlockTag::Safe,
        Finality::Finalized => BlockTag::Finalized,
    };
    match endpoint.block(tag).await {
        // A young chain has no such block yet, which clients say in different ways: only its first one is settled.
        Err(Error::NoBlock { .. }) => endpoint.block(BlockTag::Number(0)).await.map(Some),
        Err(error @ Error::Rpc { .. }) if !error.is_transient() => endpoint.block(BlockTag::Number(0)).await.map(Some),
        block => block.map(Some),
    }
}

/// The bits behind each of two records (the newer first). A history that cannot be had leaves them unknown.
async fn trees(registry: &Registry, key: StatusKey, records: [StatusRecord; 2]) -> [Option<Arc<StatusTree>>; 2] {
    let [head, settled] = records;
    if head.root == Hash::ZERO && settled.root == Hash::ZERO {
        return [None, None];
    }
    let unknown =
        |error: &Error| tracing::warn!(issuer = %key.issuer, purpose = %key.purpose, %error, "status unknown");
    let walk = history::status_updates(registry, key.issuer, key.purpose, &head);
    let walked = tokio::time::timeout(PATIENCE, walk).await;
    let walked = walked.unwrap_or_else(|_| Err(Error::unusable(format!("no end of the history after {PATIENCE:?}"))));
    let Ok(updates) = walked.inspect_err(unknown) else { return [None, None] };
    let tree = |record: &StatusRecord| {
        let bits = (record.root != Hash::ZERO).then(|| history::rebuild(key.purpose, &updates, record))?;
        bits.inspect_err(unknown).ok().map(Arc::new)
    };
    let head_tree = tree(&head);
    let settled_tree = if settled == head { head_tree.clone() } else { tree(&settled) };
    [head_tree, settled_tree]
}

/// Reads each distinct key once, a few at a time.
async fn each<K, V, F>(keys: impl Iterator<Item = K>, read: impl Fn(K) -> F) -> HashMap<K, V>
where
    K: Copy + Eq + StdHash,
    F: Future<Output = V>,
{
    let distinct: HashSet<K> = keys.collect();
    let reads = distinct.into_iter().map(|key| {
        let value = read(key);
        async move { (key, value.await) }
    });
    stream::iter(reads).buffer_unordered(CONCURRENCY).collect().await
}

/// A part of what was seen; `None` where it was not asked for.
fn part<K: Eq + StdHash, V>(parts: &HashMap<K, Result<V, Error>>, key: K) -> Result<Option<&V>, Error> {
    parts.get(&key).map(|part| part.as_ref().map_err(Error::clone)).transpose()
}
