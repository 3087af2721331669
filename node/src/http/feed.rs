//! `GET /v1/events`: what happens to batches and changes of status, as Server-Sent Events.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{self, KeepAlive, Sse},
};
use futures::{Stream, StreamExt, future, stream};
use serde::Deserialize;
use serde_json::json;
use testamur_core::Address;
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};

use super::{AppState, access::parse_issuer, extract::Parameters, problem::Problem};
use crate::events::Event;

/// A line that keeps proxies from closing a silent connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Which events.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Only those of this issuer.
    issuer: Option<String>,
}

/// Batches and changes of status as they come to another state.
///
/// Each event has the name of the state and, as data, `{"id","batch","issuer","state","at"}`, with `change` instead of
/// `batch` where it is about one. Nothing is kept: the event `missed` says that some were lost (a slow reader, or a
/// reconnection); then read the batches and the changes.
#[utoipa::path(
    get, path = "/v1/events", tag = "read", params(Filter),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = "4XX", body = super::api::Problem)),
)]
pub async fn events(
    State(state): State<Arc<AppState>>,
    Parameters(filter): Parameters<Filter>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, Problem> {
    let issuer = filter.issuer.as_deref().map(parse_issuer).transpose()?;
    let live = BroadcastStream::new(state.events.listen());
    let last_seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse::<u64>().ok());
    let resumed = last_seen.is_some_and(|id| id != state.events.last()).then(|| Ok(missed()));
    let events = live.filter_map(move |event| future::ready(told(event, issuer).map(Ok)));
    let shutdown = state.shutdown.clone();
    let events = stream::iter(resumed).chain(events).take_until(shutdown.cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn told(event: Result<Event, BroadcastStreamRecvError>, issuer: Option<Address>) -> Option<sse::Event> {
    match event {
        Ok(event) if issuer.is_some_and(|issuer| issuer != event.issuer) => None,
        Ok(event) => {
            let mut data = json!(event);
            data["at"] = event.at.to_string().into();
            Some(sse::Event::default().id(event.id.to_string()).event(event.state.name()).data(data.to_string()))
        }
        Err(BroadcastStreamRecvError::Lagged(_)) => Some(missed()),
    }
}

fn missed() -> sse::Event {
    sse::Event::default().event("missed").data("{}")
}
