//! One look at the chain with a verifier's own eyes: everything that `testamur_core::verify` wants to know.
//!
//! All reads of a look are made at the same two blocks, on whose hashes enough endpoints agree ([`crate::quorum`]), and
//! afterwards the newer one must still be there: a look is never half before and half after a reorganisation.

mod bits;
mod parts;
mod prove;
mod read;

use std::{
    borrow::Borrow,
    collections::{BTreeSet, HashMap},
    hash::Hash as StdHash,
    sync::Arc,
};

use futures::{StreamExt, stream};
use testamur_core::{
    Address, Hash, Purpose, Receipt, StatusIndex,
    observation::{BlockRef, Finality, Observation, StatusSeen, Unseen},
};

use crate::{
    BlockTag, Endpoint, Error, Registry,
    quorum::{Basis, Footing, Grounds, Quorum},
};
use bits::{Bits, gather};
pub use bits::{BitsSource, Origin, Supply, Wanted};
use parts::{Part, Records, StatusKey, Wants};
pub use prove::{Proofs, prove};
use read::{Contents, read};

/// Requests under way at a time.
const CONCURRENCY: usize = 8;
/// How often a look is repeated when the chain is reorganised meanwhile.
const LOOKS: u32 = 3;

/// What was seen for a receipt, or why nothing could be, with the detail for people.
pub type Look = Result<Observation, (Unseen, String)>;

/// What was seen for a receipt, and what that rests on.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// What was seen.
    pub look: Look,
    /// What the status bits rest on, for each purpose that was read. Empty where nothing could be seen.
    pub origins: Vec<StatusOrigin>,
    /// Who said what is the chain's, shared by the receipts of a look. `None` where nothing could be seen.
    pub basis: Option<Arc<Basis>>,
}

impl Sighting {
    /// Nothing was seen.
    pub fn unseen(unseen: Unseen, detail: String) -> Self {
        Self { look: Err((unseen, detail)), origins: Vec::new(), basis: None }
    }
}

impl From<Error> for Sighting {
    fn from(error: Error) -> Self {
        Self::unseen(error.unseen(), error.to_string())
    }
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
pub async fn observe(quorum: &Quorum, receipt: &Receipt, finality: Finality) -> Look {
    let mut looks = observe_many(quorum, &[receipt], finality).await;
    looks.pop().expect("as many looks as receipts")
}

/// Looks at the chain once for many receipts; answers in their order. What they share is read once, and every status
/// bit is rebuilt from the chain.
pub async fn observe_many(quorum: &Quorum, receipts: &[impl Borrow<Receipt>], finality: Finality) -> Vec<Look> {
    observe_with(quorum, receipts, finality, &[]).await.into_iter().map(|sighting| sighting.look).collect()
}

/// As [`observe_many`], but status bits are first asked of `sources`, in their order. What those supply counts only
/// under the root that is read from the chain here; what they leave open is rebuilt from the chain.
///
/// For ten thousand receipts this asks hardly more than for one, if they are of a few batches: give it all of them.
pub async fn observe_with(
    quorum: &Quorum,
    receipts: &[impl Borrow<Receipt>],
    finality: Finality,
    sources: &[&dyn BitsSource],
) -> Vec<Sighting> {
    let receipts: Vec<&Receipt> = receipts.iter().map(Borrow::borrow).collect();
    match look(quorum, &receipts, finality, sources).await {
        Ok(seen) => seen,
        Err(error) => receipts.iter().map(|_| error.clone().into()).collect(),
    }
}

async fn look(
    quorum: &Quorum,
    receipts: &[&Receipt],
    finality: Finality,
    sources: &[&dyn BitsSource],
) -> Result<Vec<Sighting>, Error> {
    for _ in 0..LOOKS {
        let view = View { quorum, footing: quorum.footing(finality).await?, finality };
        let seen = view.read(receipts, sources).await;
        if quorum.has(&view.footing.head).await? {
            let basis = Arc::new(view.basis(&seen));
            return Ok(receipts.iter().map(|receipt| view.sighting(&seen, receipt, &basis)).collect());
        }
    }
    Err(Error::unusable("the chain was reorganised during every look at it"))
}

/// The two blocks at which everything is read, and through whom.
struct View<'a> {
    quorum: &'a Quorum,
    footing: Footing,
    finality: Finality,
}

/// What receipts may share, each part read once. A part that could not be read keeps its error.
struct Seen {
    contracts: HashMap<Address, Result<Contract, Error>>,
    statuses: HashMap<StatusKey, Result<[Bits; 2], Error>>,
}

/// What one registry holds at the head and at the settled block.
struct Contract {
    code_hash: Option<Hash>,
    head: Records,
    settled: Records,
    grounds: Grounds,
}

