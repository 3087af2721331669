//! `GET /v1/issuers/{issuer}/receipts/{digest}`: the proof that a digest is anchored, as soon as it is.

use std::{fmt::Write, sync::Arc};

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;
use testamur_core::{Address, Digest, Hash, receipt::VERSION};

use super::{
    AppState,
    access::{parse_issuer, unknown_issuer},
    extract::{Parameters, Segments},
    problem::{Kind, Problem},
};
use crate::{
    events::Stage,
    ledger::Place,
    store::{AnchoredAt, BatchId, BatchRecord, BatchState, StoreError},
    trees::SealedTree,
};

/// What the caller waits for.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// `final` to get no receipt whose anchor a reorg could still take back.
    state: Option<Settled>,
}

/// What can be waited for.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Settled {
    /// In a block.
    Included,
    /// In a finalized block.
    Final,
}

/// The receipt of a digest.
///
/// The header `Testamur-State` says whether its anchor is included or final. Before that, 202 says how far its batch is.
#[utoipa::path(
    get, path = "/v1/issuers/{issuer}/receipts/{digest}", tag = "read",
    params(
        ("issuer" = String, Path, description = "The issuer's account, 0x and 40 hex digits"),
        ("digest" = String, Path, description = "64 lower-case hex digits"), Wanted,
    ),
    responses(
        (status = 200, description = "The receipt", body = super::api::Receipt),
        (status = 202, description = "Not anchored yet; see Retry-After", body = super::api::Pending),
        (status = 304, description = "Unchanged (If-None-Match)"),
        (status = "4XX", body = super::api::Problem),
    ),
)]
pub async fn receipt(
    State(state): State<Arc<AppState>>,
    Segments((issuer, digest)): Segments<(String, String)>,
    Parameters(wanted): Parameters<Wanted>,
    request: Request,
) -> Result<Response, Problem> {
    let issuer = parse_issuer(&issuer)?;
    let wrong = |error| Problem::new(Kind::BadRequest, format!("the digest in the path: {error}"));
    let digest: Digest = digest.parse().map_err(wrong)?;
    let Found { record, leaf, tree } = match in_memory(&state, issuer, digest)? {
        Some(found) => found,
        None => match state.ledger.find(issuer, digest)? {
            Some(Place::Sealed { batch, leaf }) => Found { record: record(&state, batch)?, leaf, tree: None },
            Some(Place::Open { batch }) => return Ok(pending(&state, Stage::Open, batch)),
            None if !state.issuers.contains(&issuer) => return Err(unknown_issuer()),
            None => return Err(Problem::new(Kind::UnknownDigest, "submit it first, or check issuer and digest")),
        },
    };
    let (anchor, is_final) = match record.state {
        BatchState::Final { anchor } => (anchor, true),
        BatchState::Included { anchor } if wanted.state != Some(Settled::Final) => (anchor, false),
        other => return Ok(pending(&state, other.into(), record.id)),
    };
    let tag = etag(record.id, leaf, &anchor, is_final);
    if request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let tree = match tree {
        Some(tree) => tree,
        None => state.trees.get(record.id).await?,
    };
    let json = Writer::new(&state, &record, &anchor, &tree).receipt(leaf)?;
    Ok(settled(json, tag, is_final))
}

/// Where a digest is among the sealed batches.
struct Found {
    record: BatchRecord,
    leaf: u32,
    /// None: not looked for yet.
    tree: Option<Arc<SealedTree>>,
}

/// Without a look into the store's index. None: it is not in the trees in memory, or another issuer's there.
fn in_memory(state: &AppState, issuer: Address, digest: Digest) -> Result<Option<Found>, Problem> {
    let Some((batch, leaf, tree)) = state.trees.find(digest) else { return Ok(None) };
    let record = record(state, batch)?;
    Ok((record.issuer == issuer).then_some(Found { record, leaf, tree: Some(tree) }))
}

fn record(state: &AppState, batch: BatchId) -> Result<BatchRecord, StoreError> {
    state.store.batch(batch)?.ok_or(StoreError::Damaged { what: "batch record" })
}

