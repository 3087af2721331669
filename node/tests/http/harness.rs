//! A node without a chain, in process, and what it answers.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use serde_json::{Value, json};
use testamur_core::{Address, BlockNumber, ChainId, Digest, Hash, UnixSeconds, registry, status::StatusTree};
use testamur_node::{
    changes::Changes,
    config::Limits,
    disk::Disk,
    events,
    health::Health,
    http::{AppState, access::Rates, router},
    ledger::{Ledger, Parts, Threads},
    metrics::Metrics,
    seal::SealPolicy,
    store::{AnchoredAt, BatchId, BatchState, Store},
    tokens::{Scope, TokenFile, Tokens},
    trees::Trees,
};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub const ISSUER: Address = Address([7; 20]);
pub const OTHER: Address = Address([8; 20]);
pub const ANCHOR: AnchoredAt =
    AnchoredAt { block: BlockNumber(9), time: UnixSeconds(3000), transaction: Hash([3; 32]) };

/// A node without a chain: tests say what would have been anchored.
pub struct Node {
    pub state: Arc<AppState>,
    pub router: Router,
    pub token: String,
    pub folder: tempfile::TempDir,
    threads: Threads,
    /// What the chain says is revoked; none: it cannot be seen.
    pub on_chain: Arc<Mutex<Option<StatusTree>>>,
}

/// What came back.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A problem of this kind; its body.
    pub fn problem(&self, status: u16, name: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let body = self.json();
        assert_eq!((&body["type"], &body["status"]), (&json!(format!("urn:testamur:problem:{name}")), &json!(status)));
        assert!(!body["detail"].as_str().unwrap().is_empty());
        body
    }
}

impl Node {
    pub fn new() -> Self {
        Self::with(|_| ())
    }

    pub fn with(change: impl FnOnce(&mut Limits)) -> Self {
        Self::on(tempfile::tempdir().unwrap(), change)
    }

    /// The same data in a new node.
    pub async fn again(self, change: impl FnOnce(&mut Limits)) -> Self {
        let Self { state, router, folder, threads, .. } = self;
        state.ledger.stop().await;
        tokio::task::spawn_blocking(move || threads.join()).await.unwrap();
        drop((state, router));
        Self::on(folder, change)
    }

    fn on(folder: tempfile::TempDir, change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits { disk_reserve_bytes: 0, ..Limits::default() };
        change(&mut limits);
        let seal = SealPolicy { max_size: 1 << 20, max_age: Duration::from_secs(3600) };
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let (health, metrics) = (Health::default(), Arc::new(Metrics::default()));
        let events = events::Sender::new(metrics.clone());
        let trees = Arc::new(Trees::new(store.clone(), 1 << 20));
        let disk = Arc::new(Disk::new(folder.path().to_owned(), limits.disk_reserve_bytes, health.clone()));
        let parts = Parts {
            store: store.clone(),
            policy: seal,
            trees: trees.clone(),
            events: events.clone(),
            wake: Arc::new(Notify::new()),
            health: health.clone(),
            metrics: metrics.clone(),
            disk: disk.clone(),
        };
        let (ledger, threads) = Ledger::start(parts).unwrap();
        let on_chain = Arc::new(Mutex::new(None));
        let chain = on_chain.clone();
        let revoked = Arc::new(move |_| chain.lock().unwrap().clone());
        let scopes = [Scope::Submit, Scope::Revoke, Scope::Admin].into();
        let (_, token) = TokenFile::new(folder.path()).create(ISSUER, scopes, "test").unwrap();
        let state = Arc::new(AppState {
            issuers: [ISSUER, OTHER].into(),
            chain: ChainId(31337),
            registry: registry::ADDRESS,
            public_rpc: Vec::new(),
            operator: Address([9; 20]),
            seal,
            changes: Changes::new(store.clone(), ledger.clone(), revoked, Arc::new(Notify::new())),
            store,
            ledger,
            trees,
            tokens: Tokens::new(folder.path()),
            events,
            health,
            metrics,
            disk,
            rates: Rates::new(limits.token_requests_per_second, limits.peer_requests_per_second),
            places: Semaphore::new(limits.requests),
            shutdown: CancellationToken::new(),
            limits,
        });
        Self { router: router(state.clone(), Router::new()), state, token, folder, on_chain, threads }
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Reply { status: head.status, headers: head.headers, bytes }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, media_type: &str, token: &str, body: impl Into<Body>) -> Reply {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, media_type);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    pub async fn submit(&self, media_type: &str, body: impl Into<Body>) -> Reply {
        self.post(&path(ISSUER, "digests"), media_type, &self.token, body).await
    }

    /// Submits some digests and seals them.
    pub async fn sealed(&self, digests: &[Digest]) -> BatchId {
        let body: Vec<u8> = digests.iter().flat_map(|digest| digest.0).collect();
        assert_eq!(self.submit("application/octet-stream", body).await.status, 200);
        let reply = self.post(&path(ISSUER, "seal"), "", &self.token, "").await;
        assert_eq!((reply.status.as_u16(), &reply.json()["state"]), (200, &json!("sealed")));
        BatchId(reply.json()["batch"].as_u64().unwrap())
    }

    /// As if anchoring had come this far.
    pub fn set_state(&self, id: BatchId, state: BatchState) {
        let record = self.state.store.batch(id).unwrap().unwrap();
        self.state.store.put_progress(&[testamur_node::store::BatchRecord { state, ..record }], None).unwrap();
    }

    pub fn token_of(&self, issuer: Address, scopes: impl IntoIterator<Item = Scope>) -> String {
        TokenFile::new(self.folder.path()).create(issuer, scopes.into_iter().collect(), "").unwrap().1
    }
}

pub fn path(issuer: Address, rest: &str) -> String {
    format!("/v1/issuers/{issuer}/{rest}")
}

pub fn digests(count: u8) -> Vec<Digest> {
    (0..count).map(|n| Digest([n + 1; 32])).collect()
}

pub fn raw(digests: &[Digest]) -> Vec<u8> {
    digests.iter().flat_map(|digest| digest.0).collect()
}
