//! What a verifier trusts and asks for. A receipt decides none of it.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::{Address, ChainId, Error, observation::Finality, registry};

/// Whether a check that could not be made stands in the way of *valid*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// Unknown gives *unverifiable*.
    Required,
    /// Unknown is told, and no more.
    Optional,
}

/// An organisation and the accounts that the verifier knows to be its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecognisedIssuer {
    /// What credentials call it in `issuer`: a DID or a URL. `None`: it is known for files only.
    #[serde(default)]
    pub id: Option<String>,
    /// What people call it.
    #[serde(default)]
    pub name: Option<String>,
    /// Its accounts, on whatever chain the policy accepts.
    pub accounts: Vec<Address>,
}

/// A verifier's policy. [`Policy::default`] trusts large public chains, the published registry, final blocks, and nobody by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Policy {
    /// Chains whose anchors count. Never a development chain unless named here.
    pub chains: Vec<ChainId>,
    /// Registries that count beside the published address. Their code must be the published code all the same.
    pub registries: Vec<Address>,
    /// How settled the anchor's block must be.
    pub finality: Finality,
    /// Organisations whose accounts are known.
    pub issuers: Vec<RecognisedIssuer>,
    /// Whether the account must be tied to the issuer that the credential names.
    pub issuer: Need,
    /// Whether the status must be known.
    pub status: Need,
    /// Whether the issuer must be among those that the verifier recognises, and not only be who it says.
    pub recognised: Need,
    /// Whether a document must be anchored. An anchor that is carried must be told in any case.
    pub anchor: Need,
    /// Whether a signature of the issuer's must hold beside the anchor. One that is false is a fault in any case.
    pub signature: Need,
    /// The greatest age of the newest block, in seconds, at which its status still counts. `None`: any.
    pub max_status_age: Option<u64>,
    /// The greatest age, in seconds, of what was seen of an issuer's identity (its DID document, say). `None`: any.
    pub max_identity_age: Option<u64>,
    /// The fewest statuses that a status list of any issuer may hold: among fewer, asking for a list tells which credential is meant.
    pub min_list_length: u64,
}

/// Ethereum, Optimism, Gnosis, Polygon, Base. Not Arbitrum: its contracts see other block numbers than its log queries,
/// so the status events cannot be walked back there.
const PUBLIC_CHAINS: [u64; 5] = [1, 10, 100, 137, 8453];

/// W3C Bitstring Status List, 3.2: a bitstring's length divided by `statusSize` is 131,072 at least.
const MIN_LIST_LENGTH: u64 = 131_072;

impl Default for Policy {
    fn default() -> Self {
        Self {
            chains: PUBLIC_CHAINS.map(ChainId).to_vec(),
            registries: Vec::new(),
            finality: Finality::Finalized,
            issuers: Vec::new(),
            issuer: Need::Required,
            status: Need::Required,
            recognised: Need::Optional,
            anchor: Need::Optional,
            signature: Need::Optional,
            max_status_age: None,
            max_identity_age: None,
            min_list_length: MIN_LIST_LENGTH,
        }
    }
}

impl Policy {
    /// Whether anchors on this chain count.
    pub fn accepts_chain(&self, chain: ChainId) -> bool {
        self.chains.contains(&chain)
    }

    /// Whether anchors in this contract count.
    pub fn accepts_registry(&self, address: Address) -> bool {
        address == registry::ADDRESS || self.registries.contains(&address)
    }

    /// The entries that recognise the issuer of this name.
    pub fn recognised<'a>(&'a self, named: &'a str) -> impl Iterator<Item = &'a RecognisedIssuer> {
        self.issuers.iter().filter(move |issuer| issuer.id.as_deref() == Some(named))
    }

    /// Whether a status list of so many bytes, inflated, is long enough; [`Error::ListTooShort`] where it is not.
    pub fn check_list_length(&self, bytes: usize, status_size: NonZeroU32) -> Result<(), Error> {
        let found = bytes as u64 * 8 / u64::from(status_size.get());
        let needed = self.min_list_length;
        if found < needed { Err(Error::ListTooShort { found, needed }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_list_is_refused_with_both_numbers() {
        let size = |bits| NonZeroU32::new(bits).expect("not zero");
        let mut policy = Policy::default();
        assert_eq!(policy.check_list_length(16_384, size(1)), Ok(()));
        let short = Error::ListTooShort { found: 65_536, needed: 131_072 };
        assert_eq!(policy.check_list_length(16_384, size(2)), Err(short.clone()));
        assert!(short.to_string().contains("65536") && short.to_string().contains("131072"), "{short}");
        policy.min_list_length = 8;
        assert_eq!(policy.check_list_length(1, size(1)), Ok(()));
    }
}
