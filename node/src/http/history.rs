//! `GET /v1/issuers/{issuer}/history`: what was anchored for an issuer, day by day. Counts what is public on the chain
//! anyway, and no look-ups.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use testamur_core::{Address, UnixSeconds};
use tokio::task::spawn_blocking;

use super::{
    AppState,
    access::served_issuer,
    batches::cost_of,
    extract::{Parameters, Segments},
    problem::{Kind, Problem},
};
use crate::{
    clock,
    store::{BatchRecord, Cost, Store, StoreError},
};

/// Days told unless asked otherwise, and at most.
const DAYS: u64 = 30;
const MOST_DAYS: u64 = 366;
/// Batches looked at, at most: who has more sees fewer days.
const MOST_BATCHES: usize = 50_000;
const DAY: u64 = 86_400;
/// How long before a day a batch may have been sealed that was anchored on it, in seconds.
const LONGEST_WAIT: u64 = 2 * DAY;

/// How far back.
#[derive(Clone, Copy, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Back {
    /// How many days up to today, at most 366; 30 unless stated.
    days: Option<u64>,
}

/// What was anchored for an issuer by this node.
#[derive(Serialize, utoipa::ToSchema)]
pub struct History {
    /// The issuer's account.
    #[schema(value_type = String)]
    issuer: Address,
    /// The first day (UTC) that is told.
    from: String,
    /// Today (UTC).
    to: String,
    /// The days on which something was anchored, oldest first.
    days: Vec<Day>,
}

/// One day (UTC), by the time of the block in which a batch was anchored.
#[derive(Default, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Day {
    /// The date.
    day: String,
    /// Batches.
    batches: u64,
    /// Their digests.
    credentials: u64,
    /// Gas of their share in the transactions that carried them, as far as it is known.
    gas_used: u64,
    /// Batches of which the gas is known.
    costed: u64,
    /// Median of the seconds from sealing to final, of those of which it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_to_final: Option<u64>,
    #[serde(skip)]
    waits: Vec<u64>,
}

/// What was anchored for an issuer, day by day.
#[utoipa::path(
    get, path = "/v1/issuers/{issuer}/history", tag = "read",
    params(("issuer" = String, Path, description = "The issuer's account"), Back),
    responses(
        (status = 200, body = History), (status = 304, description = "Unchanged (If-None-Match)"),
        (status = "4XX", body = super::api::Problem),
    ),
)]
pub async fn history(
    State(state): State<Arc<AppState>>,
    Segments(issuer): Segments<String>,
    Parameters(Back { days }): Parameters<Back>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let issuer = served_issuer(&state, &issuer)?;
    let days = days.unwrap_or(DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Problem::new(Kind::BadRequest, format!("days: from 1 to {MOST_DAYS}")));
    }
    let (store, today) = (state.store.clone(), clock::now().0 / DAY);
    let read = spawn_blocking(move || read(&store, issuer, today.saturating_sub(days - 1), today)).await;
    let history = read.map_err(|error| Problem::internal(&error))??;
    tagged(&headers, &history)
}

/// The days between two, counted from 1970.
fn read(store: &Store, issuer: Address, first: u64, today: u64) -> Result<History, StoreError> {
    let mut days: BTreeMap<u64, Day> = BTreeMap::new();
    let mut from = first;
    for (looked_at, record) in store.walk_batches(issuer).enumerate() {
        let record = record?;
        if record.sealed_at.0 + LONGEST_WAIT < first * DAY {
            break;
        }
        let Some(day) = record.anchor().map(|anchor| anchor.time.0 / DAY) else { continue };
        if looked_at >= MOST_BATCHES {
            // This day is told in part: the next one is the first that is whole.
            from = day + 1;
            break;
        }
        if (first..=today).contains(&day) {
            days.entry(day).or_default().add(&record, cost_of(&record, store)?);
        }
    }
    let days = days.into_iter().filter(|(day, _)| *day >= from).map(|(day, told)| told.named(day)).collect();
    Ok(History { issuer, from: date(from), to: date(today), days })
}

impl Day {
    fn add(&mut self, record: &BatchRecord, cost: Option<Cost>) {
        self.batches += 1;
        self.credentials += record.size;
        if let Some(cost) = cost {
            self.gas_used += cost.gas_used / cost.batches.max(1);
            self.costed += 1;
        }
        self.waits.extend(record.final_at.map(|at| at.0.saturating_sub(record.sealed_at.0)));
    }

    fn named(mut self, day: u64) -> Self {
        self.waits.sort_unstable();
        self.seconds_to_final = self.waits.get(self.waits.len() / 2).copied();
        Self { day: date(day), ..self }
    }
}

/// `2026-11-24`.
fn date(day: u64) -> String {
    UnixSeconds(day * DAY).to_string().chars().take(10).collect()
}

/// JSON that a browser keeps while it is the same.
fn tagged(headers: &HeaderMap, body: &impl Serialize) -> Result<Response, Problem> {
    let json = serde_json::to_vec(body).map_err(|error| Problem::internal(&error))?;
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&json)[..16]));
    let kept = [
        (header::ETAG, HeaderValue::try_from(&tag).map_err(|error| Problem::internal(&error))?),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=12")),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    Ok((kept, [(header::CONTENT_TYPE, "application/json")], json).into_response())
}