fn settled(json: String, tag: HeaderValue, is_final: bool) -> Response {
    let (name, caching) = if is_final {
        ("final", "public, max-age=31536000, immutable")
    } else {
        ("included", "public, no-cache") // a reorg may change it
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
        (super::STATE_HEADER, HeaderValue::from_static(name)),
        (header::ETAG, tag),
    ];
    super::ok(headers, json)
}

/// Where a batch stands that has no receipts yet.
fn pending(state: &AppState, stage: Stage, batch: BatchId) -> Response {
    let seconds = match stage {
        Stage::Open => state.seal.max_age.as_secs().clamp(1, 30),
        _ => 2,
    };
    let headers = [(header::RETRY_AFTER, seconds.to_string()), (header::CACHE_CONTROL, "no-store".to_owned())];
    (StatusCode::ACCEPTED, headers, Json(json!({ "state": stage, "batch": batch }))).into_response()
}

/// Changes exactly when the receipt or its state does.
fn etag(batch: BatchId, leaf: u32, anchor: &AnchoredAt, is_final: bool) -> HeaderValue {
    let state = if is_final { "final" } else { "included" };
    let transaction = u64::from_be_bytes(*anchor.transaction.0.first_chunk().expect("a hash has 32 bytes"));
    let mut tag = String::with_capacity(80);
    let _ = write!(tag, "\"{}-{leaf}-{}-{transaction:016x}-{state}\"", batch.0, anchor.block);
    HeaderValue::try_from(tag).expect("digits, letters and quotes")
}

/// Writes receipts of one batch, exactly as `testamur_core::Receipt` is serialised: by hand, because this is what a
/// node does most.
pub struct Writer<'a> {
    tree: &'a SealedTree,
    /// Everything behind the path.
    tail: String,
}

impl<'a> Writer<'a> {
    /// For an anchored batch.
    pub fn new(state: &AppState, record: &BatchRecord, anchor: &AnchoredAt, tree: &'a SealedTree) -> Self {
        let mut tail = String::with_capacity(512);
        // Writing to a string cannot fail.
        let _ = write!(
            tail,
            r#"],"root":"{}","issuer":"{}","chain":"{}","registry":"{}","transaction":"{}","block":{}}}"#,
            record.root, record.issuer, state.chain, state.registry, anchor.transaction, anchor.block
        );
        Self { tree, tail }
    }

    /// The receipt of a leaf.
    pub fn receipt(&self, leaf: u32) -> Result<String, Problem> {
        let mut json = String::with_capacity(2048);
        json.push('{');
        self.write(leaf, &mut json)?;
        Ok(json)
    }

    /// The receipt of a leaf with its digest, and a line feed.
    pub fn line(&self, leaf: u32, digest: Digest, out: &mut String) -> Result<(), Problem> {
        out.push_str(r#"{"digest":""#);
        push_hex(out, &digest.0);
        out.push_str("\",");
        self.write(leaf, out)?;
        out.push('\n');
        Ok(())
    }

    /// All members.
    fn write(&self, leaf: u32, json: &mut String) -> Result<(), Problem> {
        let outside = || Problem::internal(&"an index entry points outside its batch");
        let status_index = self.tree.status_indices.get(leaf as usize).ok_or_else(outside)?;
        let path = self.tree.tree.path(u64::from(leaf)).map_err(|_| outside())?;
        let size = self.tree.tree.size();
        let _ = write!(
            json,
            r#""version":{VERSION},"leafIndex":{leaf},"treeSize":{size},"statusIndex":{status_index},"path":["#
        );
        for (place, Hash(sibling)) in path.iter().enumerate() {
            json.push_str(if place == 0 { "\"0x" } else { ",\"0x" });
            push_hex(json, sibling);
            json.push('"');
        }
        json.push_str(&self.tail);
        Ok(())
    }
}

/// Writes 64 hex digits.
pub fn push_hex(out: &mut String, bytes: &[u8; 32]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 64];
    for (place, byte) in bytes.iter().enumerate() {
        text[2 * place] = DIGITS[usize::from(byte >> 4)];
        text[2 * place + 1] = DIGITS[usize::from(byte & 15)];
    }
    out.push_str(std::str::from_utf8(&text).expect("hex digits are ASCII"));
}
