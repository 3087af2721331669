//! `GET /v1/issuers/{issuer}/status/{purpose}/updates`: how an issuer's status came to be what it is.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use testamur_core::Purpose;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use super::{
    access::parse_issuer,
    batches::Spent,
    extract::{Parameters, Segments},
    problem::{Kind, Problem},
};
use crate::{
    mirror::{Mirror, updates::Update},
    store::{Store, StoreError},
};

/// What updates are read from.
pub struct Reads {
    mirror: Mirror,
    /// Knows what our own transactions cost; a mirror has none.
    store: Option<Arc<Store>>,
}

/// The route.
pub fn routes<S: Clone + Send + Sync + 'static>(mirror: Mirror, store: Option<Arc<Store>>) -> Router<S> {
    let reads = Arc::new(Reads { mirror, store });
    Router::new().route("/v1/issuers/{issuer}/status/{purpose}/updates", get(updates)).with_state(reads)
}

/// Which page.
#[derive(Clone, Copy, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Before {
    /// Only updates with a smaller number: the `next` of the page before.
    before: Option<u64>,
}

/// An update, and what it cost where this node wrote it.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    update: Update,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<Spent>,
}

/// An issuer's status updates of one purpose, whoever wrote them; newest first, 50 at a time.
#[utoipa::path(
    get, path = "/v1/issuers/{issuer}/status/{purpose}/updates", tag = "read",
    params(
        ("issuer" = String, Path, description = "The issuer's account"),
        ("purpose" = String, Path, description = "`revocation`, `suspension` or a number up to 255"), Before,
    ),
    responses((status = 200, body = Updates), (status = "4XX", body = super::api::Problem)),
)]
pub async fn updates(
    State(reads): State<Arc<Reads>>,
    Segments((issuer, purpose)): Segments<(String, String)>,
    Parameters(Before { before }): Parameters<Before>,
) -> Result<Response, Problem> {
    let issuer = parse_issuer(&issuer)?;
    let wrong = |error| Problem::new(Kind::BadRequest, format!("the purpose in the path: {error}"));
    let purpose: Purpose = purpose.parse().map_err(wrong)?;
    let page = reads.mirror.updates(issuer, purpose, before).await?;
    let store = reads.store.clone();
    let told = spawn_blocking(move || page.updates.into_iter().map(|update| tell(update, store.as_deref())).collect());
    let told: Result<Vec<Told>, StoreError> = told.await.map_err(|error| Problem::internal(&error))?;
    let body = json!({
        "issuer": issuer,
        "chain": reads.mirror.chain(),
        "registry": reads.mirror.registry().address(),
        "purpose": purpose,
        "block": page.block,
        "count": page.count,
        "since": page.since,
        "updates": told?,
        "next": page.next,
    });
    Ok(([(header::CACHE_CONTROL, "public, max-age=12")], Json(body)).into_response())
}

fn tell(update: Update, store: Option<&Store>) -> Result<Told, StoreError> {
    let cost = store.map_or(Ok(None), |store| store.cost(update.transaction))?;
    Ok(Told { update, cost: cost.filter(|cost| cost.block == update.block).map(Spent::from) })
}

/// Some of an issuer's status updates.
#[derive(ToSchema)]
pub struct Updates {
    /// The issuer's account.
    pub issuer: String,
    /// The chain (CAIP-2).
    pub chain: String,
    /// The registry contract.
    pub registry: String,
    /// 0: revocation, 1: suspension.
    pub purpose: u8,
    /// The block at which they were read.
    pub block: super::api::status::Block,
    /// How many there are in all.
    pub count: u64,
    /// The number of the oldest that is told here; those before it are on the chain.
    pub since: u64,
    /// At most 50, the newest first.
    pub updates: Vec<StatusUpdate>,
    /// The `before` of the next page; null on the last one.
    pub next: Option<u64>,
}

/// One status update.
#[derive(ToSchema)]
pub struct StatusUpdate {
    /// Its number, from 1.
    pub epoch: u64,
    /// The root that it states.
    pub root: String,
    /// How many bits it toggles; null where what was published cannot be read.
    pub toggled: Option<u64>,
    /// Its block.
    pub block: u64,
    /// The time of that block, in seconds since 1970.
    pub time: u64,
    /// Its transaction.
    pub transaction: String,
    /// Whether its block is settled.
    pub settled: bool,
    /// What its transaction cost, where this node sent it.
    pub cost: Option<Spent>,
}
