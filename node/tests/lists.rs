//! Status over HTTP, from a mirror of a real chain: proofs and lists in every format, read back by our own core.

#![allow(clippy::unwrap_used)] // a test may panic

#[path = "mirror/scene.rs"]
#[allow(dead_code)] // the mirror's own tests need more of it
mod scene;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::Router;
use rand::{Rng, SeedableRng, rngs::StdRng};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use testamur_core::{
    Hash, ListNumber, Purpose, StatusIndex,
    status::{ListProof, StatusList, StatusProof, bitstring},
};
use testamur_node::{
    http::status::{StatusReads, routes},
    lists::{ANCHORED, Form, Lists, PublicUrl},
    mirror::Limits,
};
use tokio::net::TcpListener;

use scene::{CHAIN, REVOCATION, Running, Scene};

/// A server of status.
struct Server {
    url: String,
    client: Client,
}

impl Server {
    async fn start(scene: &Scene, running: &Running) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let reads = StatusReads {
            mirror: running.mirror.clone(),
            lists: Lists::open(scene.folder.path()).unwrap(),
            chain: CHAIN,
            registry: scene.registry(),
            public_url: PublicUrl::of(address),
        };
        let router: Router = routes(Arc::new(reads));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url: format!("http://{address}"), client: Client::new() }
    }

    fn path(&self, scene: &Scene, n: usize, rest: &str) -> String {
        format!("{}/v1/issuers/{}/status{rest}", self.url, scene.issuer(n))
    }

    async fn ask(&self, url: &str, headers: &[(&str, &str)]) -> Response {
        let request = headers.iter().fold(self.client.get(url), |request, (name, value)| request.header(*name, *value));
        request.send().await.unwrap()
    }

    async fn json(&self, url: &str) -> Value {
        let response = self.ask(url, &[("accept", "application/json")]).await;
        assert_eq!(response.status(), StatusCode::OK, "{url}");
        assert_eq!(header(&response, "content-type"), "application/json");
        response.json().await.unwrap()
    }

    /// A refusal of this kind.
    async fn problem(&self, url: &str, accept: &str, status: u16, name: &str) -> Value {
        refusal(self.ask(url, &[("accept", accept)]).await, status, name).await
    }
}

async fn refusal(response: Response, status: u16, name: &str) -> Value {
    let url = response.url().clone();
    assert_eq!(response.status().as_u16(), status, "{url}");
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    assert_eq!(response.headers().contains_key("retry-after"), status == 503, "{url}");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["type"], format!("urn:testamur:problem:{name}"), "{url}");
    body
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

/// Indices all over one list, from a fixed seed.
fn scattered(list: u32, count: usize) -> Vec<u64> {
    let (first, mut random) = (ListNumber::new(list).unwrap().first().get(), StdRng::seed_from_u64(list.into()));
    let mut indices: BTreeSet<u64> = [first, first + StatusIndex::PER_LIST - 1].into();
    while indices.len() < count {
        indices.insert(first + random.random_range(0..StatusIndex::PER_LIST));
    }
    indices.into_iter().collect()
}

