//! `/studio/api/audit`: who did what. For admins. There is no route that changes it.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};

use super::{Studio, access::Admin, books::Entry, extract::Parameters, problem::Problem};

/// Entries of an answer.
const PAGE: usize = 100;

/// Where to go on.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// Only entries with lower numbers: `next` of the answer before.
    before: Option<i64>,
}

/// A page of the log.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Page {
    /// The newest first.
    entries: Vec<Entry>,
    /// What `before` is for those that follow; `null` at the end.
    next: Option<i64>,
}

/// Who did what, the newest first.
#[utoipa::path(get, path = "/studio/api/audit", tag = "audit", params(From),
    responses((status = 200, body = Page), (status = "4XX", body = super::api::Problem)))]
pub async fn list(
    State(studio): State<Arc<Studio>>,
    _: Admin,
    Parameters(From { before }): Parameters<From>,
) -> Result<Json<Page>, Problem> {
    let entries = studio.books.entries(before, None, PAGE)?;
    let next = entries.last().filter(|_| entries.len() == PAGE).map(|entry| entry.id);
    Ok(Json(Page { entries, next }))
}
