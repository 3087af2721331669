//! Status indices ahead of issuing.

use serde_json::{Value, json};
use testamur_node::tokens::Scope;

use super::harness::{ISSUER, Node, OTHER, Reply, digests, path};

impl Node {
    async fn reserve(&self, body: Value) -> Reply {
        self.post(&path(ISSUER, "indices"), "application/json", &self.token, body.to_string()).await
    }

    async fn reserved(&self, count: usize) -> Vec<u64> {
        let reply = self.reserve(json!({ "count": count })).await;
        assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (201, "no-store"), "{}", reply.text());
        serde_json::from_value(reply.json()["indices"].clone()).unwrap()
    }

    async fn submit_entries(&self, entries: &[Value]) -> Reply {
        self.submit("application/json", json!({ "entries": entries }).to_string()).await
    }
}

fn entry(digest: usize, index: u64) -> Value {
    json!({ "digest": digests(200)[digest], "statusIndex": index })
}

#[tokio::test]
async fn a_digest_gets_the_index_that_was_reserved_for_it() {
    let node = Node::new();
    let indices = node.reserved(3).await;
    let entries: Vec<_> = indices.iter().enumerate().map(|(n, index)| entry(n, *index)).collect();
    let reply = node.submit_entries(&entries).await;
    assert_eq!((reply.status.as_u16(), reply.header("testamur-new")), (200, "3"), "{}", reply.text());
    assert_eq!(reply.json()["entries"], json!(entries));
    let again = node.submit_entries(&entries[1..]).await;
    assert_eq!((again.status.as_u16(), again.header("testamur-new")), (200, "0"), "the same again is fine");
    let revoked = json!({ "action": "revoke", "indices": node.reserved(1).await }).to_string();
    let reply = node.post(&path(ISSUER, "changes"), "application/json", &node.token, revoked).await;
    assert_eq!(reply.status, 202, "reserved is assigned");
}

#[tokio::test]
async fn an_index_that_is_not_free_is_refused_where_it_stands() {
    let node = Node::new();
    let indices = node.reserved(4).await;
    node.submit_entries(&[entry(0, indices[0])]).await;
    let given = node.submit("application/json", json!({ "digests": [digests(200)[9]] }).to_string()).await.json();
    let given = given["entries"][0]["statusIndex"].as_u64().unwrap();
    let refused = node
        .submit_entries(&[
            entry(1, indices[1]),
            entry(2, indices[0]),
            entry(0, indices[2]),
            entry(3, given),
            entry(4, 12),
            entry(5, indices[1]),
        ])
        .await
        .problem(422, "refused-entries");
    let told: Vec<_> =
        refused["errors"].as_array().unwrap().iter().map(|e| (e["path"].clone(), e["problem"].clone())).collect();
    let at = |place: usize, problem| (json!(format!("/entries/{place}/statusIndex")), json!(problem));
    let not_reserved = [3, 4, 5].map(|place| at(place, "not-reserved"));
    assert_eq!(told, [&[at(1, "not-reserved"), at(2, "has-index")][..], &not_reserved].concat());
    assert!(refused["errors"][1]["detail"].as_str().unwrap().contains(&indices[0].to_string()), "{refused}");
    assert_eq!(refused["accepted"], 0, "all or nothing");
    assert_eq!(node.submit_entries(&[entry(1, indices[1])]).await.header("testamur-new"), "1");

    let theirs = node.token_of(OTHER, [Scope::Submit]);
    let body = json!({ "entries": [entry(6, indices[3])] }).to_string();
    let reply = node.post(&path(OTHER, "digests"), "application/json", &theirs, body).await;
    reply.problem(422, "refused-entries");
}

#[tokio::test]
async fn what_cannot_be_reserved_or_read_is_refused() {
    let node = Node::new();
    node.reserve(json!({ "count": 0 })).await.problem(400, "bad-request");
    node.reserve(json!({ "count": -1 })).await.problem(400, "bad-request");
    node.reserve(json!({})).await.problem(400, "bad-request");
    assert_eq!(node.reserve(json!({ "count": 100_001 })).await.problem(413, "too-many-entries")["limit"], 100_000);
    let most = node.reserved(100_000).await;
    assert_eq!(most.iter().collect::<std::collections::HashSet<_>>().len(), 100_000);
    let revoker = node.token_of(ISSUER, [Scope::Revoke]);
    let indices = path(ISSUER, "indices");
    node.post(&indices, "application/json", &revoker, "{\"count\":1}").await.problem(403, "missing-scope");
    node.post(&indices, "application/json", &node.token, "").await.problem(400, "bad-request");

    let problem = node.submit_entries(&[entry(0, most[0]), json!({ "digest": digests(1)[0] })]).await;
    assert_eq!(problem.problem(400, "bad-digest")["path"], "/entries/1");
    let both = json!({ "digests": [], "entries": [] }).to_string();
    node.submit("application/json", both).await.problem(400, "bad-digest");
    node.submit("application/json", "{\"entries\":[]}").await.problem(400, "empty-body");

    let node = node.again(|limits| limits.disk_reserve_bytes = u64::MAX).await;
    node.reserve(json!({ "count": 1 })).await.problem(507, "disk-full");
    node.submit_entries(&[entry(0, most[0])]).await.problem(507, "disk-full");
}
