//! `GET /v1/issuers/{issuer}/status/{purpose}/snapshot`: all settled bits as a file for other mirrors.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use axum::{
    Router,
    body::{Body, Bytes},
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

/// What snapshots are made with.
pub struct Maker {
    mirror: Mirror,
    places: Semaphore,
    sent: Sent,
}

/// Files that are being sent, by whose they are and their tags: whoever asks for one of these gets the same memory.
#[derive(Default)]
struct Sent(Mutex<HashMap<String, Weak<[u8]>>>);

/// The route.
pub fn routes<S: Clone + Send + Sync + 'static>(mirror: Mirror) -> Router<S> {
    let maker = Maker { mirror, places: Semaphore::new(AT_ONCE), sent: Sent::default() };
    let path = "/v1/issuers/{issuer}/status/{purpose}/snapshot";
    Router::new().route(path, get(snapshot)).with_state(Arc::new(maker))
}

impl Sent {
    fn find(&self, name: &str) -> Option<Arc<[u8]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name)?.upgrade()
    }

    fn add(&self, name: String, file: &Arc<[u8]>) {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.retain(|_, file| file.strong_count() > 0);
        sent.insert(name, Arc::downgrade(file));
    }
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
    State(maker): State<Arc<Maker>>,
    Segments((issuer, purpose)): Segments<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let issuer = parse_issuer(&issuer)?;
    let wrong = |error| Problem::new(Kind::BadRequest, format!("the purpose in the path: {error}"));
    let view = maker.mirror.wanted(issuer, purpose.parse().map_err(wrong)?).await?;
    let damaged = |fault: testamur_chain::Error| Problem::new(Kind::StatusDamaged, fault.to_string());
    let snapshot = maker.mirror.snapshot(&view).map_err(damaged)?;
    let (root, block) = (snapshot.of.root, snapshot.of.block);
    let tag = format!("\"{}-{block}-{root}\"", snapshot.of.epoch);
    let kept = [
        (header::ETAG, HeaderValue::try_from(&tag).map_err(|error| Problem::internal(&error))?),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60")),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    let name = format!("{issuer} {} {tag}", snapshot.of.purpose.0);
    let file = match maker.sent.find(&name) {
        Some(file) => file,
        None => {
            let Ok(_place) = maker.places.try_acquire() else {
                return Err(Problem::new(Kind::Busy, "another snapshot is being made; try again in a moment"));
            };
            let made = spawn_blocking(move || snapshot.to_bytes()).await.map_err(|error| Problem::internal(&error))?;
            let file = made.map_err(|error| Problem::internal(&error))?.into();
            maker.sent.add(name, &file);
            file
        }
    };
    let body = Body::from(Bytes::from_owner(file));
    Ok((kept, [(header::CONTENT_TYPE, "application/octet-stream")], body).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_shared_while_it_is_sent_and_forgotten_then() {
        let sent = Sent::default();
        let file: Arc<[u8]> = vec![1, 2].into();
        sent.add("one".to_owned(), &file);
        assert!(sent.find("one").is_some_and(|found| Arc::ptr_eq(&found, &file)) && sent.find("two").is_none());
        drop(file);
        assert!(sent.find("one").is_none());
        sent.add("two".to_owned(), &vec![3].into());
        assert_eq!(sent.0.lock().unwrap().len(), 1);
    }
}
