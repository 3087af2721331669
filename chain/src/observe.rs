//! One look at the chain with a verifier's own eyes: everything that `testamur_core::verify` wants to know.
//!
//! All reads of a look are made at the same two blocks, and afterwards the newer one must still be there:
//! a look is never half before and half after a reorganisation.

mod bits;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::Hash as StdHash,
};

use futures::{StreamExt, stream};
use testamur_core::{
    Address, ChainId, Hash, Purpose, Receipt, StatusIndex,
    observation::{AnchorRecord, BlockRef, Finality, Observation, StatusRecord, StatusSeen, Unseen},
};

use crate::{BlockTag, Endpoint, Error, Registry, contract};
use bits::{Bits, gather};
pub use bits::{BitsSource, Origin, Supply, Wanted};

/// Requests under way at a time.
const CONCURRENCY: usize = 8;
/// How often a look is repeated when the chain is reorganised meanwhile.
const LOOKS: u32 = 3;
const PURPOSES: [Purpose; 2] = [Purpose::REVOCATION, Purpose::SUSPENSION];

/// What was seen for a receipt, or why nothing could be, with the detail for people.
pub type Look = Result<Observation, (Unseen, String)>;

/// What was seen for a receipt, and what the status bits in it rest on.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// What was seen.
    pub look: Look,
    /// For each purpose that was read. Empty where nothing could be seen.
    pub origins: Vec<StatusOrigin>,
}

/// What the bits of one purpose rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusOrigin {
    /// Which bit.
    pub purpose: Purpose,
    /// At the observation's newest block.
    pub head: Origin,
    /// At its settled block.
    pub settled: Origin,
}

/// Looks at the chain for one receipt. `finality` says what counts as settled.
pub async fn observe(endpoint: &Endpoint, receipt: &Receipt, finality: Finality) -> Look {
    let mut looks = observe_many(endpoint, std::slice::from_ref(receipt), finality).await;
    looks.pop().expect("as many looks as receipts")
}

/// Looks at the chain once for many receipts; answers in their order. What they share is read once, and every status
/// bit is rebuilt from the chain.
pub async fn observe_many(endpoint: &Endpoint, receipts: &[Receipt], finality: Finality) -> Vec<Look> {
    observe_with(endpoint, receipts, finality, &[]).await.into_iter().map(|sighting| sighting.look).collect()
}

/// As [`observe_many`], but status bits are first asked of `sources`, in their order. What those supply counts only
/// under the root that is read from the chain here; what they leave open is rebuilt from the chain.
pub async fn observe_with(
    endpoint: &Endpoint,
    receipts: &[Receipt],
    finality: Finality,
    sources: &[&dyn BitsSource],
) -> Vec<Sighting> {
    let unseen = |error: Error| Sighting { look: Err((error.unseen(), error.to_string())), origins: Vec::new() };
    match look(endpoint, receipts, finality, sources).await {
        Ok(seen) => {
            let sighting = |(seen, origins)| Sighting { look: Ok(seen), origins };
            seen.into_iter().map(|seen| seen.map_or_else(unseen, sighting)).collect()
        }
        Err(error) => receipts.iter().map(|_| unseen(error.clone())).collect(),
    }
}

/// What was seen for one receipt.
type SeenFor = Result<(Observation, Vec<StatusOrigin>), Error>;

async fn look(
    endpoint: &Endpoint,
    receipts: &[Receipt],
    finality: Finality,
    sources: &[&dyn BitsSource],
) -> Result<Vec<SeenFor>, Error> {
    for _ in 0..LOOKS {
        let view = View::open(endpoint, finality).await?;
        let seen = view.read(receipts, sources).await;
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

impl<'a> View<'a> {
    async fn open(endpoint: &'a Endpoint, finality: Finality) -> Result<Self, Error> {
        let chain = endpoint.chain_id().await?;
        let (head, settled) = blocks(endpoint, finality).await?;
        Ok(Self { endpoint, chain, head, settled, finality })
    }

    async fn read(&self, receipts: &[Receipt], sources: &[&dyn BitsSource]) -> Seen {
        let ours = || receipts.iter().filter(|receipt| receipt.chain == self.chain);
        let codes = each(ours().map(|r| r.registry), |at| self.endpoint.code_hash(at, self.head.number.into())).await;
        // A look-alike contract is not asked anything: its answers mean nothing.
        let genuine = || ours().filter(|r| codes.get(&r.registry) == Some(&Ok(Some(contract::code_hash()))));
        let anchor_keys = genuine().map(|r| AnchorKey { registry: r.registry, issuer: r.issuer, root: r.root });
        let anchors = each(anchor_keys, |key| self.anchor(key)).await;
        let status_keys = genuine()
            .flat_map(|r| PURPOSES.map(|purpose| StatusKey { registry: r.registry, issuer: r.issuer, purpose }));
        let statuses = each(status_keys, |key| {
            let same = |r: &&Receipt| r.registry == key.registry && r.issuer == key.issuer;
            let indices: BTreeSet<_> = genuine().filter(same).map(|r| r.status_index).collect();
            self.status(key, indices.into_iter().collect(), sources)
        })
        .await;
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
    async fn status(
        &self,
        key: StatusKey,
        indices: Vec<StatusIndex>,
        sources: &[&dyn BitsSource],
    ) -> Result<[Bits; 2], Error> {
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
        let StatusKey { registry: at, issuer, purpose } = key;
        let wanted = Wanted { chain: self.chain, registry: at, issuer, purpose, record: head, settled: false, indices };
        Ok(gather(&registry, sources, wanted, [head, settled]).await)
    }

    fn observation(&self, seen: &Seen, receipt: &Receipt) -> SeenFor {
        let Receipt { chain, registry, issuer, root, .. } = *receipt;
        if chain != self.chain {
            return Err(Error::WrongChain { wanted: chain, served: self.chain });
        }
        let code_hash = part(&seen.codes, registry)?.copied().flatten();
        let anchors = part(&seen.anchors, AnchorKey { registry, issuer, root })?;
        let [anchor_at_head, anchor_settled] = anchors.copied().unwrap_or_default();
        let (mut status, mut origins) = (Vec::new(), Vec::new());
        for purpose in PURPOSES {
            if let Some([head, settled]) = part(&seen.statuses, StatusKey { registry, issuer, purpose })? {
                let [(head, head_origin), (settled, settled_origin)] =
                    [head, settled].map(|bits| bits.at(receipt.status_index));
                status.push(StatusSeen { purpose, head, settled });
                origins.push(StatusOrigin { purpose, head: head_origin, settled: settled_origin });
            }
        }
        let Self { chain, head, settled, finality, .. } = *self;
        let seen = Observation {
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
        };
        Ok((seen, origins))
    }
}

/// The newest block, and the newest that is settled as `finality` says.
pub async fn blocks(endpoint: &Endpoint, finality: Finality) -> Result<(BlockRef, BlockRef), Error> {
    // The settled block first: it is then never newer than the head, unless different servers answer.
    let settled = settled(endpoint, finality).await?;
    let head = endpoint.block(BlockTag::Latest).await?;
    Ok(match settled {
        None => (head, head),
        Some(settled) if settled.number > head.number => (settled, settled),
        Some(settled) => (head, settled),
    })
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
