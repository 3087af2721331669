//! The HTTP interface: one file for each resource, [`problem`] for every refusal.

mod accept;
pub mod access;
pub mod anchors;
pub mod api;
mod batches;
mod body;
mod changes;
mod extract;
mod feed;
mod history;
mod indices;
mod lists;
pub(crate) mod node;
mod offenders;
pub mod problem;
mod receipts;
pub mod snapshot;
pub mod status;
mod submit;
pub mod updates;

use std::{collections::BTreeSet, panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    Json, Router,
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures::FutureExt;
use serde::Serialize;
use testamur_core::{Address, ChainId};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;
use tower_http::cors::{Any, CorsLayer};

use self::{
    access::{Peer, Rates},
    problem::{Kind, Problem},
};
use crate::{
    changes::Changes,
    config::Limits,
    disk::Disk,
    events,
    health::Health,
    ledger::Ledger,
    metrics::{Answered, Metrics},
    pages,
    seal::SealPolicy,
    store::Store,
    tokens::Tokens,
    trees::Trees,
};

/// Whether a receipt's anchor is included or final.
const STATE_HEADER: HeaderName = HeaderName::from_static("testamur-state");

/// What requests are answered from.
pub struct AppState {
    /// The accounts for which digests are taken.
    pub issuers: BTreeSet<Address>,
    /// The chain.
    pub chain: ChainId,
    /// The registry contract.
    pub registry: Address,
    /// Endpoints that the page for verifying offers.
    pub public_rpc: Vec<String>,
    /// The account that sends the node's transactions.
    pub operator: Address,
    /// When batches are sealed.
    pub seal: SealPolicy,
    /// Limits on requests.
    pub limits: Limits,
    /// What is on disk.
    pub store: Arc<Store>,
    /// The way to the writer.
    pub ledger: Ledger,
    /// The way for changes of status.
    pub changes: Changes,
    /// Trees of sealed batches.
    pub trees: Arc<Trees>,
    /// Who may write.
    pub tokens: Tokens,
    /// What happens to batches.
    pub events: events::Sender,
    /// What is wrong.
    pub health: Health,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The free space.
    pub disk: Arc<Disk>,
    /// How often one may ask.
    pub rates: Rates,
    /// How many requests may be under way.
    pub places: Semaphore,
    /// Ends streams that would never end.
    pub shutdown: CancellationToken,
}

/// All routes. `status` are those of [`status::routes`].
pub fn router(state: Arc<AppState>, status: Router<Arc<AppState>>) -> Router {
    let routes = Router::new()
        .route("/v1/issuers/{issuer}/digests", post(submit::submit))
        .route("/v1/issuers/{issuer}/indices", post(indices::reserve))
        .route("/v1/issuers/{issuer}/changes", post(changes::change).get(changes::list))
        .route("/v1/issuers/{issuer}/changes/{change}", get(changes::one))
        .route("/v1/issuers/{issuer}/seal", post(batches::seal))
        .route("/v1/issuers/{issuer}/receipts/{digest}", get(receipts::receipt))
        .route("/v1/issuers/{issuer}/history", get(history::history))
        .route("/v1/issuers/{issuer}/batches", get(batches::list))
        .route("/v1/issuers/{issuer}/batches/{batch}", get(batches::one))
        .route("/v1/issuers/{issuer}/batches/{batch}/receipts", get(batches::receipts))
        .route("/v1/batches/{root}", get(batches::by_root))
        .route("/v1/events", get(feed::events))
        .route("/v1/node", get(node::node))
        .route("/v1/token", get(node::own_token))
        .route("/healthz", get(node::healthz))
        .route("/readyz", get(node::readyz))
        .route("/metrics", get(node::metrics))
        .route("/openapi.json", get(api::openapi))
        .route("/docs", get(api::docs))
        .route("/docs/style.css", get(api::style))
        .route("/verify/config.json", get(node::verify_settings))
        .merge(pages::routes())
        .merge(status);
    guarded(routes, state)
}

/// What requests pass before they are answered: the same in a node and in a mirror.
pub(crate) trait Gate: Send + Sync + 'static {
    /// How often one may ask.
    fn rates(&self) -> &Rates;
    /// How many requests may be under way.
    fn places(&self) -> &Semaphore;
    /// What is counted.
    fn metrics(&self) -> &Metrics;
}

impl Gate for AppState {
    fn rates(&self) -> &Rates {
        &self.rates
    }

    fn places(&self) -> &Semaphore {
        &self.places
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

/// Routes with all that surrounds them: refusals, CORS, limits, and what is told of each request.
pub(crate) fn guarded<S: Gate>(routes: Router<Arc<S>>, state: Arc<S>) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        // Pages may ask for the status of many. What needs a token they cannot send: that header is not allowed.
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers([header::CONTENT_TYPE])
        .expose_headers([STATE_HEADER, header::ETAG, header::RETRY_AFTER])
        // All are answered alike, so a cache may give one's answer to another.
        .vary([]);
    // One layer: each is paid for with every request.
    let layers = ServiceBuilder::new().layer(middleware::from_fn_with_state(state.clone(), admit::<S>)).layer(cors);
    routes
        .method_not_allowed_fallback(async || Problem::new(Kind::WrongMethod, "see /docs for the methods"))
        .fallback(async || Problem::new(Kind::NoSuchPath, "see /docs for the paths"))
        .layer(layers)
        .with_state(state)
}

/// Lets a request in if there is a place for it, and tells how it was answered: method, route and status, never
/// digests or peers.
async fn admit<S: Gate>(State(gate): State<Arc<S>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = method_name(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or_else(String::new, |path| path.as_str().to_owned());
    let response = answer(&*gate, request, next).await;
    let after = started.elapsed();
    let how = Answered { method, route, status: response.status().as_u16() };
    gate.metrics().answered(&how, after);
    let (route, status) = (&how.route, how.status);
    if status >= 500 {
        tracing::warn!(method, %route, status, ?after, "answered");
    } else {
        tracing::debug!(method, %route, status, ?after, "answered");
    }
    response
}

async fn answer(gate: &impl Gate, request: Request, next: Next) -> Response {
    if let Some(peer) = request.extensions().get::<Peer>()
        && let Err(refused) = gate.rates().count_peer(*peer)
    {
        return refused.into_response();
    }
    let Ok(_place) = gate.places().try_acquire() else {
        return Problem::new(Kind::Busy, "try again in a moment").into_response();
    };
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.unwrap_or_else(|_| Problem::internal(&"a request panicked").into_response())
}

/// A method may be any text, and labels must not be.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// 200 with these headers, and room for those that are still to come.
fn ok<const N: usize>(headers: [(HeaderName, HeaderValue); N], body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.headers_mut() = HeaderMap::with_capacity(N + 8);
    response.headers_mut().extend(headers);
    response
}

/// 202: what was asked for is not there yet.
fn not_yet(body: &impl Serialize) -> Response {
    let headers = [(header::RETRY_AFTER, "2"), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::ACCEPTED, headers, Json(body)).into_response()
}
