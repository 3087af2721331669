//! Every route and every bad input, in process: the router over a real store and ledger.

#![allow(clippy::unwrap_used)] // a test may panic

mod changes;
mod harness;
mod history;
mod reserved;

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, header},
};
use futures::StreamExt;
use serde_json::{Value, json};
use testamur_core::{Address, ChainId, Digest, Receipt, registry};
use testamur_node::{
    health::{Part, Reason},
    store::{BatchId, BatchState},
    tokens::{Scope, TokenFile},
};
use tower::ServiceExt;

use self::harness::{ANCHOR, ISSUER, Node, OTHER, digests, path, raw};

#[tokio::test]
async fn digests_are_taken_in_three_formats_with_the_same_answer() {
    let node = Node::new();
    let all = digests(3);
    let json_reply = node.submit("application/json; charset=utf-8", json!({ "digests": all }).to_string()).await;
    assert_eq!(json_reply.status, 200);
    let body = json_reply.json();
    assert_eq!((&body["accepted"], &body["new"], &body["batch"]), (&json!(3), &json!(3), &json!(1)));
    let indices: Vec<_> =
        body["entries"].as_array().unwrap().iter().map(|e| e["statusIndex"].as_u64().unwrap()).collect();
    assert_eq!(body["entries"][2]["digest"], all[2].to_string());

    let lines = format!("{{\"digest\":\"{}\"}}\n\n\"{}\"\r\n\"0x{}\"", all[0], all[1], all[2]);
    let reply = node.submit("application/x-ndjson", lines).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/x-ndjson"));
    assert_eq!((reply.header("testamur-batch"), reply.header("testamur-new")), ("1", "0"));
    let told: Vec<Value> = reply.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told, *body["entries"].as_array().unwrap());

    let reply = node.submit("application/octet-stream", raw(&all)).await;
    assert_eq!(reply.header("content-type"), "application/octet-stream");
    let told: Vec<_> = reply.bytes.chunks(8).map(|index| u64::from_be_bytes(index.try_into().unwrap())).collect();
    assert_eq!(told, indices);

    let request = Request::post(path(ISSUER, "digests"))
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::ACCEPT, "application/json")
        .header(header::AUTHORIZATION, format!("bearer {}", node.token));
    let reply = node.send(request.body(Body::from(raw(&all))).unwrap()).await;
    assert_eq!(reply.json(), json!({ "batch": 1, "accepted": 3, "new": 0, "statusIndices": indices }));
}

#[tokio::test]
async fn a_body_of_many_pieces_is_taken_as_it_comes() {
    let node = Node::new();
    let count = 20_000_u32;
    let body: Vec<u8> = (0..count).flat_map(|n| format!("\"{n:064x}\"\n").into_bytes()).collect();
    let pieces: Vec<_> = body.chunks(1 << 16).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let reply = node.submit("application/x-ndjson", Body::from_stream(futures::stream::iter(pieces))).await;
    assert_eq!(reply.status, 200);
    assert_eq!((reply.text().lines().count(), reply.header("testamur-new")), (20_000, "20000"));
}

#[tokio::test]
async fn faults_in_a_document_take_nothing() {
    let node = Node::new();
    let good = digests(1)[0];
    for (body, part) in [
        (json!({ "digests": [good, "ab"] }).to_string(), "expected 64 hex digits, found 2"),
        (json!({ "digests": [good, "AB".repeat(32)] }).to_string(), "lower case"),
        (json!({ "digests": [good, "zz".repeat(32)] }).to_string(), "hex digit"),
        (json!({ "digests": [good], "more": 1 }).to_string(), "unknown field `more`"),
        (json!({ "digests": [good, 7] }).to_string(), "line 1"),
        ("{\"digests\":[".to_owned(), "EOF"),
        ("[".repeat(1_000_000), "line 1"),
    ] {
        let problem = node.submit("application/json", body).await.problem(400, "bad-digest");
        assert!(problem["detail"].as_str().unwrap().contains(part), "{problem}");
        assert_eq!(problem["accepted"], 0);
    }
    node.get(&path(ISSUER, &format!("receipts/{good}"))).await.problem(404, "unknown-digest");
}

