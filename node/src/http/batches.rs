//! Batches: listing them, looking at one, all receipts of one, and sealing now.

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures::{Stream, stream};
use serde::{Deserialize, Serialize};
use testamur_core::{Address, Hash};
use tokio::task::spawn_blocking;

use super::{
    AppState,
    access::{authorize, parse_issuer},
    anchors::parse_root,
    extract::{Parameters, Segments},
    problem::{Kind, Problem},
    receipts::Writer,
};
use crate::{
    events::Stage,
    store::{AnchoredAt, BatchId, BatchRecord, Cost, Store, StoreError},
    tokens::Scope,
    trees::SealedTree,
};

/// Batches on a page, at most and unless stated.
const PAGE: usize = 100;
/// Receipts in one piece of a stream.
const PIECE: usize = 512;

/// A batch, as the API tells it.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Batch {
    /// Its number in this node.
    #[schema(value_type = u64)]
    batch: BatchId,
    /// Whose it is.
    #[schema(value_type = String)]
    issuer: Address,
    /// How far it has come.
    #[schema(value_type = String, example = "sealed")]
    state: Stage,
    /// Its digests; of an open one, those so far.
    size: u64,
    /// The root, once sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    root: Option<Hash>,
    /// When it was sealed (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed_at: Option<String>,
    /// When the node saw that its anchor is final (RFC 3339). Missing before, and where it was not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    final_at: Option<String>,
    /// Where it is anchored.
    #[serde(skip_serializing_if = "Option::is_none")]
    anchor: Option<Anchor>,
    /// What the anchoring transaction cost. Missing where it is not known, and where it was not this node's.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<Spent>,
}

/// Where a root stands.
#[derive(Serialize, utoipa::ToSchema)]
struct Anchor {
    /// The block.
    block: u64,
    /// Its time (RFC 3339).
    time: String,
    /// The transaction.
    #[schema(value_type = String)]
    transaction: Hash,
}

/// What a transaction cost.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Spent {
    /// Gas used.
    gas_used: u64,
    /// Wei in all, in decimal digits. Missing where the endpoint did not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    fee_wei: Option<String>,
    /// Batches that it carried, each with an equal share in this; 0: it carried a status update.
    batches: u64,
}

impl From<Cost> for Spent {
    fn from(cost: Cost) -> Self {
        let fee_wei = cost.fee().map(|wei| wei.to_string());
        Self { gas_used: cost.gas_used, fee_wei, batches: cost.batches }
    }
}

/// A page of batches.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Page {
    /// Newest first.
    batches: Vec<Batch>,
    /// What to pass as `before` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    next: Option<BatchId>,
}

/// Which page.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Only batches with a number below this one.
    before: Option<u64>,
    /// How many, at most 100.
    limit: Option<usize>,
}

impl From<&BatchRecord> for Batch {
    fn from(record: &BatchRecord) -> Self {
        Self {
            batch: record.id,
            issuer: record.issuer,
            state: record.state.into(),
            size: record.size,
            root: Some(record.root),
            sealed_at: Some(record.sealed_at.to_string()),
            final_at: record.final_at.map(|at| at.to_string()),
            cost: None,
            anchor: record.anchor().map(|at| Anchor {
                block: at.block.0,
                time: at.time.to_string(),
                transaction: at.transaction,
            }),
        }
    }
}

impl Batch {
    fn open(batch: BatchId, issuer: Address, size: u64) -> Self {
        Self {
            batch,
            issuer,
            state: Stage::Open,
            size,
            root: None,
            sealed_at: None,
            final_at: None,
            anchor: None,
            cost: None,
        }
    }

    /// With what its transaction cost.
    fn of(record: &BatchRecord, store: &Store) -> Result<Self, StoreError> {
        Ok(Self { cost: cost_of(record, store)?.map(Spent::from), ..Self::from(record) })
    }
}

