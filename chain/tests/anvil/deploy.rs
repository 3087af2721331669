use std::time::Duration;

use serde_json::json;
use testamur_chain::{
    BlockTag, Error,
    deploy::{Deployed, deploy, registry_address},
};

use crate::chain::{CHAIN, Chain, PATIENCE, key};

const PROXY: &str = "0x4e59b44847b379578588920ca78fbf26c0b4956c";

#[tokio::test]
async fn the_registry_is_deployed_once_where_it_must_be() {
    let Some(chain) = Chain::start("the_registry_is_deployed_once_where_it_must_be") else { return };
    let first = deploy(&chain.endpoint, &key(0), PATIENCE).await.unwrap();
    let Deployed::Now(address, included) = first else { panic!("{first:?}") };
    assert_eq!(address, registry_address());
    assert!(included.receipt.success);
    let code = chain.endpoint.code_hash(address, BlockTag::Latest).await;
    assert_eq!(code, Ok(Some(testamur_core::registry::CODE_HASH)));
    // Whoever comes later needs neither money nor time.
    let again = deploy(&chain.endpoint, &key(1), Duration::ZERO).await;
    assert_eq!(again, Ok(Deployed::Already(address)));
}

#[tokio::test]
async fn what_stands_in_the_way_is_named() {
    let Some(chain) = Chain::start("what_stands_in_the_way_is_named") else { return };
    chain.ask("anvil_setCode", json!([PROXY, "0x"])).await;
    let proxy = PROXY.parse().unwrap();
    assert_eq!(deploy(&chain.endpoint, &key(0), PATIENCE).await, Err(Error::NoProxy { chain: CHAIN, proxy }));
    chain.ask("anvil_setCode", json!([registry_address(), "0x00"])).await;
    let squatted = deploy(&chain.endpoint, &key(0), PATIENCE).await;
    assert!(matches!(squatted, Err(Error::WrongCode { .. })), "{squatted:?}");
}
