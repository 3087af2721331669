//! Revoking, suspending, reinstating: what is kept, and what is refused.

use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};
use testamur_core::{BlockNumber, Hash, Purpose, StatusIndex, UnixSeconds, status::StatusTree};
use testamur_node::{
    store::{ChangeId, ChangeRecord, ChangeState, UpdatedAt},
    tokens::Scope,
};

use super::harness::{ISSUER, Node, OTHER, Reply, digests, path};

impl Node {
    async fn change(&self, body: &Value) -> Reply {
        self.post(&path(ISSUER, "changes"), "application/json", &self.token, body.to_string()).await
    }

    async fn change_with_key(&self, key: &str, body: &Value) -> Reply {
        let request = Request::post(path(ISSUER, "changes"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header("idempotency-key", key);
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn get_with_token(&self, path: &str) -> Reply {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// The status indices that were given to this many digests.
    async fn given(&self, count: u8) -> Vec<u64> {
        let reply = self.submit("application/json", json!({ "digests": digests(count) }).to_string()).await;
        let entries = reply.json()["entries"].clone();
        entries.as_array().unwrap().iter().map(|entry| entry["statusIndex"].as_u64().unwrap()).collect()
    }

    fn indices_of(&self, change: u64) -> Vec<u64> {
        self.state.store.change_indices(ChangeId(change)).unwrap().into_iter().map(StatusIndex::get).collect()
    }

    fn nothing_is_kept(&self) -> bool {
        self.state.store.all_changes().next().is_none()
    }
}

#[tokio::test]
async fn a_change_is_kept_told_and_followed() {
    let node = Node::new();
    let mut given = node.given(3).await;
    let reply = node.change(&json!({ "action": "revoke", "digests": digests(3), "reason": 9, "now": true })).await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (202, "no-store"), "{}", reply.text());
    let told = reply.json();
    assert_eq!((&told["change"], &told["count"], &told["state"]), (&json!(1), &json!(3), &json!("pending")));
    assert_eq!((&told["action"], &told["reason"], &told["issuer"]), (&json!("revoke"), &json!(9), &json!(ISSUER)));
    given.sort_unstable();
    assert_eq!(node.indices_of(1), given);
    assert!(node.state.store.change(ChangeId(1)).unwrap().unwrap().now);

    let location = reply.header("location").to_owned();
    assert_eq!(node.get_with_token(&location).await.json(), told);
    let at = UpdatedAt { epoch: 4, block: BlockNumber(9), time: UnixSeconds(3000), transaction: Hash([3; 32]) };
    for (state, name) in [(ChangeState::Included { at }, "included"), (ChangeState::Final { at }, "final")] {
        let record = node.state.store.change(ChangeId(1)).unwrap().unwrap();
        node.state.store.put_changes(&[ChangeRecord { state, ..record }], None).unwrap();
        let told = node.get_with_token(&location).await.json();
        assert_eq!((&told["state"], &told["update"]["epoch"]), (&json!(name), &json!(4)));
        assert_eq!((&told["update"]["block"], &told["update"]["time"]), (&json!(9), &json!("1970-01-01T00:50:00Z")));
    }
    for issuer in [ISSUER, OTHER] {
        let token = node.token_of(issuer, [Scope::Revoke]);
        let asked = Request::get(path(issuer, "changes/1")).header(header::AUTHORIZATION, format!("Bearer {token}"));
        let reply = node.send(asked.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status.as_u16(), if issuer == ISSUER { 200 } else { 404 });
    }
    node.get_with_token(&path(ISSUER, "changes/2")).await.problem(404, "unknown-change");
    node.get_with_token(&path(ISSUER, "changes/x")).await.problem(400, "bad-request");
}

#[tokio::test]
async fn the_same_again_is_fine() {
    let node = Node::new();
    let given = node.given(2).await;
    let twice = json!({ "action": "suspend", "indices": [given[0], given[1], given[0]] });
    assert_eq!(node.change(&twice).await.json()["count"], 2, "once each");
    assert_eq!(node.change(&twice).await.json()["change"], 2, "a request of its own, with nothing left to do");
    for action in ["revoke", "revoke", "suspend"] {
        assert_eq!(node.change(&json!({ "action": action, "indices": given })).await.status, 202, "{action}");
    }
}

#[tokio::test]
async fn one_key_and_body_is_one_change() {
    let node = Node::new();
    let given = node.given(2).await;
    let body = json!({ "action": "revoke", "indices": given });
    let replies = futures::future::join_all((0..8).map(|_| node.change_with_key("a key!", &body))).await;
    assert!(replies.iter().all(|reply| reply.status == 400), "a space is not visible");
    let replies = futures::future::join_all((0..8).map(|_| node.change_with_key("key-1", &body))).await;
    for reply in &replies {
        assert_eq!((reply.status.as_u16(), reply.json()), (202, replies[0].json()));
        assert_eq!(reply.header("location"), path(ISSUER, "changes/1"));
    }
    let other = json!({ "action": "suspend", "indices": given });
    node.change_with_key("key-1", &other).await.problem(409, "key-used");
    assert_eq!(node.change_with_key("key-2", &body).await.json()["change"], 2);
    assert_eq!(node.change_with_key(&"k".repeat(255), &body).await.json()["change"], 3);
    for bad in ["", &"k".repeat(256), "tab\tbed"] {
        node.change_with_key(bad, &body).await.problem(400, "bad-request");
    }
}

#[tokio::test]
async fn all_or_nothing_and_every_offender_has_its_path() {
    let node = Node::new();
    let given = node.given(2).await;
    let strangers = digests(6);
    let problem =
        node.change(&json!({ "action": "revoke", "digests": strangers })).await.problem(422, "refused-entries");
    assert_eq!((&problem["errorCount"], problem["errors"].as_array().map(Vec::len)), (&json!(4), Some(4)));
    assert_eq!(problem["errors"][0]["path"], "/digests/2");
    assert_eq!(problem["errors"][0]["problem"], "unknown-digest");

    let list = given[0] / StatusIndex::PER_LIST * StatusIndex::PER_LIST;
    let never: Vec<u64> = (list..).filter(|index| !given.contains(index)).take(200).collect();
    let mixed = [&given[..], &never, &[0, StatusIndex::END - 1]].concat();
    let problem = node.change(&json!({ "action": "suspend", "indices": mixed })).await.problem(422, "refused-entries");
    assert_eq!((&problem["errorCount"], problem["errors"].as_array().map(Vec::len)), (&json!(202), Some(100)));
    assert_eq!(problem["errors"][0]["path"], "/indices/2");
    assert_eq!(problem["errors"][0]["problem"], "never-assigned");
    assert!(node.nothing_is_kept());

    let elsewhere = json!({ "action": "suspend", "indices": mixed, "assignedElsewhere": true });
    assert_eq!(node.change(&elsewhere).await.json()["count"], 204);
    let theirs = node.token_of(OTHER, [Scope::Revoke]);
    let body = json!({ "action": "revoke", "indices": given }).to_string();
    let reply = node.post(&path(OTHER, "changes"), "application/json", &theirs, body).await;
    reply.problem(422, "refused-entries");
}

#[tokio::test]
async fn what_is_revoked_stays_so() {
    let node = Node::new();
    let given = node.given(4).await;
    let reinstate = |indices: &[u64]| json!({ "action": "reinstate", "indices": indices });
    assert_eq!(node.change(&reinstate(&given)).await.status, 202, "what is not suspended is not refused");
    node.change(&json!({ "action": "revoke", "indices": [given[1]] })).await;
    let problem = node.change(&reinstate(&given)).await.problem(422, "refused-entries");
    assert_eq!((&problem["errorCount"], &problem["errors"][0]["path"]), (&json!(1), &json!("/indices/1")));
    assert_eq!(problem["errors"][0]["problem"], "revoked");

    // Somebody else of the issuer revoked another one on chain, and ours is final there.
    let mut tree = StatusTree::default();
    tree.toggle(&[StatusIndex::new(given[3]).unwrap()]);
    *node.on_chain.lock().unwrap() = Some(tree);
    let problem = node.change(&reinstate(&given)).await.problem(422, "refused-entries");
    let paths: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| error["path"].clone()).collect();
    assert_eq!(paths, [json!("/indices/1"), json!("/indices/3")]);
    let record = node
        .state
        .store
        .changes_of(ISSUER, None)
        .map(Result::unwrap)
        .find(|c| c.action.purpose() == Purpose::REVOCATION);
    let at = UpdatedAt { epoch: 1, block: BlockNumber(9), time: UnixSeconds(3000), transaction: Hash([3; 32]) };
    let done = ChangeRecord { state: ChangeState::Final { at }, ..record.unwrap() };
    node.state.store.put_changes(&[done], None).unwrap();
    *node.on_chain.lock().unwrap() = None;
    node.change(&reinstate(&given[1..2])).await.problem(422, "refused-entries");
    assert_eq!(node.change(&reinstate(&[given[0], given[2]])).await.status, 202);
}

#[tokio::test]
async fn a_body_that_says_nothing_clear_is_refused_where_it_is() {
    let node = Node::new();
    let bad = [
        (json!({ "action": "revoke", "indices": [1, 2, "x"] }), "/indices/2"),
        (json!({ "action": "revoke", "indices": [StatusIndex::END] }), "/indices/0"),
        (json!({ "action": "revoke", "indices": [-1] }), "/indices/0"),
        (json!({ "action": "revoke", "digests": ["ab"] }), "/digests/0"),
        (json!({ "action": "delete", "indices": [1] }), "/action"),
        (json!({ "action": "revoke", "indices": [1], "reason": 256 }), "/reason"),
    ];
    for (body, place) in bad {
        let problem = node.change(&body).await.problem(400, "bad-request");
        assert_eq!(problem["path"], place, "{body}");
        assert!(problem["detail"].as_str().unwrap().contains(place), "{problem}");
    }
    for body in [
        json!({ "action": "revoke" }),
        json!({ "action": "revoke", "indices": [] }),
        json!({ "action": "revoke", "indices": [1], "digests": digests(1) }),
        json!({ "indices": [1] }),
        json!({ "action": "revoke", "indices": [1], "colour": 1 }),
    ] {
        node.change(&body).await.problem(400, "bad-request");
    }
    let changes = path(ISSUER, "changes");
    node.post(&changes, "application/json", &node.token, "{\"action\":").await.problem(400, "bad-request");
    node.post(&changes, "application/json", &node.token, "").await.problem(400, "bad-request");
    node.post(&changes, "text/plain", &node.token, "{}").await.problem(415, "media-type");
    node.post(&changes, "application/json", "", "{}").await.problem(401, "no-token");
    let submitter = node.token_of(ISSUER, [Scope::Submit]);
    node.post(&changes, "application/json", &submitter, "{}").await.problem(403, "missing-scope");
    node.get(&changes).await.problem(401, "no-token");
    assert!(node.nothing_is_kept());
}

#[tokio::test]
async fn a_hundred_thousand_are_taken_and_one_more_is_not() {
    let node = Node::new();
    let many = |count: u64| json!({ "action": "revoke", "indices": (0..count).collect::<Vec<_>>(), "assignedElsewhere": true });
    let problem = node.change(&many(100_001)).await.problem(413, "too-many-entries");
    assert_eq!(problem["limit"], 100_000);
    assert!(node.nothing_is_kept());
    assert_eq!(node.change(&many(100_000)).await.json()["count"], 100_000);
    assert_eq!(node.indices_of(1).len(), 100_000);
    let problem = node.change(&json!({ "action": "revoke", "indices": (0..100_000_u64).collect::<Vec<_>>() })).await;
    assert!(problem.problem(422, "refused-entries")["errorCount"].as_u64() > Some(99_000));
}

#[tokio::test]
async fn a_full_disk_refuses_a_change_but_answers_the_one_that_is_kept() {
    let node = Node::new();
    let body = json!({ "action": "revoke", "indices": node.given(1).await });
    let kept = node.change_with_key("k", &body).await.json();
    let node = node.again(|limits| limits.disk_reserve_bytes = u64::MAX).await;
    assert_eq!(node.change_with_key("k", &body).await.json(), kept, "also after a restart");
    node.change(&body).await.problem(507, "disk-full");
    assert_eq!(node.state.store.all_changes().count(), 1);
}

#[tokio::test]
async fn changes_are_listed_newest_first() {
    let node = Node::new();
    let indices = node.given(1).await;
    for _ in 0..5 {
        node.change(&json!({ "action": "suspend", "indices": indices })).await;
    }
    let numbers = |reply: &Reply| {
        let page = reply.json();
        let changes = page["changes"].as_array().unwrap().iter().map(|change| change["change"].as_u64().unwrap());
        (changes.collect::<Vec<_>>(), page["next"].as_u64())
    };
    let first = node.get_with_token(&path(ISSUER, "changes?limit=2")).await;
    assert_eq!(numbers(&first), (vec![5, 4], Some(4)));
    let next = node.get_with_token(&path(ISSUER, "changes?limit=3&before=4")).await;
    assert_eq!(numbers(&next), (vec![3, 2, 1], None));
    node.get_with_token(&path(ISSUER, "changes?page=2")).await.problem(400, "bad-request");
}
