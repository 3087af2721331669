use std::{sync::Arc, time::Duration};

use futures::FutureExt;
use serde_json::json;
use testamur_chain::{
    BlockTag::Latest,
    Error, Roles, SendError,
    registry::{anchor_call, set_operator_call},
    transact,
};
use testamur_core::UnixSeconds;

use crate::{
    chain::{Chain, PATIENCE, key, root, until},
    proxy::{Reply, proxy},
};

#[tokio::test]
async fn a_lost_reply_neither_repeats_nor_loses_the_act() {
    let Some(chain) = Chain::start("a_lost_reply_neither_repeats_nor_loses_the_act") else { return };
    let registry = chain.registry().await;
    let issuer = key(1);
    let lossy = proxy(&chain.endpoint, |method, _| {
        let late = method == "eth_sendRawTransaction";
        async move { if late { Reply::LateStatus(502) } else { Reply::Honest } }.boxed()
    })
    .await;
    let call = anchor_call(issuer.address(), root(1), 1);
    let included = transact::send(&lossy, &issuer, registry.address(), &call, PATIENCE).await.unwrap();
    assert!(included.receipt.success);
    assert_eq!(chain.endpoint.nonce(issuer.address(), Latest).await, Ok(1));
}

#[tokio::test]
async fn what_is_late_and_what_fails_in_its_block_is_told() {
    let Some(chain) = Chain::start("what_is_late_and_what_fails_in_its_block_is_told") else { return };
    let registry = chain.registry().await;
    let (issuer, operator, to) = (key(1), key(2), registry.address());
    let appoint = set_operator_call(issuer.address(), operator.address(), Roles::ANCHOR, UnixSeconds(u64::MAX));
    chain.send(&issuer, to, appoint).await;
    chain.automine(false).await;
    let call = anchor_call(issuer.address(), root(1), 1);

    let late = transact::send(&chain.endpoint, &issuer, to, &call, Duration::ZERO).await;
    assert!(matches!(late, Err(Error::NotIncluded { seconds: 0, .. })), "{late:?}");

    // The same batch by another account: the simulation passes, the block decides.
    let endpoint = chain.endpoint.clone();
    let second = tokio::spawn(async move { transact::send(&endpoint, &operator, to, &call, PATIENCE).await });
    until("both wait", async || chain.ask("txpool_status", json!([])).await["pending"] == "0x2").await;
    chain.mine(1).await;
    let failed = second.await.unwrap();
    let Err(Error::Failed { reason, .. }) = failed else { panic!("{failed:?}") };
    assert!(reason.contains("AlreadyAnchored"), "{reason}");
}

#[tokio::test]
async fn an_account_without_money_is_told_so() {
    let Some(chain) = Chain::start("an_account_without_money_is_told_so") else { return };
    let registry = chain.registry().await;
    let issuer = Arc::new(key(1));
    chain.ask("anvil_setBalance", json!([issuer.address(), "0x1"])).await;
    let call = anchor_call(issuer.address(), root(1), 1);
    let poor = transact::send(&chain.endpoint, &issuer, registry.address(), &call, PATIENCE).await;
    assert_eq!(poor, Err(Error::NotSent(Box::new(SendError::InsufficientFunds))));
}
