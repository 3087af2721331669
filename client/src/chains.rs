//! The verifier's own views of chains: which endpoint serves which chain is asked of the endpoint, never of a receipt.

use std::collections::BTreeMap;

use futures::future::join_all;
use testamur_chain::{
    Endpoint, Error,
    observe::{BitsSource, Look, Sighting, observe_with},
};
use testamur_core::{
    ChainId, Receipt, UnixSeconds,
    observation::{Finality, Unseen},
};

use crate::{
    past::Past,
    status::{StatusServer, Trouble},
};

/// Endpoints by the chain that they really serve, and what became of those that did not say; with whoever is asked
/// for status bits.
#[derive(Debug, Default)]
pub struct Chains {
    served: BTreeMap<ChainId, Vec<Endpoint>>,
    silent: Vec<Error>,
    servers: Vec<StatusServer>,
    moment: Option<UnixSeconds>,
}

impl Chains {
    /// Asks every URL which chain it serves. One that does not answer is kept in mind: what it might have served is
    /// then *unreachable*. [`Error::Url`] for a text that is no URL.
    pub async fn connect(urls: &[String]) -> Result<Self, Error> {
        let endpoints = urls.iter().map(|url| Endpoint::connect(url)).collect::<Result<Vec<_>, _>>()?;
        let ids = join_all(endpoints.iter().map(Endpoint::chain_id)).await;
        let mut chains = Self::default();
        for (endpoint, id) in endpoints.into_iter().zip(ids) {
            match id {
                Ok(id) => chains.served.entry(id).or_default().push(endpoint),
                Err(error) => chains.silent.push(error),
            }
        }
        Ok(chains)
    }

    /// Asks these servers for status bits first, in their order. What they leave open is rebuilt from the chain.
    pub fn with_servers(mut self, servers: Vec<StatusServer>) -> Self {
        self.servers = servers;
        self
    }

    /// Looks back: everything is seen as it was at this moment.
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
        match (self.served.keys().next(), self.silent.first()) {
            (None, Some(error)) => Err(error.clone()),
            (served, _) => Ok(served.copied().filter(|_| self.served.len() == 1)),
        }
    }

    /// What was wrong with the status servers since this was asked last.
    pub fn troubles(&self) -> Vec<Trouble> {
        self.servers.iter().flat_map(StatusServer::troubles).collect()
    }

    /// Looks at the chains for all receipts together; answers in their order.
    pub async fn observe(&self, receipts: &[&Receipt], finality: Finality) -> Vec<Sighting> {
        let mut seen: Vec<Option<Sighting>> = receipts.iter().map(|_| None).collect();
        for (chain, endpoints) in &self.served {
            let places: Vec<usize> = (0..receipts.len()).filter(|&place| receipts[place].chain == *chain).collect();
            let of_chain: Vec<Receipt> = places.iter().map(|&place| receipts[place].clone()).collect();
            for (place, sighting) in places.into_iter().zip(self.at_any(endpoints, &of_chain, finality).await) {
                seen[place] = Some(sighting);
            }
        }
        let unseen = |receipt| Sighting { look: Err(self.no_view(receipt)), origins: Vec::new() };
        seen.into_iter().zip(receipts).map(|(seen, receipt)| seen.unwrap_or_else(|| unseen(receipt))).collect()
    }

    /// Asks the endpoints of one chain in their order, until one can be reached.
    async fn at_any(&self, endpoints: &[Endpoint], receipts: &[Receipt], finality: Finality) -> Vec<Sighting> {
        let sources: Vec<&dyn BitsSource> = self.servers.iter().map(|server| server as _).collect();
        let mut seen = Vec::new();
        if receipts.is_empty() {
            return seen;
        }
        for endpoint in endpoints {
            seen = observe_with(endpoint, receipts, finality, &sources).await;
            if let Some(moment) = self.moment {
                seen = turn_back(endpoint, receipts, seen, moment).await;
            }
            if !seen.iter().all(|sighting| is_unreachable(&sighting.look)) {
                break;
            }
        }
        seen
    }

    /// Why nothing can be seen of a receipt's chain.
    fn no_view(&self, receipt: &Receipt) -> (Unseen, String) {
        let wanted = receipt.chain;
        if let Some(error) = self.silent.first() {
            return (error.unseen(), error.to_string());
        }
        match self.served.keys().next() {
            Some(&served) if self.served.len() == 1 => {
                (Unseen::OtherChain { wanted, served }, format!("no --rpc serves {wanted}"))
            }
            _ => (Unseen::NoEndpoint { wanted }, format!("no --rpc serves {wanted}")),
        }
    }
}

async fn turn_back(
    endpoint: &Endpoint,
    receipts: &[Receipt],
    seen: Vec<Sighting>,
    moment: UnixSeconds,
) -> Vec<Sighting> {
    let mut past = Past::new(endpoint, moment);
    let mut then = Vec::with_capacity(seen.len());
    for (receipt, sighting) in receipts.iter().zip(seen) {
        then.push(past.turn_back(receipt, sighting).await);
    }
    then
}

fn is_unreachable(look: &Look) -> bool {
    matches!(look, Err((Unseen::Unreachable, _)))
}
