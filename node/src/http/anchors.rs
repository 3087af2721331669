//! `GET /v1/issuers/{issuer}/anchors`: what the chain says of an issuer's anchors.

use axum::{
    Json, Router,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::json;
use testamur_core::Hash;
use utoipa::ToSchema;

use super::{
    access::parse_issuer,
    extract::{Parameters, Segments},
    problem::{Kind, Problem},
};
use crate::mirror::Mirror;

/// The route.
pub fn routes<S: Clone + Send + Sync + 'static>(mirror: Mirror) -> Router<S> {
    Router::new()
        .route("/v1/issuers/{issuer}/anchors", get(anchors))
        .route("/v1/issuers/{issuer}/anchors/{root}", get(anchor))
        .with_state(mirror)
}

/// Which page.
#[derive(Clone, Copy, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Before {
    /// Only anchors with a smaller number: the `next` of the page before.
    before: Option<u64>,
}

/// An issuer's anchors as event and contract state them, whoever wrote them; newest first, 50 at a time.
#[utoipa::path(
    get, path = "/v1/issuers/{issuer}/anchors", tag = "read",
    params(("issuer" = String, Path, description = "The issuer's account"), Before),
    responses((status = 200, body = Anchors), (status = "4XX", body = super::api::Problem)),
)]
pub async fn anchors(
    State(mirror): State<Mirror>,
    Segments(issuer): Segments<String>,
    Parameters(Before { before }): Parameters<Before>,
) -> Result<Response, Problem> {
    let issuer = parse_issuer(&issuer)?;
    let page = mirror.anchors(issuer, before).await?;
    let body = json!({
        "issuer": issuer,
        "chain": mirror.chain(),
        "registry": mirror.registry().address(),
        "block": page.block,
        "count": page.count,
        "anchors": page.anchors,
        "next": page.next,
    });
    Ok(([(header::CACHE_CONTROL, "public, max-age=12")], Json(body)).into_response())
}

/// What the contract says of one root, at the newest block.
#[utoipa::path(
    get, path = "/v1/issuers/{issuer}/anchors/{root}", tag = "read",
    params(("issuer" = String, Path, description = "The issuer's account"), ("root" = String, Path, description = "The root, 0x and 64 hex digits")),
    responses((status = 200, body = AnchorOfRoot), (status = "4XX", body = super::api::Problem)),
)]
pub async fn anchor(
    State(mirror): State<Mirror>,
    Segments((issuer, root)): Segments<(String, String)>,
) -> Result<Response, Problem> {
    let (issuer, root) = (parse_issuer(&issuer)?, parse_root(&root)?);
    let unknown = || Problem::new(Kind::UnknownBatch, "the contract holds no such root of this issuer");
    let (slot, look) = mirror.anchor(issuer, root).await?.ok_or_else(unknown)?;
    let body = json!({
        "issuer": issuer,
        "chain": mirror.chain(),
        "registry": mirror.registry().address(),
        "at": look.head,
        "root": root,
        "size": slot.size,
        "block": slot.block,
        "time": slot.time,
        "withdrawn": slot.withdrawn,
        "settled": slot.block <= look.settled.number,
    });
    Ok(([(header::CACHE_CONTROL, "public, max-age=12")], Json(body)).into_response())
}

/// The root in a path.
pub fn parse_root(text: &str) -> Result<Hash, Problem> {
    text.parse().map_err(|error| Problem::new(Kind::BadRequest, format!("the root in the path: {error}")))
}

/// What the contract says of one root.
#[derive(ToSchema)]
pub struct AnchorOfRoot {
    /// The issuer's account.
    pub issuer: String,
    /// The chain (CAIP-2).
    pub chain: String,
    /// The registry contract.
    pub registry: String,
    /// The block at which it was read.
    pub at: super::api::status::Block,
    /// The root.
    pub root: String,
    /// Leaves of the batch.
    pub size: u64,
    /// The block of the anchor.
    pub block: u64,
    /// The time of that block, in seconds since 1970.
    pub time: u64,
    /// Whether the issuer withdrew the whole batch.
    pub withdrawn: bool,
    /// Whether its block is settled.
    pub settled: bool,
}

/// Some of an issuer's anchors.
#[derive(ToSchema)]
pub struct Anchors {
    /// The issuer's account.
    pub issuer: String,
    /// The chain (CAIP-2).
    pub chain: String,
    /// The registry contract.
    pub registry: String,
    /// The block at which they were read.
    pub block: super::api::status::Block,
    /// How many there are in all.
    pub count: u64,
    /// At most 50, the newest first.
    pub anchors: Vec<Anchor>,
    /// The `before` of the next page; null on the last one.
    pub next: Option<u64>,
}

/// One anchor.
#[derive(ToSchema)]
pub struct Anchor {
    /// Its number among the issuer's anchors, from 0.
    pub number: u64,
    /// The root.
    pub root: String,
    /// Leaves of the batch.
    pub size: u64,
    /// Its block.
    pub block: u64,
    /// The time of that block, in seconds since 1970.
    pub time: u64,
    /// Its transaction.
    pub transaction: String,
    /// Whether the issuer withdrew the whole batch.
    pub withdrawn: bool,
    /// Whether its block is settled.
    pub settled: bool,
}