#[tokio::test]
async fn proofs_lead_to_the_root_on_chain() {
    let Some(scene) = Scene::new("proofs_lead_to_the_root_on_chain").await else { return };
    let bits = [3, 200, 70_000, (1 << 40) - 1];
    scene.toggle(1, REVOCATION, &bits).await;
    scene.mine(4).await;
    let running = scene.mirror(&[1]).await;
    running.until("settled", scene.issuer(1), REVOCATION, |view| view.settled.record.epoch == 1).await;
    scene.toggle(1, REVOCATION, &[4]).await;
    running.until("two", scene.issuer(1), REVOCATION, |view| view.head.record.epoch == 2).await;
    let server = Server::start(&scene, &running).await;

    let proven = |answer: &Value, bit: &Value| {
        let (at, proof): (StatusIndex, StatusProof) = (read(&bit["index"]), read(&bit["proof"]));
        assert_eq!(proof.root(at).unwrap(), read::<Hash>(&answer["root"]));
        assert_eq!(proof.bit(at), bit["set"]);
        (at.get(), proof.bit(at))
    };
    for at in bits.into_iter().chain([0, 4, 201, 1 << 30]) {
        let answer = server.json(&server.path(&scene, 1, &format!("/revocation/{at}"))).await;
        assert_eq!(proven(&answer, &answer), (at, at == 4 || bits.contains(&at)));
        assert_eq!(
            (&answer["epoch"], &answer["purpose"], &answer["chain"]),
            (&json!(2), &json!(0), &json!("eip155:31337"))
        );
        assert_eq!(read::<Hash>(&answer["root"]), scene.root(1, REVOCATION));
        assert_eq!(answer["registry"], scene.registry().to_string());
        assert!(answer["block"]["number"].is_u64() && answer["block"]["time"].is_u64());
    }
    let settled = server.json(&server.path(&scene, 1, "/revocation/4?at=settled")).await;
    assert_eq!((proven(&settled, &settled), &settled["epoch"]), ((4, false), &json!(1)));
    // Where nothing was ever written, the proof leads to zero.
    let nothing = server.json(&server.path(&scene, 1, "/suspension/9")).await;
    assert_eq!((proven(&nothing, &nothing), read::<Hash>(&nothing["root"])), ((9, false), Hash::ZERO));

    let many = server.path(&scene, 1, "/revocation");
    let post = |body: Value| server.client.post(&many).body(body.to_string()).send();
    let answer: Value = post(json!({ "indices": [200, 5, 200] })).await.unwrap().json().await.unwrap();
    let all: Vec<_> = answer["statuses"].as_array().unwrap().iter().map(|bit| proven(&answer, bit)).collect();
    assert_eq!(all, [(200, true), (5, false), (200, true)]);
    let wrong = refusal(post(json!({ "indices": [1, 2, 1_u64 << 40] })).await.unwrap(), 400, "bad-request").await;
    assert_eq!(wrong["pointer"], "/indices/2");
    refusal(post(json!({ "indices": [], "x": 1 })).await.unwrap(), 400, "bad-request").await;
    refusal(post(json!({ "indices": vec![1; 10_001] })).await.unwrap(), 413, "too-large").await;

    let overview = server.json(&server.path(&scene, 1, "")).await;
    assert_eq!(overview["purposes"][0]["head"]["epoch"], 2);
    assert_eq!(
        (&overview["purposes"][0]["settled"]["lists"], &overview["purposes"][1]["head"]["epoch"]),
        (&json!(2), &json!(0))
    );
    let numbers = server.json(&server.path(&scene, 1, "/revocation/lists")).await;
    assert_eq!(numbers["lists"], json!([0, (1 << 23) - 1]));
    let numbers = server.json(&server.path(&scene, 1, "/revocation/lists?after=0")).await;
    assert_eq!((&numbers["lists"], &numbers["next"]), (&json!([(1 << 23) - 1]), &Value::Null));

    let hex = "00".repeat(20);
    for (url, name) in [
        (server.path(&scene, 1, "/revocation/1099511627776"), "bad-request"),
        (server.path(&scene, 1, "/revocation/x"), "bad-request"),
        (server.path(&scene, 1, "/256/1"), "bad-request"),
        (server.path(&scene, 1, "/revocation/1?at=yesterday"), "bad-request"),
        (server.path(&scene, 1, "/revocation/lists/8388608"), "bad-request"),
        (format!("{}/v1/issuers/0x{hex}/status/revocation/1", server.url), "not-followed"),
        (format!("{}/v1/issuers/{hex}/status", server.url), "bad-request"),
    ] {
        let status = if name == "not-followed" { 404 } else { 400 };
        server.problem(&url, "*/*", status, name).await;
    }
    running.stop().await;
}

