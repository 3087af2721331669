//! A line to a chain or a node that fails on demand: a proxy that a test steers by the method of JSON-RPC, or by what the
//! path of a node's API is about (`digests`, `indices`, `receipts`, `batches`, `changes`, …).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::IntoResponse,
};
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
        let router = Router::new().fallback(forward).with_state(upstream);
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

async fn forward(
    State(upstream): State<Upstream>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let name = name(&uri, &body);
    let fault = upstream.line.faults.lock().expect("not poisoned").get(&name).copied();
    let answer = match fault {
        Some(Fault::Failed | Fault::Hangs) => None,
        _ => send(&upstream, method, &uri, headers, body).await,
    };
    *upstream.line.calls.lock().expect("not poisoned").entry(name).or_default() += 1;
    let failed = (StatusCode::BAD_GATEWAY, HeaderMap::new(), Bytes::new());
    match fault {
        None => answer.unwrap_or(failed),
        Some(Fault::Hangs | Fault::HangsButTookEffect) => std::future::pending().await,
        Some(Fault::Failed | Fault::FailedButTookEffect) => failed,
    }
}

/// What a call is steered by.
fn name(uri: &Uri, body: &[u8]) -> String {
    let call: Option<Value> = serde_json::from_slice(body).ok();
    if let Some(method) = call.as_ref().and_then(|call| call["method"].as_str()) {
        return method.to_owned();
    }
    let mut path = uri.path().split('/').filter(|part| !part.is_empty() && *part != "v1");
    match path.next() {
        Some("issuers") => path.nth(1),
        other => other,
    }
    .unwrap_or_default()
    .to_owned()
}

async fn send(
    upstream: &Upstream,
    method: Method,
    uri: &Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Option<(StatusCode, HeaderMap, Bytes)> {
    headers.remove(header::HOST);
    headers.remove(header::CONTENT_LENGTH);
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let url = format!("{}{}", upstream.url, path.trim_end_matches('/'));
    let response = upstream.client.request(method, url).headers(headers).body(body).send().await.ok()?;
    let (status, mut headers) = (response.status(), response.headers().clone());
    headers.remove(header::TRANSFER_ENCODING);
    headers.remove(header::CONTENT_LENGTH);
    Some((status, headers, response.bytes().await.ok()?))
}
