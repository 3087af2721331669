//! A line to a chain that fails on demand: a JSON-RPC proxy that a test steers by method.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use serde_json::Value;
use tokio::runtime::Runtime;

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It never reaches the chain; the caller gets an error.
    Failed,
    /// It reaches the chain and takes effect; the caller gets an error all the same.
    FailedButTookEffect,
    /// It never reaches the chain, and the caller waits for ever.
    Hangs,
    /// It reaches the chain and takes effect, and the caller waits for ever.
    HangsButTookEffect,
}

/// What the proxy was told and has seen.
#[derive(Default)]
struct Line {
    faults: Mutex<HashMap<String, Fault>>,
    calls: Mutex<HashMap<String, usize>>,
}

/// A running proxy. It ends when dropped.
pub struct Proxy {
    /// Where to reach it.
    pub url: String,
    line: Arc<Line>,
    _runtime: Runtime,
}

#[derive(Clone)]
struct Upstream {
    url: String,
    client: reqwest::Client,
    line: Arc<Line>,
}

impl Proxy {
    /// Starts a faultless line to an endpoint.
    pub fn to(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let line = Arc::new(Line::default());
        let upstream = Upstream { url: url.to_owned(), client: reqwest::Client::new(), line: line.clone() };
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let router = Router::new().route("/", post(forward)).with_state(upstream);
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url, line, _runtime: runtime }
    }

    /// From now on calls of this method go wrong in this way; `None`: they go well again.
    pub fn set(&self, method: &str, fault: Option<Fault>) {
        let mut faults = self.line.faults.lock().expect("not poisoned");
        match fault {
            Some(fault) => faults.insert(method.to_owned(), fault),
            None => faults.remove(method),
        };
    }

    /// How often a method was called so far, whatever came of it.
    pub fn calls(&self, method: &str) -> usize {
        self.line.calls.lock().expect("not poisoned").get(method).copied().unwrap_or(0)
    }
}

async fn forward(State(upstream): State<Upstream>, body: Bytes) -> impl IntoResponse {
    let method = serde_json::from_slice::<Value>(&body).ok();
    let method = method.as_ref().and_then(|call| call["method"].as_str()).unwrap_or_default().to_owned();
    let fault = upstream.line.faults.lock().expect("not poisoned").get(&method).copied();
    let answer = match fault {
        Some(Fault::Failed | Fault::Hangs) => None,
        _ => send(&upstream, body).await,
    };
    *upstream.line.calls.lock().expect("not poisoned").entry(method).or_default() += 1;
    match fault {
        None => {}
        Some(Fault::Hangs | Fault::HangsButTookEffect) => std::future::pending().await,
        Some(Fault::Failed | Fault::FailedButTookEffect) => return (StatusCode::BAD_GATEWAY, Bytes::new()),
    }
    answer.map_or((StatusCode::BAD_GATEWAY, Bytes::new()), |answer| (StatusCode::OK, answer))
}

async fn send(upstream: &Upstream, body: Bytes) -> Option<Bytes> {
    let request = upstream.client.post(&upstream.url).header("content-type", "application/json").body(body);
    request.send().await.ok()?.bytes().await.ok()
}