/// What the transaction of a batch's anchor cost, where that is known.
pub(super) fn cost_of(record: &BatchRecord, store: &Store) -> Result<Option<Cost>, StoreError> {
    let Some(anchor) = record.anchor() else { return Ok(None) };
    Ok(store.cost(anchor.transaction)?.filter(|cost| cost.block == anchor.block))
}

/// An issuer's batches, newest first.
#[utoipa::path(
    get, path = "/v1/issuers/{issuer}/batches", tag = "read",
    params(("issuer" = String, Path, description = "The issuer's account"), Paging),
    responses((status = 200, body = Page), (status = "4XX", body = super::api::Problem)),
)]
pub async fn list(
    State(state): State<Arc<AppState>>,
    Segments(issuer): Segments<String>,
    Parameters(paging): Parameters<Paging>,
) -> Result<Json<Page>, Problem> {
    let issuer = parse_issuer(&issuer)?;
    let limit = paging.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let before = paging.before.map(BatchId);
    let mut batches: Vec<_> =
        state.ledger.unsealed(issuer).iter().map(|(id, n)| Batch::open(*id, issuer, *n)).collect();
    batches.retain(|batch| before.is_none_or(|before| batch.batch < before));
    let store = state.store.clone();
    let read = move || {
        let records = store.batches_of(issuer, before).take(limit);
        records.map(|record| Batch::of(&record?, &store)).collect::<Result<Vec<_>, StoreError>>()
    };
    let sealed = spawn_blocking(read).await.map_err(|error| Problem::internal(&error))??;
    // One that was sealed in between is in both.
    batches.retain(|open| sealed.iter().all(|batch| batch.batch != open.batch));
    batches.extend(sealed);
    batches.sort_by_key(|batch| std::cmp::Reverse(batch.batch));
    let next = (batches.len() >= limit).then(|| batches[limit - 1].batch).filter(|last| last.0 > 1);
    batches.truncate(limit);
    Ok(Json(Page { batches, next }))
}

/// One batch.
#[utoipa::path(
    get, path = "/v1/issuers/{issuer}/batches/{batch}", tag = "read",
    params(("issuer" = String, Path, description = "The issuer's account"), ("batch" = u64, Path, description = "Its number")),
    responses((status = 200, body = Batch), (status = "4XX", body = super::api::Problem)),
)]
pub async fn one(
    State(state): State<Arc<AppState>>,
    Segments((issuer, id)): Segments<(String, String)>,
) -> Result<Json<Batch>, Problem> {
    let (issuer, id) = (parse_issuer(&issuer)?, parse_id(&id)?);
    let open = state.ledger.unsealed(issuer).into_iter().find(|(open, _)| *open == id);
    match open {
        Some((id, size)) => Ok(Json(Batch::open(id, issuer, size))),
        None => Ok(Json(Batch::of(&sealed(&state, issuer, id)?, &state.store)?)),
    }
}

/// The batch with a root, whose ever it is.
#[utoipa::path(
    get, path = "/v1/batches/{root}", tag = "read",
    params(("root" = String, Path, description = "The root, 0x and 64 hex digits")),
    responses((status = 200, body = Batch), (status = "4XX", body = super::api::Problem)),
)]
pub async fn by_root(
    State(state): State<Arc<AppState>>,
    Segments(root): Segments<String>,
) -> Result<Json<Batch>, Problem> {
    let root = parse_root(&root)?;
    let record = state.store.batch_by_root(root)?;
    let record = record.ok_or_else(|| Problem::new(Kind::UnknownBatch, "this node sealed no batch with this root"))?;
    Ok(Json(Batch::of(&record, &state.store)?))
}

