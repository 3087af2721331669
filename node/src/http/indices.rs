//! `POST /v1/issuers/{issuer}/indices`: status indices ahead of issuing.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use testamur_core::StatusIndex;

use super::{
    AppState,
    access::authorize,
    body::{MAX_ENTRIES, json_body, parse_document, too_many},
    extract::Segments,
    problem::{Kind, Problem},
};
use crate::tokens::Scope;

/// How many status indices are wanted.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "count": 3 }))]
pub struct Count {
    /// 1 to 100,000.
    count: usize,
}

/// Status indices that nothing else gets.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(example = json!({ "indices": [4711, 90210, 1337] }))]
pub struct Indices {
    /// In no order that would tell anything.
    #[schema(value_type = Vec<u64>)]
    indices: Vec<StatusIndex>,
}

/// Reserves status indices.
///
/// So that a credential can carry its `credentialStatus` before it is signed; its digest is then submitted together with
/// its index, as an entry. The reply comes when they are on disk. They are given to nothing else, used or not.
#[utoipa::path(
    post, path = "/v1/issuers/{issuer}/indices", tag = "write", security(("token" = ["submit"])),
    params(("issuer" = String, Path, description = "The issuer's account")),
    request_body = Count,
    responses(
        (status = 201, description = "Reserved", body = Indices),
        (status = "4XX", body = super::api::Problem), (status = "5XX", body = super::api::Problem),
    ),
)]
pub async fn reserve(
    State(state): State<Arc<AppState>>,
    Segments(issuer): Segments<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let issuer = authorize(&state, &headers, &issuer, Scope::Submit)?;
    let Count { count } = parse_document(&json_body(&state, &headers, body).await?, Kind::BadRequest)?;
    let wanted = match count {
        0 => return Err(Problem::new(Kind::BadRequest, "reserve at least one")),
        1..=MAX_ENTRIES => count as u32,
        _ => return Err(too_many(count)),
    };
    let indices = state.ledger.reserve(issuer, wanted).await?;
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(Indices { indices })).into_response())
}
