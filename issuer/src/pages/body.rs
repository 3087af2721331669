//! Request bodies: of a stated type, neither too large nor too slow.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use futures::StreamExt as _;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use super::problem::{Kind, Problem};

/// How long a small body may take; a large one has a second more for each [`SLOWEST`] bytes.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that a slow sender must deliver each second.
const SLOWEST: usize = 4 << 10;
/// Bytes of a body that holds no content.
pub const SMALL: usize = 4 << 10;

/// What a JSON body says. Faults are told without what was sent, which may be a secret.
pub async fn json<T: DeserializeOwned>(headers: &HeaderMap, body: Body, limit: usize) -> Result<T, Problem> {
    if media_type(headers) != "application/json" {
        return Err(Problem::new(Kind::MediaType, "Content-Type must be application/json"));
    }
    let bytes = whole(body, limit).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Data => "a member is missing, unknown, or of a wrong type",
            _ => "it is no JSON",
        };
        let (line, column) = (error.line(), error.column());
        Problem::new(Kind::BadRequest, format!("the body, line {line}, column {column}: {what}"))
    })
}

/// All of it, of at most so many bytes.
pub async fn whole(body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let (started, mut stream, mut bytes) = (Instant::now(), body.into_data_stream(), Vec::new());
    loop {
        let deadline = started + PATIENCE + Duration::from_secs((bytes.len() / SLOWEST) as u64);
        let slow = |_| Problem::new(Kind::TooSlow, "send it faster");
        let Some(piece) = timeout_at(deadline, stream.next()).await.map_err(slow)? else { return Ok(bytes) };
        let piece = piece.map_err(|_| Problem::new(Kind::BodyBrokeOff, "the connection ended inside the body"))?;
        if bytes.len() + piece.len() > limit {
            return Err(Problem::new(Kind::TooLarge, format!("at most {limit} bytes are taken")));
        }
        bytes.extend_from_slice(&piece);
    }
}

/// The `Content-Type` without parameters, in lower case.
pub fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