/// All receipts of an anchored batch.
///
/// One JSON object a line, in the order of the leaves: a receipt and its `digest`.
#[utoipa::path(
    get, path = "/v1/issuers/{issuer}/batches/{batch}/receipts", tag = "read",
    params(("issuer" = String, Path, description = "The issuer's account"), ("batch" = u64, Path, description = "Its number")),
    responses(
        (status = 200, description = "The receipts", content_type = "application/x-ndjson", body = String),
        (status = 202, description = "Not anchored yet", body = Batch), (status = "4XX", body = super::api::Problem),
    ),
)]
pub async fn receipts(
    State(state): State<Arc<AppState>>,
    Segments((issuer, id)): Segments<(String, String)>,
) -> Result<Response, Problem> {
    let (issuer, id) = (parse_issuer(&issuer)?, parse_id(&id)?);
    if state.ledger.unsealed(issuer).iter().any(|(open, _)| *open == id) {
        return Ok(super::not_yet(&Batch::open(id, issuer, 0)));
    }
    let record = sealed(&state, issuer, id)?;
    let Some(anchor) = record.anchor() else { return Ok(super::not_yet(&Batch::from(&record))) };
    let tree = state.trees.get(id).await?;
    let stage = Stage::from(record.state).name();
    let body = Body::from_stream(lines(state, record, anchor, tree));
    let headers = [(header::CONTENT_TYPE, "application/x-ndjson"), (super::STATE_HEADER, stage)];
    Ok((headers, body).into_response())
}

/// Piece after piece, each made when the one before is sent.
fn lines(
    state: Arc<AppState>,
    record: BatchRecord,
    anchor: AnchoredAt,
    tree: Arc<SealedTree>,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    stream::try_unfold(0_u32, move |first| {
        let (state, record, tree) = (state.clone(), record.clone(), tree.clone());
        async move {
            let piece = move || piece(&state, &record, &anchor, &tree, first);
            let piece = spawn_blocking(piece).await.map_err(std::io::Error::other)?;
            // The status line is sent: all that is left is to break off, so that nobody takes a part for the whole.
            piece.map_err(|_| std::io::Error::other("a receipt could not be made"))
        }
    })
}

/// The lines from a leaf on, and where the next piece begins.
fn piece(
    state: &AppState,
    record: &BatchRecord,
    anchor: &AnchoredAt,
    tree: &SealedTree,
    first: u32,
) -> Result<Option<(Bytes, u32)>, Problem> {
    let entries = state.store.entries_from(record.id, first, PIECE)?;
    let (writer, mut text, mut leaf) = (Writer::new(state, record, anchor, tree), String::new(), first);
    for entry in entries {
        writer.line(leaf, entry.digest, &mut text)?;
        leaf += 1;
    }
    Ok((leaf > first).then(|| (text.into(), leaf)))
}

/// Seals the open batch now.
///
/// The reply comes when its root is on disk; `null` where nothing is open.
#[utoipa::path(
    post, path = "/v1/issuers/{issuer}/seal", tag = "write", security(("token" = ["admin"])),
    params(("issuer" = String, Path, description = "The issuer's account")),
    responses((status = 200, body = Option<Batch>), (status = "4XX", body = super::api::Problem)),
)]
pub async fn seal(
    State(state): State<Arc<AppState>>,
    Segments(issuer): Segments<String>,
    headers: HeaderMap,
) -> Result<Json<Option<Batch>>, Problem> {
    let issuer = authorize(&state, &headers, &issuer, Scope::Admin)?;
    let record = state.ledger.seal(issuer).await?;
    Ok(Json(record.as_ref().map(Batch::from)))
}

fn sealed(state: &AppState, issuer: Address, id: BatchId) -> Result<BatchRecord, Problem> {
    let record = state.store.batch(id)?.filter(|record| record.issuer == issuer);
    record.ok_or_else(|| Problem::new(Kind::UnknownBatch, "see the list of the issuer's batches"))
}

fn parse_id(text: &str) -> Result<BatchId, Problem> {
    let wrong = |_| Problem::new(Kind::BadRequest, "the batch in the path must be a number");
    text.parse().map(BatchId).map_err(wrong)
}
