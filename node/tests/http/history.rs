//! Looking back: batches by root, days, what it cost, and the pages that show it.

use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::json;
use testamur_core::{BlockNumber, Digest, Hash, UnixSeconds};
use testamur_node::{
    clock,
    store::{AnchoredAt, BatchId, BatchRecord, BatchState, Cost, Store},
};

use crate::harness::{ISSUER, Node, digests, path};

/// As if a batch became final in a block of some days ago, `wait` seconds after it was sealed.
fn finish(store: &Store, id: BatchId, days_ago: u64, wait: u64, transaction: Hash) {
    let time = UnixSeconds(clock::now().0 - days_ago * 86_400);
    let record = store.batch(id).unwrap().unwrap();
    let anchor = AnchoredAt { block: BlockNumber(100 - days_ago), time, transaction };
    let final_at = UnixSeconds(time.0 + wait);
    let record = BatchRecord { sealed_at: time, ..record }.moved(BatchState::Final { anchor }, final_at);
    store.put_progress(&[record], None).unwrap();
}

#[tokio::test]
async fn days_tell_what_was_anchored_and_what_is_known_of_its_price() {
    let node = Node::new();
    let store = node.state.store.clone();
    let all = digests(30);
    let mut ids = Vec::new();
    for part in [&all[..10], &all[10..15], &all[15..22], &all[22..]] {
        ids.push(node.sealed(part).await);
    }
    let [shared, other] = [Hash([1; 32]), Hash([2; 32])];
    finish(&store, ids[0], 40, 5, other); // too long ago
    finish(&store, ids[1], 3, 20, shared);
    finish(&store, ids[2], 3, 10, shared);
    let cost = Cost { block: BlockNumber(97), gas_used: 90_000, gas_price: Some(2), batches: 2 };
    store.put_cost(shared, &cost).unwrap();
    store.put_cost(other, &Cost { block: BlockNumber(59), ..cost }).unwrap(); // a block that a reorg took away

    let history = node.get(&path(ISSUER, "history")).await;
    let told = history.json();
    assert_eq!((told["from"].as_str().unwrap().len(), told["days"].as_array().unwrap().len()), (10, 1), "{told:#}");
    let day = &told["days"][0];
    assert_eq!((&day["batches"], &day["credentials"]), (&json!(2), &json!(12)));
    assert_eq!((&day["gasUsed"], &day["costed"], &day["secondsToFinal"]), (&json!(90_000), &json!(2), &json!(20)));
    let longer = node.get(&path(ISSUER, "history?days=60")).await.json();
    assert_eq!((&longer["days"][0]["credentials"], &longer["days"][0]["costed"]), (&json!(10), &json!(0)));

    let tag = history.header("etag").to_owned();
    let again = Request::get(path(ISSUER, "history")).header(header::IF_NONE_MATCH, &tag).body(Body::empty()).unwrap();
    assert_eq!(node.send(again).await.status, 304);
    for days in ["0", "367", "x"] {
        node.get(&path(ISSUER, &format!("history?days={days}"))).await.problem(400, "bad-request");
    }
    node.get("/v1/issuers/0x0101010101010101010101010101010101010101/history").await.problem(404, "unknown-issuer");

    let root = store.batch(ids[1]).unwrap().unwrap().root;
    let batch = node.get(&format!("/v1/batches/{root}")).await.json();
    assert_eq!((&batch["batch"], &batch["state"], &batch["issuer"]), (&json!(ids[1]), &json!("final"), &json!(ISSUER)));
    assert_eq!(batch["cost"], json!({ "gasUsed": 90_000, "feeWei": "180000", "batches": 2 }));
    assert!(batch["finalAt"].as_str().unwrap() > batch["sealedAt"].as_str().unwrap());
    let listed = node.get(&path(ISSUER, "batches")).await.json();
    assert_eq!((&listed["batches"][2], listed["batches"][0].get("cost")), (&batch, None), "nothing is made up");
    node.get(&format!("/v1/batches/{}", Hash([9; 32]))).await.problem(404, "unknown-batch");
    node.get("/v1/batches/0x12").await.problem(400, "bad-request");
}

#[tokio::test]
async fn what_was_kept_before_is_found_by_root_too() {
    let node = Node::new();
    let id = node.sealed(&[Digest([5; 32])]).await;
    let root = node.state.store.batch(id).unwrap().unwrap().root;
    let node = node.again(|_| ()).await;
    assert_eq!(node.get(&format!("/v1/batches/{root}")).await.json()["batch"], json!(id));
    // A record from before these figures were kept.
    let before = r#"{"id":1,"issuer":"0x0707070707070707070707070707070707070707","root":"0x0101010101010101010101010101010101010101010101010101010101010101","size":3,"sealed_at":5,"state":{"state":"sealed"}}"#;
    let record: BatchRecord = serde_json::from_str(before).unwrap();
    assert_eq!((record.final_at, serde_json::to_string(&record).unwrap().as_str()), (None, before));
}

#[tokio::test]
async fn pages_come_from_here_alone() {
    let node = Node::new();
    for view in ["/explore", "/explore/", "/explore/issuers/0x12", "/explore/batches/0x12"] {
        let page = node.get(view).await;
        if page.status == 404 {
            assert!(page.text().contains("scripts/setup-web"), "where the pages are not built, it says how");
            continue;
        }
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(
            !page.text().contains("://") && !page.text().contains("<style"),
            "nothing inline, nothing from elsewhere"
        );
        let again = Request::get(view).header(header::IF_NONE_MATCH, page.header("etag")).body(Body::empty()).unwrap();
        assert_eq!(node.send(again).await.status, 304);
    }
    for outside in ["/assets/nothing.js", "/assets/../explore/index.html", "/assets/%2e%2e/%2e%2e/package.json"] {
        assert_eq!(node.get(outside).await.status, 404, "{outside}");
    }
    assert_eq!(node.get("/").await.header("location"), "/explore");
}
