//! `/v1/issuers/{issuer}/changes`: revoking, suspending, reinstating.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use testamur_core::{Address, Digest, Hash, StatusIndex};
use tokio::task::spawn_blocking;

use super::{
    AppState,
    access::authorize,
    body::{MAX_ENTRIES, json_body, parse_document, too_many},
    extract::{Parameters, Segments},
    offenders::{Offender, refused},
    problem::{Kind, Problem},
};
use crate::{
    changes::{ChangeError, Credentials, Fault, Request},
    store::{Action, ChangeId, ChangeRecord, ChangeState, IdempotencyKey, UpdatedAt},
    tokens::Scope,
};

/// Changes on a page, at most and unless stated.
const PAGE: usize = 100;
/// Characters of an idempotency key, at most.
const MAX_KEY: usize = 255;

/// What to change. One of `digests` and `indices`, at most 100,000.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "action": "revoke", "indices": [4711, 90210], "reason": 4, "now": true }))]
pub struct Wanted {
    /// `revoke` is for good; `reinstate` ends a suspension.
    action: Action,
    /// Credentials, by digests that were submitted here (64 hex digits each).
    #[schema(value_type = Option<Vec<String>>)]
    digests: Option<Vec<Digest>>,
    /// Credentials, by their status indices.
    #[schema(value_type = Option<Vec<u64>>)]
    indices: Option<Vec<StatusIndex>>,
    /// Why, in the issuer's own code.
    #[serde(default)]
    reason: u8,
    /// Whether it goes to the chain without waiting for others.
    #[serde(default)]
    now: bool,
    /// Whether `indices` may be some that this node did not give: another node did, or this one before its data was
    /// lost.
    #[serde(default)]
    assigned_elsewhere: bool,
}

/// A change of status.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "change": 7, "issuer": "0x0707070707070707070707070707070707070707", "action": "revoke", "reason": 4, "count": 2,
    "acceptedAt": "2026-05-04T03:02:01Z", "state": "pending",
}))]
pub struct Change {
    /// Its number in this node.
    #[schema(value_type = u64)]
    change: ChangeId,
    /// Whose it is.
    #[schema(value_type = String)]
    issuer: Address,
    /// What is wanted.
    action: Action,
    /// Why, in the issuer's own code.
    reason: u8,
    /// Credentials that it is about, each counted once.
    count: u64,
    /// When it was accepted (RFC 3339).
    accepted_at: String,
    /// pending, included, final: how far it has come on the chain.
    state: &'static str,
    /// The status update that it rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    update: Option<Update>,
}

/// Where a status update stands on the chain.
#[derive(Serialize, utoipa::ToSchema)]
struct Update {
    /// Its number among the issuer's updates of that purpose.
    epoch: u64,
    /// The block.
    block: u64,
    /// Its time (RFC 3339).
    time: String,
    /// The transaction; left out where this node did not send it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    transaction: Option<Hash>,
}

/// A page of changes.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ChangePage {
    /// Newest first.
    changes: Vec<Change>,
    /// What to pass as `before` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    next: Option<ChangeId>,
}

/// Which page.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChangePaging {
    /// Only changes with a number below this one.
    before: Option<u64>,
    /// How many, at most 100.
    limit: Option<usize>,
}

impl From<ChangeRecord> for Change {
    fn from(record: ChangeRecord) -> Self {
        let ChangeRecord { id: change, issuer, action, reason, count, accepted_at, .. } = record;
        let (state, at) = match record.state {
            ChangeState::Pending => ("pending", None),
            ChangeState::Included { at } => ("included", Some(at)),
            ChangeState::Final { at } => ("final", Some(at)),
        };
        let accepted_at = accepted_at.to_string();
        Self { change, issuer, action, reason, count, accepted_at, state, update: at.map(Update::from) }
    }
}

impl From<UpdatedAt> for Update {
    fn from(at: UpdatedAt) -> Self {
        let transaction = Some(at.transaction).filter(|hash| *hash != Hash::ZERO);
        Self { epoch: at.epoch, block: at.block.0, time: at.time.to_string(), transaction }
    }
}

/// Revokes, suspends or reinstates.
///
/// The reply comes when the change is on disk; the node then writes it to the chain, together with others. All of it is
/// taken, or nothing: a refusal lists up to 100 offenders by their place. Naming one credential twice, or changing
/// what is already so, is fine.
#[utoipa::path(
    post, path = "/v1/issuers/{issuer}/changes", tag = "write", security(("token" = ["revoke"])),
    params(
        ("issuer" = String, Path, description = "The issuer's account"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters of the client's \
         choice. The same key and body again change nothing and get the same answer, also after a restart"),
    ),
    request_body = Wanted,
    responses(
        (status = 202, description = "On disk, and on its way to the chain; `Location` tells how far", body = Change),
        (status = 409, description = "The key came with another body before", body = super::api::Problem),
        (status = 413, description = "More than 100,000 at once", body = super::api::Problem),
        (status = 422, description = "Some cannot be changed: `errors` lists them", body = super::api::Problem),
        (status = "4XX", body = super::api::Problem), (status = "5XX", body = super::api::Problem),
    ),
)]
pub async fn change(
    State(state): State<Arc<AppState>>,
    Segments(issuer): Segments<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let issuer = authorize(&state, &headers, &issuer, Scope::Revoke)?;
    let key = idempotency_key(&headers)?;
    let json = json_body(&state, &headers, body).await?;
    let key = key.map(|key| IdempotencyKey { key, body: sha256(&json) });
    let request = request(issuer, parse_document(&json, Kind::BadRequest)?, key)?;
    let is_by_digest = matches!(request.credentials, Credentials::Digests(_));
    let accepted = state.changes.accept(request).await.map_err(|error| problem(error, is_by_digest))?;
    let location = format!("/v1/issuers/{issuer}/changes/{}", accepted.id.0);
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, "no-store".to_owned())];
    Ok((StatusCode::ACCEPTED, headers, Json(Change::from(accepted))).into_response())
}

