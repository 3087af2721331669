//! `POST /v1/claims/{id}`: a click on the claim page. Opening that page changes nothing, whoever fetches it.

use axum::{
    Json,
    body::Body,
    extract::{Path, Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::{
    Shared,
    access::{Counted, page_id},
    body::{self, SMALL},
    problem::{Kind, Problem},
    secret::Secret,
};

/// What the learner's browser sends.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimRequest {
    /// TOKEN of the claim link: 22 letters of base64url.
    token: String,
    /// OWNER, drawn by the browser: 22 letters of base64url.
    owner: String,
}

/// What is on the page.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ClaimReply {
    /// The names of its parts: `credential`, `certificate`.
    parts: Vec<String>,
}

/// Makes the page the learner's. A reply that was lost is had again with the same token and owner.
#[utoipa::path(
    post, path = "/v1/claims/{id}", request_body = ClaimRequest,
    responses(
        (status = 200, body = ClaimReply), (status = 403, description = "wrong-token"),
        (status = 404, description = "unknown-page"), (status = 409, description = "already-claimed"),
        (status = 410, description = "expired-claim, deleted-page"),
    )
)]
pub async fn claim(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    shared.rates.count(Counted::Claim, &parts.extensions, &parts.headers)?;
    let id = page_id(&id)?;
    let ClaimRequest { token, owner } = body::json(&parts.headers, body, SMALL).await?;
    let token = Secret::parse(&token)
        .ok_or_else(|| Problem::new(Kind::WrongToken, "look whether the link in the mail is complete"))?;
    let owner = Secret::parse(&owner)
        .ok_or_else(|| Problem::new(Kind::BadRequest, "`owner` must be 22 letters of base64url: 16 random bytes"))?;
    let now = shared.now();
    let parts = shared.with_store(move |store| store.claim(&id, &token.hash(), &owner.hash(), now)).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(ClaimReply { parts })).into_response())
}