#[tokio::test]
async fn faults_in_a_stream_leave_what_came_before() {
    let node = Node::new();
    let all = digests(3);
    let lines = format!("\"{}\"\n\"{}\"\n{{\"digest\":\"{}", all[0], all[1], &all[2].to_string()[..20]);
    let problem = node.submit("application/x-ndjson", lines).await.problem(400, "bad-digest");
    assert_eq!((&problem["line"], &problem["accepted"], &problem["new"]), (&json!(3), &json!(2), &json!(2)));
    assert_eq!(problem["entries"][1]["digest"], all[1].to_string());
    for digest in &all[..2] {
        assert_eq!(node.get(&path(ISSUER, &format!("receipts/{digest}"))).await.status, 202);
    }
    node.get(&path(ISSUER, &format!("receipts/{}", all[2]))).await.problem(404, "unknown-digest");

    let problem =
        node.submit("application/octet-stream", [raw(&all), vec![1; 31]].concat()).await.problem(400, "bad-digest");
    assert_eq!((&problem["offset"], &problem["accepted"], &problem["new"]), (&json!(96), &json!(3), &json!(1)));
    assert_eq!(problem["statusIndices"].as_array().map(Vec::len), Some(3));

    let broken = futures::stream::iter([Ok(raw(&all)), Err(std::io::Error::other("gone"))]);
    let reply = node.submit("application/octet-stream", Body::from_stream(broken)).await;
    assert_eq!(reply.problem(400, "body-broke-off")["accepted"], 3);
}

#[tokio::test]
async fn empty_oversized_and_slow_bodies_are_refused() {
    let node = Node::with(|limits| (limits.body_bytes, limits.json_body_bytes) = (100, 100));
    for (media_type, body) in [
        ("application/json", ""),
        ("application/json", "{\"digests\":[]}"),
        ("application/x-ndjson", "\n\n"),
        ("application/octet-stream", ""),
    ] {
        node.submit(media_type, body).await.problem(400, "empty-body");
    }
    node.submit("application/json", " ".repeat(101)).await.problem(413, "too-large");
    node.submit("application/x-ndjson", "\n".repeat(101)).await.problem(413, "too-large");
    node.submit("application/octet-stream", raw(&digests(4))).await.problem(413, "too-large");
    node.submit("text/plain", "x").await.problem(415, "media-type");
    node.submit("", "x").await.problem(415, "media-type");

    let node = Node::with(|limits| limits.body_seconds = Duration::from_millis(50));
    let drip = futures::stream::iter([Ok::<_, std::io::Error>(raw(&digests(1)))]).chain(futures::stream::pending());
    let problem = node.submit("application/octet-stream", Body::from_stream(drip)).await.problem(408, "too-slow");
    assert_eq!(problem["accepted"], 1, "what came stands");
}

#[tokio::test]
async fn writing_needs_a_token_of_the_issuer_with_the_scope() {
    let node = Node::new();
    let submit = async |issuer: Address, token: &str| {
        node.post(&path(issuer, "digests"), "application/octet-stream", token, raw(&digests(1))).await
    };
    let reply = submit(ISSUER, "").await;
    reply.problem(401, "no-token");
    assert!(reply.header("www-authenticate").starts_with("Bearer"));
    submit(ISSUER, "testamur_wrong").await.problem(401, "no-token");
    let others = node.token_of(OTHER, [Scope::Submit, Scope::Admin]);
    submit(ISSUER, &others).await.problem(403, "other-issuers-token");
    assert_eq!(submit(OTHER, &others).await.status, 200);
    submit(Address([1; 20]), &node.token).await.problem(404, "unknown-issuer");
    let admin = node.token_of(ISSUER, [Scope::Admin]);
    submit(ISSUER, &admin).await.problem(403, "missing-scope");
    let submitter = node.token_of(ISSUER, [Scope::Submit]);
    node.post(&path(ISSUER, "seal"), "", &submitter, "").await.problem(403, "missing-scope");
    node.post("/v1/issuers/0x12/seal", "", &submitter, "").await.problem(400, "bad-request");

    let ask = Request::get("/v1/token").header(header::AUTHORIZATION, format!("Bearer {submitter}"));
    let told = node.send(ask.body(Body::empty()).unwrap()).await.json();
    assert_eq!((&told["issuer"], &told["scopes"]), (&json!(ISSUER), &json!(["submit"])));
    node.get("/v1/token").await.problem(401, "no-token");
    TokenFile::new(node.folder.path()).revoke(told["id"].as_str().unwrap()).unwrap();
    submit(ISSUER, &submitter).await.problem(401, "no-token");
}

