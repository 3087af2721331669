//! The verifier's own views of chains: which endpoints are believed about which chain, and how many must agree, is the
//! verifier's to say, never a receipt's.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use testamur_chain::{
    Endpoint, Error, Quorum, Reading,
    observe::{BitsSource, Sighting, observe_with},
};
use testamur_core::{
    ChainId, Receipt, UnixSeconds,
    observation::{Finality, Unseen},
};

use crate::{
    evidence::Archives,
    past::Past,
    status::{StatusServer, Trouble},
};

/// Endpoints, the chains that they are for, and what they say that they serve; with whoever is asked for status bits.
#[derive(Debug, Default)]
pub struct Chains {
    members: Vec<Member>,
    needed: Option<usize>,
    reading: Reading,
    servers: Vec<StatusServer>,
    moment: Option<UnixSeconds>,
    archives: Option<Archives>,
}

#[derive(Debug)]
struct Member {
    endpoint: Endpoint,
    /// The chain that it is for, where the verifier says so.
    meant: Option<ChainId>,
    served: Result<ChainId, Error>,
}

impl Member {
    /// Whether it counts among those that must agree about a chain. Where nobody says what it is for, it might be for
    /// any: else an endpoint that falls silent, or claims to serve another chain, would lower the number that must
    /// agree, or be believed alone.
    fn counts_for(&self, chain: ChainId) -> bool {
        self.meant.is_none_or(|meant| meant == chain)
    }

    /// The chain that can be seen through it, as far as is known.
    fn chain(&self) -> Option<ChainId> {
        self.meant.or(self.served.as_ref().ok().copied())
    }
}

impl Chains {
    /// Asks every endpoint which chain it serves. It is given as a URL, or as `eip155:1=https://…` where it is for that
    /// chain alone. One that does not answer is kept in mind, and asked again with each look. [`Error::Url`] for a
    /// text that is no URL.
    ///
    /// About each chain a majority must agree of the endpoints that are for it, or may be: see
    /// [`Chains::with_quorum`].
    pub async fn connect(urls: &[String]) -> Result<Self, Error> {
        let meant = urls.iter().map(|text| meant(text)).collect::<Result<Vec<_>, _>>()?;
        let served = join_all(meant.iter().map(|(_, endpoint)| endpoint.chain_id())).await;
        let member = |((meant, endpoint), served)| Member { endpoint, meant, served };
        Ok(Self { members: meant.into_iter().zip(served).map(member).collect(), ..Self::default() })
    }

    /// Asks these servers for status bits first, in their order. What they leave open is rebuilt from the chain.
    pub fn with_servers(mut self, servers: Vec<StatusServer>) -> Self {
        self.servers = servers;
        self
    }

    /// So many endpoints must agree about a chain (`None`: a majority), and the contract is read in this way.
    pub fn with_quorum(mut self, needed: Option<usize>, reading: Reading) -> Self {
        (self.needed, self.reading) = (needed, reading);
        self
    }

    /// Looks into these archives first. Of what they do not show under a block that is trusted, the endpoints are asked,
    /// if there are any.
    pub fn with_evidence(mut self, archives: Archives) -> Self {
        self.archives = Some(archives);
        self
    }

    /// SHA-256 of each archive that is looked into.
    pub fn evidence(&self) -> &[testamur_core::Hash] {
        self.archives.as_ref().map(Archives::hashes).unwrap_or_default()
    }

    /// Looks back: everything is seen as it was at this moment. Blocks and anchors are agreed on or proven as ever; which
    /// bits were set at the moment is the word of one endpoint, whose events must lead to the root that all see now.
    pub fn at(mut self, moment: Option<UnixSeconds>) -> Self {
        self.moment = moment;
        self
    }

    /// The moment that is looked back to; `None`: now.
    pub fn moment(&self) -> Option<UnixSeconds> {
        self.moment
    }

    /// The chain that is meant where only one is served; `None` where it might be another. An error where no endpoint
    /// says which chain it serves.
    pub fn only(&self) -> Result<Option<ChainId>, Error> {
        let served = self.served();
        match (served.first(), self.silent()) {
            (None, Some(error)) => Err(error.clone()),
            (chain, _) => Ok(chain.copied().filter(|_| served.len() == 1)),
        }
    }

    /// What was wrong with the status servers since this was asked last.
    pub fn troubles(&self) -> Vec<Trouble> {
        self.servers.iter().flat_map(StatusServer::troubles).collect()
    }

