//! The verifier's own views of chains: which endpoint serves which chain is asked of the endpoint, never of a receipt.

use std::collections::BTreeMap;

use futures::future::join_all;
use testamur_chain::{Endpoint, Error, observe::Look, observe_many};
use testamur_core::{
    ChainId, Receipt,
    observation::{Finality, Unseen},
};

/// Endpoints by the chain that they really serve, and what became of those that did not say.
#[derive(Debug, Default)]
pub struct Chains {
    served: BTreeMap<ChainId, Vec<Endpoint>>,
    silent: Vec<Error>,
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

    /// Looks at the chains for all receipts together; answers in their order.
    pub async fn observe(&self, receipts: &[&Receipt], finality: Finality) -> Vec<Look> {
        let mut looks: Vec<Option<Look>> = receipts.iter().map(|_| None).collect();
        for (chain, endpoints) in &self.served {
            let places: Vec<usize> = (0..receipts.len()).filter(|&place| receipts[place].chain == *chain).collect();
            let of_chain: Vec<Receipt> = places.iter().map(|&place| receipts[place].clone()).collect();
            for (place, look) in places.into_iter().zip(observe_at_any(endpoints, &of_chain, finality).await) {
                looks[place] = Some(look);
            }
        }
        looks
            .into_iter()
            .zip(receipts)
            .map(|(look, receipt)| look.unwrap_or_else(|| Err(self.no_view(receipt))))
            .collect()
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

/// Asks the endpoints of one chain in their order, until one can be reached.
async fn observe_at_any(endpoints: &[Endpoint], receipts: &[Receipt], finality: Finality) -> Vec<Look> {
    let mut looks = Vec::new();
    if receipts.is_empty() {
        return looks;
    }
    for endpoint in endpoints {
        looks = observe_many(endpoint, receipts, finality).await;
        if !looks.iter().all(|look| matches!(look, Err((Unseen::Unreachable, _)))) {
            break;
        }
    }
    looks
}