#[tokio::test]
async fn a_receipt_comes_when_its_batch_is_anchored() {
    let node = Node::new();
    let all = digests(5);
    let of = |digest: Digest| path(ISSUER, &format!("receipts/{digest}"));
    node.submit("application/octet-stream", raw(&all[..1])).await;
    let reply = node.get(&of(all[0])).await;
    assert_eq!((reply.status.as_u16(), reply.json()), (202, json!({ "state": "open", "batch": 1 })));
    assert!(!reply.header("retry-after").is_empty());
    let id = node.sealed(&all).await;
    assert_eq!(node.get(&of(all[0])).await.json(), json!({ "state": "sealed", "batch": 1 }));

    node.set_state(id, BatchState::Included { anchor: ANCHOR });
    let reply = node.get(&of(all[3])).await;
    assert_eq!((reply.status.as_u16(), reply.header("testamur-state")), (200, "included"));
    assert_eq!(reply.header("cache-control"), "public, no-cache");
    let receipt: Receipt = serde_json::from_slice(&reply.bytes).unwrap();
    assert_eq!(serde_json::to_string(&receipt).unwrap(), reply.text(), "written as the core writes it");
    receipt.check_shape().unwrap();
    receipt.check_inclusion(all[3]).unwrap();
    assert!(receipt.check_inclusion(all[2]).is_err());
    let expected = (3, 5, ISSUER, ChainId(31337), registry::ADDRESS, ANCHOR.transaction, ANCHOR.block);
    let found = (receipt.leaf_index, receipt.tree_size, receipt.issuer, receipt.chain, receipt.registry);
    assert_eq!((found.0, found.1, found.2, found.3, found.4, receipt.transaction, receipt.block), expected);
    let waiting = node.get(&format!("{}?state=final", of(all[3]))).await;
    assert_eq!((waiting.status.as_u16(), waiting.json()), (202, json!({ "state": "included", "batch": 1 })));

    node.set_state(id, BatchState::Final { anchor: ANCHOR });
    let settled = node.get(&format!("{}?state=final", of(all[3]))).await;
    assert_eq!((settled.status.as_u16(), settled.header("testamur-state")), (200, "final"));
    assert!(settled.header("cache-control").contains("immutable"));
    assert_eq!(settled.bytes, reply.bytes);
    assert_ne!(settled.header("etag"), reply.header("etag"));
    let again = Request::get(of(all[3])).header(header::IF_NONE_MATCH, settled.header("etag"));
    let again = node.send(again.body(Body::empty()).unwrap()).await;
    assert_eq!((again.status.as_u16(), again.bytes.len()), (304, 0));

    node.get(&of(Digest([99; 32]))).await.problem(404, "unknown-digest");
    node.get(&path(Address([1; 20]), &format!("receipts/{}", all[0]))).await.problem(404, "unknown-issuer");
    node.get(&path(OTHER, &format!("receipts/{}", all[0]))).await.problem(404, "unknown-digest");
    node.get(&path(ISSUER, "receipts/ab")).await.problem(400, "bad-request");
    node.get(&path(ISSUER, &format!("receipts/{}", "AB".repeat(32)))).await.problem(400, "bad-request");
    node.get(&format!("{}?state=soon", of(all[3]))).await.problem(400, "bad-request");
}

#[tokio::test]
async fn issuers_with_the_same_digests_in_large_batches_get_each_their_own_receipts() {
    let node = Node::new();
    let all: Vec<_> = (0..1_u32 << 16).map(|n| Digest([n.to_be_bytes(); 8].concat().try_into().unwrap())).collect();
    let others = node.token_of(OTHER, [Scope::Submit, Scope::Admin]);
    for (issuer, token) in [(ISSUER, &node.token), (OTHER, &others)] {
        let taken = node.post(&path(issuer, "digests"), "application/octet-stream", token, raw(&all)).await;
        assert_eq!(taken.status, 200);
        let sealed = node.post(&path(issuer, "seal"), "", token, "").await.json();
        node.set_state(BatchId(sealed["batch"].as_u64().unwrap()), BatchState::Final { anchor: ANCHOR });
        let receipt = node.get(&path(issuer, &format!("receipts/{}", all[4711]))).await;
        let receipt: Receipt = serde_json::from_slice(&receipt.bytes).unwrap();
        assert_eq!((receipt.issuer, receipt.leaf_index), (issuer, 4711));
        receipt.check_inclusion(all[4711]).unwrap();
    }
    let receipt = node.get(&path(ISSUER, &format!("receipts/{}", all[4711]))).await.json();
    assert_eq!(receipt["issuer"], json!(ISSUER));
    node.get(&path(Address([1; 20]), &format!("receipts/{}", all[0]))).await.problem(404, "unknown-issuer");
}

