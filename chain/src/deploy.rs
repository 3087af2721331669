//! Puts the published `Registry` where it is on every chain: CREATE2 through the deterministic deployment proxy.

use std::time::Duration;

use alloy::primitives::{B256, address, keccak256};
use testamur_core::Address;

use crate::{
    BlockTag, Endpoint, Error, Key,
    contract::{abi, code_hash, from_alloy, to_alloy},
    transact::{self, Included},
};

/// The proxy of <https://github.com/Arachnid/deterministic-deployment-proxy>: takes salt and init code.
const PROXY: Address = Address(address!("4e59b44847b379578588920cA78FbF26c0B4956C").0.0);

/// Under this salt.
const SALT_TEXT: &[u8] = b"testamur.registry.v1";

/// What [`deploy`] found or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deployed {
    /// It was there already, with the published code.
    Already(Address),
    /// It was deployed now.
    Now(Address, Included),
}

impl Deployed {
    /// Where the registry is.
    pub fn address(&self) -> Address {
        let (Self::Already(address) | Self::Now(address, _)) = *self;
        address
    }
}

/// Where the published bytecode is, or would be, on every chain.
pub fn registry_address() -> Address {
    from_alloy(to_alloy(PROXY).create2(salt(), keccak256(&abi::BYTECODE)))
}

/// Deploys the registry unless it is there, and checks the code.
///
/// [`Error::NoProxy`] where the chain lacks the proxy; [`Error::WrongCode`] where something else is at the address.
pub async fn deploy(endpoint: &Endpoint, key: &Key, timeout: Duration) -> Result<Deployed, Error> {
    let address = registry_address();
    if is_deployed(endpoint, address).await? {
        return Ok(Deployed::Already(address));
    }
    if endpoint.code_hash(PROXY, BlockTag::Latest).await?.is_none() {
        return Err(Error::NoProxy { chain: endpoint.chain_id().await?, proxy: PROXY });
    }
    let calldata = [salt().as_slice(), &abi::BYTECODE].concat();
    let included = transact::send(endpoint, key, PROXY, &calldata, timeout).await?;
    if is_deployed(endpoint, address).await? {
        return Ok(Deployed::Now(address, included));
    }
    Err(Error::NoCode { registry: address, chain: endpoint.chain_id().await? })
}

async fn is_deployed(endpoint: &Endpoint, address: Address) -> Result<bool, Error> {
    match endpoint.code_hash(address, BlockTag::Latest).await? {
        Some(found) if found != code_hash() => Err(Error::WrongCode { registry: address, found }),
        found => Ok(found.is_some()),
    }
}

fn salt() -> B256 {
    keccak256(SALT_TEXT)
}
