use serde_json::json;
use testamur_chain::{BlockTag, Endpoint, Error, SendError, sign};
use testamur_core::{Address, ChainId, Hash, UnixSeconds};

use crate::{
    chain::{CHAIN, Chain, fees, key, until},
    proxy::constant,
};

#[tokio::test]
async fn a_chain_is_read() {
    let Some(chain) = Chain::start("a_chain_is_read") else { return };
    let endpoint = &chain.endpoint;
    chain.mine(3).await;

    assert_eq!(endpoint.chain_id().await, Ok(CHAIN));
    assert_eq!(endpoint.require_chain(CHAIN).await, Ok(()));
    let wrong = Error::WrongChain { wanted: ChainId(1), served: CHAIN };
    assert_eq!(endpoint.require_chain(ChainId(1)).await, Err(wrong));

    let head = endpoint.block(BlockTag::Latest).await.unwrap();
    assert_eq!(head.number.0, 3);
    assert!(head.time > UnixSeconds(1_700_000_000));
    assert_eq!(endpoint.block(BlockTag::Number(3)).await, Ok(head));
    assert_eq!(endpoint.block(BlockTag::Number(9)).await, Err(Error::NoBlock { wanted: "0x9".to_owned() }));
    assert_eq!(endpoint.block(BlockTag::Finalized).await.unwrap().number.0, 0);

    let (rich, poor) = (key(0).address(), Address([7; 20]));
    assert_eq!(endpoint.balance(rich).await, Ok(10_000 * 10_u128.pow(18)));
    assert_eq!(endpoint.balance(poor).await, Ok(0));
    assert_eq!(endpoint.nonce(rich, BlockTag::Latest).await, Ok(0));
    assert_eq!(endpoint.code_hash(poor, BlockTag::Latest).await, Ok(None));
    let fees = endpoint.fees().await.unwrap();
    assert!(fees.base_fee > 0 && fees.priority >= 1_000_000, "{fees:?}");
    assert_eq!(endpoint.estimate_gas(rich, poor, &[]).await, Ok(21_000));
    assert!(!endpoint.tx_known(Hash([1; 32])).await.unwrap());
    assert_eq!(endpoint.tx_receipt(Hash([1; 32])).await, Ok(None));
    let refused = endpoint.request::<()>("eth_nonsense", json!([])).await;
    assert!(matches!(refused, Err(Error::Rpc { code: -32601, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_transaction_is_sent_once_however_often_it_is_sent() {
    let Some(chain) = Chain::start("a_transaction_is_sent_once_however_often_it_is_sent") else { return };
    let endpoint = &chain.endpoint;
    let (sender, to) = (key(0), Address([7; 20]));
    chain.automine(false).await;
    let signed = |nonce, gwei: u128| {
        let bid = fees(gwei * 1_000_000_000, 1_000_000_000);
        sign(&sender, nonce, bid, 21_000, to, &[], CHAIN)
    };
    let first = signed(0, 10);
    assert_eq!(first, signed(0, 10), "the same arguments give the same bytes");
    assert_eq!(endpoint.send_raw(&first.raw).await, Ok(first.hash));
    assert_eq!(endpoint.send_raw(&first.raw).await, Err(SendError::AlreadyKnown));
    assert!(endpoint.tx_known(first.hash).await.unwrap());
    assert_eq!(endpoint.tx_receipt(first.hash).await, Ok(None));

    let cheaper = sign(&sender, 0, fees(9_000_000_000, 900_000_000), 21_000, to, &[], CHAIN);
    assert_eq!(endpoint.send_raw(&cheaper.raw).await, Err(SendError::Underpriced));
    let below_the_base_fee = sign(&sender, 1, fees(1, 1), 21_000, to, &[], CHAIN);
    assert_eq!(endpoint.send_raw(&below_the_base_fee.raw).await, Err(SendError::Underpriced));
    let other_chain = sign(&sender, 1, fees(10_000_000_000, 1), 21_000, to, &[], ChainId(1));
    assert!(matches!(endpoint.send_raw(&other_chain.raw).await, Err(SendError::Other(Error::Rpc { .. }))));

    chain.mine(1).await;
    until("the receipt", async || endpoint.tx_receipt(first.hash).await.unwrap().is_some()).await;
    let receipt = endpoint.tx_receipt(first.hash).await.unwrap().unwrap();
    let block = endpoint.block(receipt.block.into()).await.unwrap();
    assert_eq!((receipt.block_hash, receipt.success, receipt.gas_used), (block.hash, true, 21_000));
    assert_eq!(endpoint.send_raw(&cheaper.raw).await, Err(SendError::NonceTooLow));
    assert_eq!(endpoint.nonce(sender.address(), BlockTag::Latest).await, Ok(1));
    assert_eq!(endpoint.nonce(sender.address(), BlockTag::Number(0)).await, Ok(0));

    chain.ask("anvil_setBalance", json!([sender.address(), "0x1"])).await;
    assert_eq!(endpoint.send_raw(&signed(1, 10).raw).await, Err(SendError::InsufficientFunds));
}

#[tokio::test]
async fn what_fails_is_told_apart() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = Endpoint::connect(&format!("http://key:secret@{unused}/secret")).unwrap();
    let error = nobody.chain_id().await.unwrap_err();
    assert!(matches!(error, Error::Transport { .. }) && error.is_transient(), "{error}");
    assert!(!error.to_string().contains("secret") && !format!("{nobody:?}").contains("secret"), "{error}");

    let plain = constant(200, r#"{"result":"0x1"}"#).await;
    assert_eq!(plain.chain_id().await, Ok(ChainId(1)));
    let secured = Endpoint::connect(&plain.to_string().replace("http:", "https:")).unwrap();
    let error = secured.chain_id().await.unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "TLS was asked for and not had: {error}");

    let busy = [(429, ""), (503, "later"), (500, "<html>"), (200, r#"{"error":{"code":-32005,"message":"limit"}}"#)];
    for (status, body) in busy {
        let error = constant(status, body).await.chain_id().await.unwrap_err();
        assert!(error.is_transient(), "{status} {body}: {error}");
    }
    for status in [301, 401, 403, 404] {
        let error = constant(status, "no").await.chain_id().await.unwrap_err();
        assert!(matches!(error, Error::Refused { status: told, .. } if told == status), "{error}");
    }
    for body in
        ["", "<html>", "[]", "{}", r#"{"result":null}"#, r#"{"result":"0xzz"}"#, r#"{"result":"0x112233445566778899"}"#]
    {
        let error = constant(200, body).await.chain_id().await.unwrap_err();
        assert!(matches!(error, Error::Unusable { .. }) && !error.is_transient(), "{body}: {error}");
    }
    let spoken = constant(400, r#"{"error":{"code":-32000,"message":"bad\u001b[2J block"}}"#).await;
    let message = "bad [2J block".to_owned();
    assert_eq!(spoken.chain_id().await, Err(Error::Rpc { code: -32000, message }));
}
