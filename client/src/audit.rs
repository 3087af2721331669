//! Everything that an issuer ever wrote to the registry, read back from the chain and checked: for the issuer itself,
//! which learns so of a stolen key, and for whoever wants to know whether it keeps the rules.
//!
//! Reading order: here, what is read → [`entry`], how it is told → [`known`], which anchors are expected →
//! [`watch`], what is new since the last time.

pub mod entry;
pub mod known;
pub mod watch;

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::{StreamExt, TryStreamExt, stream};
use testamur_chain::{
    BlockTag, Error, Follower, Registry, Roles,
    history::{self, Act, Anchored, Event, Place, StatusUpdate},
    observe,
};
use testamur_core::{
    Address, BlockNumber, ChainId, Hash, Purpose, UnixSeconds,
    observation::{BlockRef, Finality},
    status::delta,
};

use entry::{Entry, Flaw, What};

/// Blocks asked for at a time.
const CONCURRENCY: usize = 8;
/// How often a look is repeated when the chain is reorganised meanwhile.
const LOOKS: u32 = 3;

/// Reads one issuer's history, and what is new in it at every further look.
pub struct Auditor {
    registry: Registry,
    chain: ChainId,
    issuer: Address,
    /// The roots that the issuer knows of, where it says so.
    known: Option<HashSet<Hash>>,
    /// What is in blocks up to here is kept from look to look.
    settled: BlockNumber,
    anchors: Vec<Event<Anchored>>,
    acts: Vec<Event<Act>>,
    statuses: Vec<Status>,
    times: HashMap<Hash, UnixSeconds>,
}

/// The updates of one purpose, in the words that are told of them.
struct Status {
    purpose: Purpose,
    follower: Follower,
    updates: Vec<(u64, Place, What, Vec<Flaw>)>,
}

/// What an issuer wrote, as of one look.
pub struct Audit {
    /// The chain.
    pub chain: ChainId,
    /// The contract.
    pub registry: Address,
    /// The issuer.
    pub issuer: Address,
    /// The newest block.
    pub head: BlockRef,
    /// The newest finalized block.
    pub settled: BlockRef,
    /// In the order of their time.
    pub entries: Vec<Entry>,
    /// The status trees at the newest block.
    pub statuses: Vec<StatusNow>,
    /// Known roots that are not anchored.
    pub missing: Vec<Hash>,
    /// What could not be read, and why.
    pub gaps: Vec<(&'static str, Error)>,
}

/// The status of one purpose at the newest block.
pub struct StatusNow {
    /// Which bits.
    pub purpose: Purpose,
    /// Updates so far.
    pub epoch: u64,
    /// The root in the contract.
    pub root: Hash,
    /// How many bits are set; an error where that is unknown.
    pub set: Result<u64, Error>,
}

impl Audit {
    /// Everything that is wrong, with the entry that it is wrong with.
    pub fn flaws(&self) -> impl Iterator<Item = (&Entry, &Flaw)> {
        self.entries.iter().flat_map(|entry| entry.flaws.iter().map(move |flaw| (entry, flaw)))
    }
}

impl Auditor {
    /// Prepares to read. With `known`, every other anchor is a flaw.
    pub async fn new(
        registry: Registry,
        issuer: Address,
        purposes: impl IntoIterator<Item = Purpose>,
        known: Option<HashSet<Hash>>,
    ) -> Result<Self, Error> {
        let chain = registry.endpoint().chain_id().await?;
        let status = |purpose| Status { purpose, follower: Follower::new(issuer, purpose), updates: Vec::new() };
        let statuses = purposes.into_iter().map(status).collect();
        let (anchors, acts, settled, times) = (Vec::new(), Vec::new(), BlockNumber(0), HashMap::new());
        Ok(Self { registry, chain, issuer, known, settled, anchors, acts, statuses, times })
    }

    /// Reads what is new. An error where nothing at all can be told; parts that could not be read are gaps.
    pub async fn look(&mut self) -> Result<Audit, Error> {
        for _ in 0..LOOKS {
            match self.once().await {
                Err(Error::Reorganised { .. }) => {}
                looked => return looked,
            }
        }
        Err(Error::Reorganised { block: self.settled })
    }

    async fn once(&mut self) -> Result<Audit, Error> {
        let (head, settled) = observe::blocks(self.registry.endpoint(), Finality::Finalized).await?;
        let mut gaps = Vec::new();
        self.read_events(head, &mut gaps).await?;
        for status in &mut self.statuses {
            let advanced = status.advance(&self.registry, head, settled).await;
            gaps.extend(advanced.err().map(|error| ("status", error)));
        }
        let reorganised = gaps.iter().any(|(_, error)| matches!(error, Error::Reorganised { .. }));
        if reorganised || !self.registry.endpoint().has(head).await? {
            return Err(Error::Reorganised { block: head.number });
        }
        self.read_times().await?;
        let entries = self.entries(head, settled);
        self.settled = self.settled.max(settled.number);
        Ok(Audit {
            chain: self.chain,
            registry: self.registry.address(),
            issuer: self.issuer,
            head,
            settled,
            entries,
            statuses: self.statuses.iter().filter_map(Status::now).collect(),
            missing: self.missing(),
            gaps,
        })
    }