    /// The endpoints that must agree about a chain; `None` where none is known to serve it.
    pub fn quorum(&self, chain: ChainId) -> Option<Quorum> {
        let members = self.members.iter().filter(|member| member.counts_for(chain));
        let quorum = Quorum::new(chain, members.map(|member| member.endpoint.clone()));
        self.served().contains(&chain).then(|| quorum.needing(self.needed).reading(self.reading))
    }

    /// Those who are asked for status bits first.
    pub fn sources(&self) -> Vec<&dyn BitsSource> {
        self.servers.iter().map(|server| server as _).collect()
    }

    /// Looks at the chains for all receipts together; answers in their order. It asks hardly more for ten thousand
    /// receipts of a few batches than for one: give it all receipts of a run.
    pub async fn observe(&self, receipts: &[&Receipt], finality: Finality) -> Vec<Sighting> {
        let Some(archives) = &self.archives else { return self.observe_live(receipts, finality).await };
        let mut seen = archives.observe(self, receipts, finality).await;
        let is_open = |(sighting, receipt): (&Sighting, &&Receipt)| {
            sighting.look.is_err() && self.quorum(receipt.chain).is_some()
        };
        let open: Vec<usize> = (0..seen.len()).filter(|&place| is_open((&seen[place], &receipts[place]))).collect();
        let left: Vec<&Receipt> = open.iter().map(|&place| receipts[place]).collect();
        for (place, sighting) in open.into_iter().zip(self.observe_live(&left, finality).await) {
            seen[place] = sighting;
        }
        seen
    }

    async fn observe_live(&self, receipts: &[&Receipt], finality: Finality) -> Vec<Sighting> {
        let mut places: BTreeMap<ChainId, Vec<usize>> = BTreeMap::new();
        for (place, receipt) in receipts.iter().enumerate() {
            places.entry(receipt.chain).or_default().push(place);
        }
        let mut seen: Vec<Option<Sighting>> = receipts.iter().map(|_| None).collect();
        for (chain, places) in places {
            let of_chain: Vec<&Receipt> = places.iter().map(|&place| receipts[place]).collect();
            for (place, sighting) in places.into_iter().zip(self.observe_chain(chain, &of_chain, finality).await) {
                seen[place] = Some(sighting);
            }
        }
        seen.into_iter().map(|sighting| sighting.expect("every receipt names a chain")).collect()
    }

    async fn observe_chain(&self, chain: ChainId, receipts: &[&Receipt], finality: Finality) -> Vec<Sighting> {
        let Some(quorum) = self.quorum(chain) else {
            let (unseen, detail) = self.no_view(chain);
            return receipts.iter().map(|_| Sighting::unseen(unseen, detail.clone())).collect();
        };
        let mut seen = observe_with(&quorum, receipts, finality, &self.sources()).await;
        if let Some(moment) = self.moment {
            let serve = self.members.iter().filter(|member| member.counts_for(chain) && member.served == Ok(chain));
            let mut past = Past::new(serve.map(|member| &member.endpoint), moment);
            let mut then = Vec::with_capacity(seen.len());
            for (receipt, sighting) in receipts.iter().zip(seen) {
                then.push(past.turn_back(receipt, sighting).await);
            }
            seen = then;
        }
        if self.members.iter().any(|member| member.meant.is_none() && member.chain().is_some_and(|id| id != chain)) {
            let hint = "say which chain each endpoint is for, as in eip155:1=URL";
            seen.iter_mut().filter_map(|sighting| sighting.look.as_mut().err()).for_each(|(_, detail)| {
                *detail = format!("{detail}; {hint}");
            });
        }
        seen
    }

    fn served(&self) -> BTreeSet<ChainId> {
        self.members.iter().filter_map(Member::chain).collect()
    }

    fn silent(&self) -> Option<&Error> {
        self.members.iter().find_map(|member| member.served.as_ref().err())
    }

    /// Why nothing can be seen of a chain.
    fn no_view(&self, wanted: ChainId) -> (Unseen, String) {
        if let Some(error) = self.silent() {
            return (error.unseen(), error.to_string());
        }
        let served: Vec<_> = self.served().into_iter().collect();
        let unseen = match served[..] {
            [served] => Unseen::OtherChain { wanted, served },
            _ => Unseen::NoEndpoint { wanted },
        };
        (unseen, format!("no --rpc serves {wanted}"))
    }
}

/// An endpoint, and the chain before it, if any.
fn meant(text: &str) -> Result<(Option<ChainId>, Endpoint), Error> {
    match text.split_once('=').map(|(chain, url)| (chain.trim().parse(), url)) {
        Some((Ok(chain), url)) => Ok((Some(chain), Endpoint::connect(url)?)),
        _ => Ok((None, Endpoint::connect(text)?)),
    }
}