#[tokio::test]
async fn batches_are_listed_shown_and_streamed() {
    let node = Node::new();
    let all = digests(120);
    for part in all.chunks(40) {
        node.sealed(part).await;
    }
    node.submit("application/octet-stream", raw(&[Digest([200; 32])])).await;
    let list = async |query: &str| node.get(&path(ISSUER, &format!("batches{query}"))).await.json();
    let numbers = |page: &Value| {
        page["batches"].as_array().unwrap().iter().map(|b| b["batch"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let page = list("").await;
    assert_eq!(numbers(&page), [4, 3, 2, 1]);
    assert_eq!((&page["batches"][0]["state"], &page["batches"][0]["size"]), (&json!("open"), &json!(1)));
    assert_eq!(page.get("next"), None);
    let page = list("?limit=3").await;
    assert_eq!((numbers(&page), &page["next"]), (vec![4, 3, 2], &json!(2)));
    assert_eq!(numbers(&list("?before=2&limit=3").await), [1]);
    assert_eq!(numbers(&node.get(&path(OTHER, "batches")).await.json()), [0; 0]);
    node.get(&path(ISSUER, "batches?limit=x")).await.problem(400, "bad-request");
    node.get("/v1/issuers/%ff/batches").await.problem(400, "bad-request");

    assert_eq!(node.get(&path(ISSUER, "batches/4/receipts")).await.status, 202);
    let reply = node.get(&path(ISSUER, "batches/2/receipts")).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["state"]), (202, &json!("sealed")));
    node.set_state(BatchId(2), BatchState::Included { anchor: ANCHOR });
    let one = node.get(&path(ISSUER, "batches/2")).await.json();
    assert_eq!((&one["size"], &one["anchor"]["block"]), (&json!(40), &json!(9)));
    let reply = node.get(&path(ISSUER, "batches/2/receipts")).await;
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    let lines: Vec<_> = reply.text().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 40);
    for (line, digest) in lines.iter().zip(&all[40..80]) {
        let mut line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["digest"], digest.to_string());
        line.as_object_mut().unwrap().shift_remove("digest");
        serde_json::from_value::<Receipt>(line).unwrap().check_inclusion(*digest).unwrap();
    }
    for (wrong, status, name) in [("batches/9", 404, "unknown-batch"), ("batches/x", 400, "bad-request")] {
        node.get(&path(ISSUER, wrong)).await.problem(status, name);
    }
    node.get(&path(OTHER, "batches/2")).await.problem(404, "unknown-batch");
    node.get(&path(OTHER, "batches/2/receipts")).await.problem(404, "unknown-batch");
}

#[tokio::test]
async fn sealing_nothing_is_no_fault() {
    let node = Node::new();
    let reply = node.post(&path(ISSUER, "seal"), "", &node.token, "").await;
    assert_eq!((reply.status.as_u16(), reply.json()), (200, Value::Null));
}

#[tokio::test]
async fn events_are_told_until_shutdown() {
    let node = Node::new();
    let listen = async |query: &str, last: &str| {
        let request = Request::get(format!("/v1/events{query}")).header("last-event-id", last);
        let response = node.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        response.into_body()
    };
    let (all, others) = (listen("", "").await, listen(&format!("?issuer={OTHER}"), "").await);
    node.sealed(&digests(2)).await;
    let late = listen("", "0").await;
    let first = async |body: Body| {
        let mut pieces = body.into_data_stream();
        let piece = String::from_utf8(pieces.next().await.unwrap().unwrap().to_vec()).unwrap();
        (piece, pieces)
    };
    let (told, rest) = first(all).await;
    assert!(told.contains("id: 1\n") && told.contains("event: sealed\n"), "{told}");
    assert!(told.contains(&format!("\"issuer\":\"{ISSUER}\"")) && told.contains("\"batch\":1"), "{told}");
    assert!(first(late).await.0.contains("event: missed"), "it asked from event 0 on");
    node.state.shutdown.cancel();
    assert_eq!(rest.count().await, 0);
    assert_eq!(to_bytes(others, usize::MAX).await.unwrap(), "", "nothing of its issuer happened");
}

