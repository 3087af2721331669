//! `GET /v1/issuers/{issuer}/status/{purpose}/snapshot`: all settled bits as a file for other mirrors.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{
    access::parse_issuer,
    extract::Segments,
    problem::{Kind, Problem},
};
use crate::mirror::Mirror;

/// Snapshots made at the same time: each may take many megabytes.
const AT_ONCE: usize = 2;

/// The route.
pub fn routes<S: Clone + Send + Sync + 'static>(mirror: Mirror) -> Router<S> {
    let state = (mirror, Arc::new(Semaphore::new(AT_ONCE)));
    Router::new().route("/v1/issuers/{issuer}/status/{purpose}/snapshot", get(snapshot)).with_state(state)
}

/// All settled bits, as a snapshot file that any mirror can import.
///
/// Whoever imports it checks it against the chain before use. The same update always makes the same file.
#[utoipa::path(
    get, path = "/v1/issuers/{issuer}/status/{purpose}/snapshot", tag = "read",
    params(
        ("issuer" = String, Path, description = "The issuer's account"),
        ("purpose" = String, Path, description = "`revocation`, `suspension` or a number up to 255"),
    ),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304, description = "The file is the one that the request names in `If-None-Match`"),
        (status = "4XX", body = super::api::Problem),
    ),
)]
pub async fn snapshot(
    State((mirror, places)): State<(Mirror, Arc<Semaphore>)>,
    Segments((issuer, purpose)): Segments<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let issuer = parse_issuer(&issuer)?;
    let wrong = |error| Problem::new(Kind::BadRequest, format!("the purpose in the path: {error}"));
    let view = mirror.wanted(issuer, purpose.parse().map_err(wrong)?).await?;
    let damaged = |fault: testamur_chain::Error| Problem::new(Kind::StatusDamaged, fault.to_string());
    let snapshot = mirror.snapshot(&view).map_err(damaged)?;
    let (root, block) = (snapshot.of.root, snapshot.of.block);
    let tag = format!("\"{}-{block}-{root}\"", snapshot.of.epoch);
    let kept = [
        (header::ETAG, HeaderValue::try_from(&tag).map_err(|error| Problem::internal(&error))?),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60")),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    let Ok(_place) = places.try_acquire() else {
        return Err(Problem::new(Kind::Busy, "another snapshot is being made; try again in a moment"));
    };
    let made = spawn_blocking(move || snapshot.to_bytes()).await.map_err(|error| Problem::internal(&error))?;
    let file = made.map_err(|error| Problem::internal(&error))?;
    Ok((kept, [(header::CONTENT_TYPE, "application/octet-stream")], file).into_response())
}
