//! What the node is and how it does.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{AppState, access::token, problem::Problem};
use crate::{health::Health, metrics::Metrics};

/// What this node is: chain, registry, issuers, limits.
#[utoipa::path(get, path = "/v1/node", tag = "read", responses((status = 200, body = super::api::Node)))]
pub async fn node(State(state): State<Arc<AppState>>) -> Json<Value> {
    Json(json!({
        "name": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "chain": state.chain,
        "registry": state.registry,
        "issuers": state.issuers,
        "operator": state.operator,
        "seal": { "maxSize": state.seal.max_size, "maxAgeSeconds": state.seal.max_age.as_secs_f64() },
        "limits": { "bodyBytes": state.limits.body_bytes, "jsonBodyBytes": state.limits.json_body_bytes },
    }))
}

/// What the page at `/verify/` begins with where this node serves it; its visitors may change all of it.
pub async fn verify_settings(State(state): State<Arc<AppState>>) -> Response {
    let settings = json!({
        "node": true,
        "endpoints": state.public_rpc,
        "chains": [state.chain],
        "registries": [state.registry],
    });
    ([(header::CACHE_CONTROL, "no-cache")], Json(settings)).into_response()
}

/// What the request's token is for.
#[utoipa::path(
    get, path = "/v1/token", tag = "read", security(("token" = [])),
    responses((status = 200, body = super::api::Token), (status = 401, body = super::api::Problem)),
)]
pub async fn own_token(State(state): State<Arc<AppState>>, headers: HeaderMap) -> Result<Response, Problem> {
    let token = token(&state, &headers)?;
    let body = json!({ "id": token.id, "name": token.name, "issuer": token.issuer, "scopes": token.scopes });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

/// Whether the process answers.
#[utoipa::path(get, path = "/healthz", tag = "operating", responses((status = 200, body = String)))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether the node can do all of its work; if not, why.
///
/// A node that is not ready goes on serving receipts, and takes digests unless its disk or store is the problem.
#[utoipa::path(
    get, path = "/readyz", tag = "operating",
    responses((status = 200, body = super::api::Ready), (status = 503, body = super::api::Ready)),
)]
pub async fn readyz(State(state): State<Arc<AppState>>) -> Response {
    state.disk.has_room();
    ready(&state.health)
}

/// Ready, or the reasons why not.
pub fn ready(health: &Health) -> Response {
    let reasons = health.reasons();
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (status, headers, Json(json!({ "ready": reasons.is_empty(), "reasons": reasons }))).into_response()
}

/// Prometheus metrics.
#[utoipa::path(get, path = "/metrics", tag = "operating", responses((status = 200, body = String)))]
pub async fn metrics(State(state): State<Arc<AppState>>) -> Result<Response, Problem> {
    scraped(&state.metrics, &state.health, state.disk.free())
}

/// What is counted, in the text format.
pub fn scraped(metrics: &Metrics, health: &Health, disk_free: Option<u64>) -> Result<Response, Problem> {
    let text = metrics.render(health.reasons().len(), disk_free);
    let text = text.map_err(|error| Problem::internal(&error))?;
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, media_type)], text).into_response())
}