    /// The anchors and acts after those that are settled.
    async fn read_events(&mut self, head: BlockRef, gaps: &mut Vec<(&'static str, Error)>) -> Result<(), Error> {
        let Self { registry, issuer, settled, .. } = self;
        let newest = registry.last_blocks_of(*issuer, head.number.into()).await?;
        self.anchors.retain(|event| event.place.block <= *settled);
        match history::anchors_after(registry, *issuer, newest.anchor, *settled).await {
            Ok(events) => self.anchors.extend(events),
            Err(error) => gaps.push(("anchors", error)),
        }
        self.acts.retain(|event| event.place.block <= *settled);
        match history::acts_after(registry, *issuer, newest.act, *settled).await {
            Ok(events) => self.acts.extend(events),
            Err(error) => gaps.push(("acts", error)),
        }
        Ok(())
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        let updates = self.statuses.iter().flat_map(|status| status.updates.iter().map(|(_, place, _, _)| *place));
        let anchors = self.anchors.iter().map(|event| event.place);
        anchors.chain(self.acts.iter().map(|event| event.place)).chain(updates)
    }

    /// The times of all blocks that are not known yet.
    async fn read_times(&mut self) -> Result<(), Error> {
        let unknown: BTreeMap<_, _> = self
            .places()
            .filter(|place| !self.times.contains_key(&place.block_hash))
            .map(|place| (place.block, place.block_hash))
            .collect();
        let endpoint = self.registry.endpoint();
        let reads = unknown.into_iter().map(|(number, hash)| async move {
            let block = endpoint.block(BlockTag::from(number)).await?;
            if block.hash == hash { Ok((hash, block.time)) } else { Err(Error::Reorganised { block: number }) }
        });
        let read: Vec<_> = stream::iter(reads).buffer_unordered(CONCURRENCY).try_collect().await?;
        self.times.extend(read);
        Ok(())
    }

    fn entries(&self, head: BlockRef, settled: BlockRef) -> Vec<Entry> {
        let entry = |place: Place, what: What, flaws: Vec<Flaw>| Entry {
            time: self.times.get(&place.block_hash).copied().unwrap_or_default(),
            settled: place.block <= settled.number,
            place: Some(place),
            what,
            flaws,
        };
        let mut entries: Vec<_> = self
            .anchors
            .iter()
            .map(|event| {
                let Anchored { root, size } = event.what;
                let known = self.known.as_ref().map(|known| known.contains(&root));
                let flaws = if known == Some(false) { vec![Flaw::UnknownAnchor] } else { vec![] };
                entry(event.place, What::Anchored { root, size, known }, flaws)
            })
            .collect();
        for (_, place, what, flaws) in self.statuses.iter().flat_map(|status| &status.updates) {
            entries.push(entry(*place, what.clone(), flaws.clone()));
        }
        entries.extend(self.acts.iter().map(|event| entry(event.place, What::Act(event.what), vec![])));
        entries.extend(self.expired(head.time).map(|(operator, time)| Entry {
            time,
            settled: time <= settled.time,
            place: None,
            what: What::Expired { operator },
            flaws: vec![],
        }));
        // Stable: what fell into one block stays in the order of its kind.
        entries.sort_by_key(|entry| (entry.time, entry.place.map(|place| place.block)));
        entries
    }

    /// Operators whose time ran out before they were dismissed or appointed anew.
    fn expired(&self, now: UnixSeconds) -> impl Iterator<Item = (Address, UnixSeconds)> {
        let mut appointed = HashMap::new();
        let mut over = Vec::new();
        for event in &self.acts {
            let Act::OperatorSet { operator, roles, expires } = event.what else { continue };
            let time = self.times.get(&event.place.block_hash).copied().unwrap_or_default();
            over.extend(appointed.remove(&operator).filter(|&until| until <= time).map(|until| (operator, until)));
            if roles != Roles::default() && expires > time {
                appointed.insert(operator, expires);
            }
        }
        over.into_iter().chain(appointed.into_iter().filter(move |&(_, until)| until <= now))
    }

    fn missing(&self) -> Vec<Hash> {
        let anchored: HashSet<_> = self.anchors.iter().map(|event| event.what.root).collect();
        let mut missing: Vec<_> =
            self.known.iter().flatten().filter(|root| !anchored.contains(root)).copied().collect();
        missing.sort_unstable();
        missing
    }
}

impl Status {
    async fn advance(&mut self, registry: &Registry, head: BlockRef, settled: BlockRef) -> Result<(), Error> {
        let advance = self.follower.advance(registry, head, settled).await;
        if self.follower.view().is_none() {
            self.updates.clear(); // it begins again from nothing
        }
        let advance = advance?;
        self.updates.retain(|(epoch, ..)| !advance.undone.contains(epoch));
        for event in advance.applied {
            let epoch = event.what.epoch;
            let flaws = advance.findings.iter().filter(|finding| finding.epoch() == epoch);
            let flaws = flaws.cloned().map(Flaw::Status).collect();
            self.updates.push((epoch, event.place, self.told(event.what), flaws));
        }
        Ok(())
    }

    fn told(&self, StatusUpdate { epoch, root, delta }: StatusUpdate) -> What {
        let toggled = delta::decode(&delta).ok().map(|indices| indices.len() as u64);
        What::Updated { purpose: self.purpose, epoch, root, toggled }
    }

    fn now(&self) -> Option<StatusNow> {
        let at = self.follower.view()?.head;
        let set = at.bits().map(|tree| tree.set_bits().count() as u64);
        Some(StatusNow { purpose: self.purpose, epoch: at.record.epoch, root: at.record.root, set })
    }
}