#[tokio::test]
async fn the_node_tells_what_it_is_and_how_it_does() {
    let node = Node::new();
    let told = node.get("/v1/node").await.json();
    assert_eq!((&told["chain"], &told["issuers"]), (&json!("eip155:31337"), &json!([ISSUER, OTHER])));
    assert_eq!(node.get("/healthz").await.text(), "ok\n");
    assert_eq!(node.get("/readyz").await.json(), json!({ "ready": true, "reasons": [] }));
    let reason = Reason { problem: "wrong-chain", issuer: None, detail: "x".to_owned() };
    node.state.health.set(Part::Anchoring, vec![reason]);
    let reply = node.get("/readyz").await;
    assert_eq!((reply.status.as_u16(), &reply.json()["reasons"][0]["problem"]), (503, &json!("wrong-chain")));

    node.sealed(&digests(2)).await;
    node.get(&path(ISSUER, &format!("receipts/{}", digests(1)[0]))).await;
    let metrics = node.get("/metrics").await.text();
    for line in [
        "testamur_digests_total 2",
        "testamur_problems 1",
        "testamur_batches_total{state=\"sealed\"} 1",
        "route=\"/v1/issuers/{issuer}/receipts/{digest}\",status=\"202\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    assert!(!metrics.contains(&digests(1)[0].to_string()) && !metrics.contains(&ISSUER.to_string()));
}

#[tokio::test]
async fn the_api_describes_itself_without_help_from_elsewhere() {
    let node = Node::new();
    let api = node.get("/openapi.json").await.json();
    for route in ["/v1/issuers/{issuer}/digests", "/v1/issuers/{issuer}/receipts/{digest}", "/v1/events", "/readyz"] {
        assert!(api["paths"].get(route).is_some(), "{route}");
    }
    for (path, item) in api["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(!response["description"].as_str().unwrap().is_empty(), "{path} {status}");
                let refusal = status.ends_with("XX");
                assert!(!refusal || response["content"].get("application/problem+json").is_some(), "{path} {status}");
            }
        }
    }
    let reply = node.get("/docs").await;
    let page = reply.text();
    assert!(reply.header("content-security-policy").contains("default-src 'none'"));
    assert!(page.contains("/v1/issuers/{issuer}/digests") && !page.contains("<script") && !page.contains("://"));
    assert_eq!(node.get("/docs/style.css").await.header("content-type"), "text/css");
}

#[tokio::test]
async fn reads_are_open_to_every_page_and_writes_are_not() {
    let node = Node::new();
    let ask = |method: Method, wanted: &str| {
        let request =
            Request::builder().method(method).uri("/v1/node").header(header::ORIGIN, "https://verify.example");
        request.header(header::ACCESS_CONTROL_REQUEST_METHOD, wanted).body(Body::empty()).unwrap()
    };
    assert_eq!(node.send(ask(Method::GET, "GET")).await.header("access-control-allow-origin"), "*");
    let allowed = node.send(ask(Method::OPTIONS, "POST")).await;
    assert_eq!(allowed.header("access-control-allow-headers"), "content-type", "a page cannot send a token");
}

#[tokio::test]
async fn wrong_paths_methods_and_too_many_requests_are_told() {
    let node = Node::with(|limits| (limits.token_requests_per_second, limits.requests) = (1, 1));
    node.get("/nothing").await.problem(404, "no-such-path");
    node.post("/v1/node", "", "", "").await.problem(405, "wrong-method");
    assert_eq!(node.submit("application/octet-stream", raw(&digests(1))).await.status, 200);
    let reply = node.submit("application/octet-stream", raw(&digests(1))).await;
    reply.problem(429, "too-many-requests");
    assert_eq!(reply.header("retry-after"), "1");
    let place = node.state.places.acquire().await.unwrap();
    node.get("/v1/node").await.problem(503, "busy");
    drop(place);
    assert_eq!(node.get("/v1/node").await.status, 200);
}

#[tokio::test]
async fn without_room_or_while_stopping_nothing_is_taken_and_reads_go_on() {
    let node = Node::with(|limits| limits.disk_reserve_bytes = u64::MAX);
    let reply = node.submit("application/octet-stream", raw(&digests(1))).await;
    assert_eq!(reply.problem(507, "disk-full")["accepted"], 0);
    assert_eq!(node.get("/readyz").await.json()["reasons"][0]["problem"], "disk-full");
    assert_eq!(node.get(&path(ISSUER, "batches")).await.status, 200);

    let node = Node::new();
    node.state.ledger.stop().await;
    node.submit("application/octet-stream", raw(&digests(1))).await.problem(503, "stopping");
}