/// One change, and how far it has come.
#[utoipa::path(
    get, path = "/v1/issuers/{issuer}/changes/{change}", tag = "read", security(("token" = ["revoke"])),
    params(("issuer" = String, Path, description = "The issuer's account"), ("change" = u64, Path, description = "Its number")),
    responses((status = 200, body = Change), (status = "4XX", body = super::api::Problem)),
)]
pub async fn one(
    State(state): State<Arc<AppState>>,
    Segments((issuer, id)): Segments<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let issuer = authorize(&state, &headers, &issuer, Scope::Revoke)?;
    let wrong = |_| Problem::new(Kind::BadRequest, "the change in the path must be a number");
    let id = id.parse().map(ChangeId).map_err(wrong)?;
    let record = state.store.change(id)?.filter(|record| record.issuer == issuer);
    let record = record.ok_or_else(|| Problem::new(Kind::UnknownChange, "see the list of the issuer's changes"))?;
    Ok(not_stored(&Change::from(record)))
}

/// An issuer's changes, newest first.
#[utoipa::path(
    get, path = "/v1/issuers/{issuer}/changes", tag = "read", security(("token" = ["revoke"])),
    params(("issuer" = String, Path, description = "The issuer's account"), ChangePaging),
    responses((status = 200, body = ChangePage), (status = "4XX", body = super::api::Problem)),
)]
pub async fn list(
    State(state): State<Arc<AppState>>,
    Segments(issuer): Segments<String>,
    Parameters(paging): Parameters<ChangePaging>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let issuer = authorize(&state, &headers, &issuer, Scope::Revoke)?;
    let limit = paging.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let (store, before) = (state.store.clone(), paging.before.map(ChangeId));
    let read = move || store.changes_of(issuer, before).take(limit + 1).collect::<Result<Vec<_>, _>>();
    let mut records = spawn_blocking(read).await.map_err(|error| Problem::internal(&error))??;
    let more = records.len() > limit;
    records.truncate(limit);
    let next = records.last().map(|last| last.id).filter(|_| more);
    Ok(not_stored(&ChangePage { changes: records.into_iter().map(Change::from).collect(), next }))
}

/// What only the issuer may see is kept by no cache.
fn not_stored(body: &impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn request(issuer: Address, wanted: Wanted, key: Option<IdempotencyKey>) -> Result<Request, Problem> {
    let Wanted { action, digests, indices, reason, now, assigned_elsewhere } = wanted;
    let (count, credentials) = match (digests, indices) {
        (Some(digests), None) => (digests.len(), Credentials::Digests(digests)),
        (None, Some(indices)) if assigned_elsewhere => (indices.len(), Credentials::IndicesFromElsewhere(indices)),
        (None, Some(indices)) => (indices.len(), Credentials::Indices(indices)),
        _ => {
            return Err(Problem::new(
                Kind::BadRequest,
                "name the credentials by `digests` or by `indices`, one of them",
            ));
        }
    };
    match count {
        0 => Err(Problem::new(Kind::BadRequest, "name at least one credential")),
        1..=MAX_ENTRIES => Ok(Request { issuer, action, reason, now, credentials, key }),
        _ => Err(too_many(count)),
    }
}

/// SHA-256 of the request's key.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<Hash>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.as_bytes();
    if (1..=MAX_KEY).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic) {
        return Ok(Some(sha256(key)));
    }
    Err(Problem::new(Kind::BadRequest, "Idempotency-Key: 1 to 255 visible ASCII characters"))
}

fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

fn problem(error: ChangeError, is_by_digest: bool) -> Problem {
    let list = if is_by_digest { "digests" } else { "indices" };
    match error {
        ChangeError::Refused(faults) => {
            refused(faults.into_iter().map(|(place, f)| offender(list, place, f)).collect())
        }
        ChangeError::Ledger(error) => error.into(),
        ChangeError::Store(error) => error.into(),
    }
}

fn offender(list: &str, place: usize, fault: Fault) -> Offender {
    let (problem, detail) = match fault {
        Fault::UnknownDigest => {
            ("unknown-digest", "it was not submitted here; if another node took it, name it by its status index")
        }
        Fault::NeverAssigned => (
            "never-assigned",
            "this node gave the index to nothing; if another one did, say so: \"assignedElsewhere\": true",
        ),
        Fault::Revoked => ("revoked", "it is revoked, and that is for good; issue a new credential"),
    };
    Offender { path: format!("/{list}/{place}"), problem, detail: detail.to_owned() }
}