#[tokio::test]
async fn a_list_has_one_content_in_every_form() {
    let Some(scene) = Scene::new("a_list_has_one_content_in_every_form").await else { return };
    let bits = scattered(5, 700);
    scene.toggle(1, REVOCATION, &bits).await;
    scene.toggle(1, REVOCATION, &[1, 1 << 33]).await;
    scene.toggle(1, Purpose(7), &bits).await;
    let running = scene.mirror(&[1]).await;
    running.until("both", scene.issuer(1), REVOCATION, |view| view.head.record.epoch == 2).await;
    let server = Server::start(&scene, &running).await;
    let url = server.path(&scene, 1, "/revocation/lists/5");
    let number = ListNumber::new(5).unwrap();
    let leads = |anchored: &Value, encoded: &Value| {
        let list = StatusList::from_bytes(&bitstring::decode(encoded.as_str().unwrap(), 16_384).unwrap()).unwrap();
        let path: ListProof = read(&anchored["path"]);
        assert_eq!(path.root(number, &list).unwrap(), scene.root(1, REVOCATION));
        assert_eq!((&anchored["root"], &anchored["epoch"]), (&json!(scene.root(1, REVOCATION)), &json!(2)));
        list.indices(number).map(StatusIndex::get).collect::<Vec<_>>()
    };

    let plain = server.json(&url).await;
    assert_eq!(leads(&plain, &plain["encodedList"]), bits);

    // By its URL alone a list is W3C's credential.
    let response = server.ask(&url, &[]).await;
    assert_eq!((header(&response, "content-type"), header(&response, "vary")), ("application/vc", "accept"));
    assert!(
        header(&response, "cache-control").starts_with("public, max-age=12"),
        "{}",
        header(&response, "cache-control")
    );
    let credential: Value = response.json().await.unwrap();
    assert_eq!(leads(&credential[ANCHORED]["@value"], &credential["credentialSubject"]["encodedList"]), bits);
    assert_eq!(credential["id"], url);
    let settled = server.ask(&format!("{url}?at=settled"), &[]).await.json::<Value>().await.unwrap();
    assert_eq!(settled["id"], format!("{url}?at=settled"));

    for form in Form::ALL {
        let accept = ("accept", form.media_type());
        let response = server.ask(&url, &[accept]).await;
        assert_eq!(header(&response, "content-type"), form.media_type());
        let tag = header(&response, "etag").to_owned();
        let first = response.bytes().await.unwrap();
        // Signed once: the same bytes again. With the tag nothing is sent, in another form it means nothing.
        assert_eq!(server.ask(&url, &[accept]).await.bytes().await.unwrap(), first);
        let weak = format!("\"other\", W/{tag}");
        for known in [tag.as_str(), weak.as_str(), "*"] {
            let unchanged = server.ask(&url, &[accept, ("if-none-match", known)]).await;
            assert_eq!((unchanged.status(), header(&unchanged, "etag")), (StatusCode::NOT_MODIFIED, tag.as_str()));
        }
        for other in Form::ALL.into_iter().filter(|other| *other != form) {
            let changed = server.ask(&url, &[("accept", other.media_type()), ("if-none-match", &tag)]).await;
            assert_eq!(changed.status(), StatusCode::OK);
        }
        let head = server.client.head(&url).header("accept", form.media_type()).send().await.unwrap();
        assert_eq!((head.status(), header(&head, "etag")), (StatusCode::OK, tag.as_str()));
        assert_eq!(header(&head, "content-length"), first.len().to_string());

        let other = server.path(&scene, 1, "/7/lists/5");
        if form == Form::Json {
            assert_eq!(server.json(&other).await["purpose"], 7);
        } else {
            server.problem(&other, form.media_type(), 406, "not-acceptable").await;
        }
    }
    server.problem(&url, "text/html", 406, "not-acceptable").await;
    let linked = server.ask(&url, &[("accept", "application/ld+json, application/json")]).await;
    assert_eq!(header(&linked, "content-type"), "application/ld+json");

    // A further update is another list.
    let before = server.ask(&url, &[]).await;
    scene.toggle(1, REVOCATION, &[bits[5] + 1]).await;
    running.until("three", scene.issuer(1), REVOCATION, |view| view.head.record.epoch == 3).await;
    assert_ne!(header(&server.ask(&url, &[]).await, "etag"), header(&before, "etag"));
    running.stop().await;
}

#[tokio::test]
async fn what_does_not_lead_to_the_root_is_never_served() {
    let Some(scene) = Scene::new("what_does_not_lead_to_the_root_is_never_served").await else { return };
    scene.toggle(1, REVOCATION, &[7]).await;
    scene.mine(4).await;
    let running = scene.mirror(&[1, 2]).await;
    running.until("one", scene.issuer(1), REVOCATION, |view| view.settled.record.epoch == 1).await;
    let server = Server::start(&scene, &running).await;
    scene.forge(1, REVOCATION, Hash([9; 32]), &[8]).await;
    running.until("the forgery", scene.issuer(1), REVOCATION, |view| view.head.record.epoch == 2).await;
    for rest in ["/revocation/7", "/revocation/lists", "/revocation/lists/0"] {
        for accept in ["application/json", "*/*"] {
            server.problem(&server.path(&scene, 1, rest), accept, 409, "status-damaged").await;
        }
    }
    let settled = server.json(&server.path(&scene, 1, "/revocation/7?at=settled")).await;
    assert_eq!((&settled["set"], &settled["epoch"]), (&json!(true), &json!(1)));
    let overview = server.json(&server.path(&scene, 1, "")).await;
    let revocation = &overview["purposes"][0];
    assert!(revocation["head"]["fault"].is_string() && revocation["head"]["lists"].is_null(), "{overview}");
    assert_eq!(revocation["findings"].as_array().unwrap().len(), 1);
    // Another issuer's, and this one's again once it is healed.
    server.json(&server.path(&scene, 2, "/revocation/7")).await;
    scene.settle(1, REVOCATION, &[7, 8]).await;
    running.until("healed", scene.issuer(1), REVOCATION, |view| view.head.record.epoch == 3).await;
    assert_eq!(server.json(&server.path(&scene, 1, "/revocation/8")).await["set"], true);
    running.stop().await;
}

#[tokio::test]
async fn a_chain_that_cannot_be_seen_is_no_answer() {
    let Some(scene) = Scene::new("a_chain_that_cannot_be_seen_is_no_answer").await else { return };
    scene.proxy.down(true);
    let limits = Limits { patience: Duration::from_millis(50), ..Limits::default() };
    let mut config = scene.config(&[1]);
    config.limits = limits;
    let running = Running::start(config).await;
    let server = Server::start(&scene, &running).await;
    for rest in ["", "/revocation/7", "/revocation/lists/0"] {
        let response = server.ask(&server.path(&scene, 1, rest), &[]).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key("retry-after"));
    }
    running.stop().await;
}
