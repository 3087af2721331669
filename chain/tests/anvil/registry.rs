use testamur_chain::{
    BlockTag::{self, Latest},
    Error, Registry, Roles,
    registry::{
        accept_controller_call, anchor_call, anchor_many_call, set_controller_call, set_operator_call,
        update_status_call, withdraw_call,
    },
    transact,
};
use testamur_core::{Address, BlockNumber, ChainId, Purpose, UnixSeconds};

use crate::chain::{CHAIN, Chain, PATIENCE, key, root};

#[tokio::test]
async fn anchors_are_written_and_read() {
    let Some(chain) = Chain::start("anchors_are_written_and_read") else { return };
    let registry = chain.registry().await;
    let (issuer, other) = (key(1).address(), key(2).address());
    assert_eq!(registry.anchor_of(issuer, root(1), Latest).await, Ok(None));

    let included = chain.send(&key(1), registry.address(), anchor_call(issuer, root(1), 5)).await;
    let anchor = registry.anchor_of(issuer, root(1), Latest).await.unwrap().unwrap();
    let block = chain.endpoint.block(Latest).await.unwrap();
    assert_eq!((anchor.block, anchor.time, anchor.size, anchor.withdrawn), (block.number, block.time, 5, false));
    assert_eq!(registry.anchor_of(other, root(1), Latest).await, Ok(None), "another issuer's");
    let before = BlockTag::Number(anchor.block.0 - 1);
    assert_eq!(registry.anchor_of(issuer, root(1), before).await, Ok(None));

    let log = registry.anchored_log(issuer, root(1), anchor.block).await.unwrap().unwrap();
    assert_eq!((log.transaction, log.block_hash, log.size), (included.hash, block.hash, 5));
    assert_eq!(registry.anchored_log(issuer, root(2), anchor.block).await, Ok(None));

    let batches = [(issuer, root(2), 6), (issuer, root(3), 7)];
    chain.send(&key(1), registry.address(), anchor_many_call(&batches)).await;
    assert_eq!(registry.anchor_of(issuer, root(3), Latest).await.unwrap().unwrap().size, 7);

    chain.send(&key(1), registry.address(), withdraw_call(issuer, root(1), 9)).await;
    assert!(registry.anchor_of(issuer, root(1), Latest).await.unwrap().unwrap().withdrawn);
    let last = registry.last_blocks_of(issuer, Latest).await.unwrap();
    assert_eq!((last.anchor, last.act), (BlockNumber(anchor.block.0 + 1), BlockNumber(anchor.block.0 + 2)));
}

#[tokio::test]
async fn who_may_write_is_read() {
    let Some(chain) = Chain::start("who_may_write_is_read") else { return };
    let registry = chain.registry().await;
    let (issuer, operator) = (key(1).address(), key(2).address());
    let may = async |who, roles| registry.is_authorized(issuer, who, roles, Latest).await.unwrap();
    assert!(may(issuer, Roles::CONTROL).await && !may(operator, Roles::ANCHOR).await);

    let expires = UnixSeconds(4_000_000_000);
    let roles = Roles::ANCHOR.with(Roles::REVOKE);
    chain.send(&key(1), registry.address(), set_operator_call(issuer, operator, roles, expires)).await;
    let appointed = registry.operator_of(issuer, operator, Latest).await.unwrap();
    assert_eq!((appointed.roles, appointed.expires), (roles, expires));
    assert!(may(operator, Roles::ANCHOR).await && may(operator, roles).await);
    assert!(!may(operator, Roles::WITHDRAW).await && !may(operator, Roles::CONTROL).await);

    assert_eq!(registry.controller_of(issuer, Latest).await, Ok(issuer));
    chain.send(&key(1), registry.address(), set_controller_call(issuer, Some(operator))).await;
    assert_eq!(registry.pending_controller_of(issuer, Latest).await, Ok(Some(operator)));
    chain.send(&key(2), registry.address(), accept_controller_call(issuer)).await;
    assert_eq!(registry.controller_of(issuer, Latest).await, Ok(operator));
    assert_eq!(registry.pending_controller_of(issuer, Latest).await, Ok(None));
}

#[tokio::test]
async fn refusals_name_their_reason() {
    let Some(chain) = Chain::start("refusals_name_their_reason") else { return };
    let registry = chain.registry().await;
    let (issuer, stranger) = (key(1).address(), key(2).address());
    chain.send(&key(1), registry.address(), anchor_call(issuer, root(1), 1)).await;
    chain.send(&key(1), registry.address(), withdraw_call(issuer, root(1), 0)).await;
    let refused = [
        (2, anchor_call(issuer, root(2), 1), format!("NotAuthorized({stranger} is neither the controller of {issuer}")),
        (1, anchor_call(issuer, root(1), 1), format!("AlreadyAnchored(issuer {issuer}, root {})", root(1))),
        (1, anchor_call(issuer, root(2), 0), format!("EmptyBatch(issuer {issuer}, root {})", root(2))),
        (1, withdraw_call(issuer, root(2), 0), format!("NotAnchored(issuer {issuer}, root {})", root(2))),
        (1, withdraw_call(issuer, root(1), 0), format!("AlreadyWithdrawn(issuer {issuer}, root {})", root(1))),
        (
            1,
            update_status_call(issuer, Purpose::REVOCATION, 3, root(2), &[]),
            "WrongEpoch(expected 1, given 3)".to_owned(),
        ),
        (1, set_operator_call(issuer, stranger, Roles(8), UnixSeconds(1)), "UnknownRoles(8)".to_owned()),
        (2, accept_controller_call(issuer), format!("NotProposed({stranger} is not proposed as controller")),
    ];
    for (who, calldata, reason) in refused {
        let nonce = chain.endpoint.nonce(key(who).address(), Latest).await;
        let sent = transact::send(&chain.endpoint, &key(who), registry.address(), &calldata, PATIENCE).await;
        let Err(Error::Reverted { error }) = sent else { panic!("{reason}: {sent:?}") };
        assert!(error.starts_with(&reason), "{error} instead of {reason}");
        assert_eq!(chain.endpoint.nonce(key(who).address(), Latest).await, nonce, "nothing was sent");
    }
}

#[tokio::test]
async fn no_contract_and_another_contract_are_told_apart() {
    let Some(chain) = Chain::start("no_contract_and_another_contract_are_told_apart") else { return };
    let address = testamur_chain::deploy::registry_address();
    let endpoint = &chain.endpoint;
    let missing = Error::NoCode { registry: address, chain: CHAIN };
    assert_eq!(Registry::open(endpoint.clone(), address, CHAIN).await.err(), Some(missing.clone()));
    let blind = Registry::new(endpoint.clone(), address);
    assert_eq!(blind.anchor_of(address, root(1), Latest).await, Err(missing));

    let registry = chain.registry().await;
    assert!(Registry::open(endpoint.clone(), registry.address(), CHAIN).await.is_ok());
    let wrong_chain = Registry::open(endpoint.clone(), address, ChainId(1)).await.err();
    assert!(matches!(wrong_chain, Some(Error::WrongChain { .. })), "{wrong_chain:?}");
    let proxy: Address = "0x4e59b44847b379578588920cA78FbF26c0B4956C".parse().unwrap();
    let other = Registry::open(endpoint.clone(), proxy, CHAIN).await.err();
    assert!(matches!(other, Some(Error::WrongCode { .. })), "{other:?}");
    let nonsense = Registry::new(endpoint.clone(), proxy).anchor_of(address, root(1), Latest).await;
    assert!(nonsense.is_err(), "{nonsense:?}");
}