impl View<'_> {
    async fn read(&self, receipts: &[&Receipt], sources: &[&dyn BitsSource]) -> Seen {
        let Wants { parts, indices } = Wants::of(self.quorum.chain(), receipts);
        let contracts = each(parts, |registry, parts| self.contract(registry, parts)).await;
        let statuses = each(indices, |key, indices| self.status(contracts.get(&key.registry), key, indices, sources));
        let statuses = statuses.await.into_iter().filter_map(|(key, bits)| Some((key, bits.transpose()?))).collect();
        Seen { contracts, statuses }
    }

    /// A registry at the head and, where that does not tell the settled state, at the settled block.
    async fn contract(&self, registry: Address, parts: BTreeSet<Part>) -> Result<Contract, Error> {
        let Contents { code_hash, records: head, mut grounds } =
            read(self.quorum, &self.footing.head, registry, &parts).await?;
        let (mut settled, mut open) = (Records::default(), BTreeSet::new());
        for (part, record) in &head.0 {
            match record {
                Ok(record) => match record.earlier(self.footing.settled.value.number) {
                    Some(earlier) => _ = settled.0.insert(*part, Ok(earlier)),
                    None => _ = open.insert(*part),
                },
                Err(error) => _ = settled.0.insert(*part, Err(error.clone())),
            }
        }
        if !open.is_empty() {
            match read(self.quorum, &self.footing.settled, registry, &open).await {
                Ok(contents) => {
                    // Where nothing was read, the contract was deployed since.
                    settled.0.extend(open.iter().map(|part| (*part, Ok(part.unwritten()))));
                    settled.0.extend(contents.records.0);
                    grounds.add(contents.grounds);
                }
                Err(error) => settled.0.extend(open.iter().map(|part| (*part, Err(error.clone())))),
            }
        }
        Ok(Contract { code_hash, head, settled, grounds })
    }

    /// The status bits at the head and at the settled block; `None` where the registry is not asked.
    async fn status(
        &self,
        contract: Option<&Result<Contract, Error>>,
        key: StatusKey,
        indices: BTreeSet<StatusIndex>,
        sources: &[&dyn BitsSource],
    ) -> Result<Option<[Bits; 2]>, Error> {
        let Some(Ok(contract)) = contract else { return Ok(None) };
        let StatusKey { registry, issuer, purpose } = key;
        let at = |records: &Records| records.status(issuer, purpose);
        let (Some(head), Some(settled)) = (at(&contract.head)?, at(&contract.settled)?) else { return Ok(None) };
        let wanted = key.wanted(self.quorum.chain(), head, false, &indices);
        let through = |endpoint: &Endpoint| Registry::new(endpoint.clone(), registry);
        let registries: Vec<_> = self.footing.head.by.iter().map(through).collect();
        Ok(Some(gather(&registries, sources, wanted, [head, settled]).await))
    }

    fn sighting(&self, seen: &Seen, receipt: &Receipt, basis: &Arc<Basis>) -> Sighting {
        match self.observation(seen, receipt) {
            Ok((seen, origins)) => Sighting { look: Ok(seen), origins, basis: Some(basis.clone()) },
            Err(error) => error.into(),
        }
    }

    fn observation(&self, seen: &Seen, receipt: &Receipt) -> Result<(Observation, Vec<StatusOrigin>), Error> {
        let Receipt { chain, registry, issuer, root, .. } = *receipt;
        if chain != self.quorum.chain() {
            return Err(Error::WrongChain { wanted: chain, served: self.quorum.chain() });
        }
        let Contract { code_hash, head, settled, .. } = seen.contracts[&registry].as_ref().map_err(Error::clone)?;
        let (anchor_at_head, anchor_settled) = (head.anchor(issuer, root)?, settled.anchor(issuer, root)?);
        let (mut status, mut origins) = (Vec::new(), Vec::new());
        for key in StatusKey::all(receipt) {
            if let Some(bits) = seen.statuses.get(&key) {
                let purpose = key.purpose;
                let bits = bits.as_ref().map_err(Error::clone)?;
                let [(head, head_origin), (settled, settled_origin)] =
                    bits.each_ref().map(|bits| bits.at(receipt.status_index));
                status.push(StatusSeen { purpose, head, settled });
                origins.push(StatusOrigin { purpose, head: head_origin, settled: settled_origin });
            }
        }
        let seen = Observation {
            chain,
            registry,
            code_hash: *code_hash,
            issuer,
            root,
            head: self.footing.head.value,
            settled: self.footing.settled.value,
            finality: self.finality,
            anchor_at_head,
            anchor_settled,
            status,
        };
        Ok((seen, origins))
    }

    fn basis(&self, seen: &Seen) -> Basis {
        let mut grounds = Grounds::default();
        for contract in seen.contracts.values().flatten() {
            grounds.add(contract.grounds.clone());
        }
        Basis::new(self.quorum, &self.footing, grounds)
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

/// Reads something for each key, a few at a time.
async fn each<K, A, V, F>(keys: HashMap<K, A>, read: impl Fn(K, A) -> F) -> HashMap<K, V>
where
    K: Copy + Eq + StdHash,
    F: Future<Output = V>,
{
    let reads = keys.into_iter().map(|(key, asked)| {
        let value = read(key, asked);
        async move { (key, value.await) }
    });
    stream::iter(reads).buffer_unordered(CONCURRENCY).collect().await
}
