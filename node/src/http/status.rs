//! `GET /v1/issuers/{issuer}/status…`: is it still good? Single bits with their proofs; `lists` has the lists.

use std::{convert::Infallible, fmt::Write, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use testamur_chain::{StatusView, TreeAt};
use testamur_core::{Address, ChainId, Purpose, StatusIndex, status::StatusTree};

use super::{
    access::parse_issuer,
    body::Reader,
    extract::{Parameters, Segments},
    lists,
    problem::{Kind, Problem},
    receipts::push_hex,
};
use crate::{
    clock,
    lists::{Lists, PublicUrl},
    mirror::Mirror,
};

/// Indices in one question.
const MOST_INDICES: usize = 10_000;
/// Of them answered in one piece.
const PIECE: usize = 64;
/// Bytes of such a question, and how long it may take to come.
const LONGEST_QUESTION: u64 = 256 << 10;
/// See [`LONGEST_QUESTION`].
const PATIENCE: Duration = Duration::from_secs(10);
/// Seconds after which a block is old: what it says is told with its time, and no cache may keep it.
const OLD: u64 = 300;

/// What status is read from: the same in a node and in a mirror.
pub struct StatusReads {
    /// The bits.
    pub mirror: Mirror,
    /// Lists as others read them.
    pub lists: Lists,
    /// The chain.
    pub chain: ChainId,
    /// The registry contract.
    pub registry: Address,
    /// What the URLs of lists begin with.
    pub public_url: PublicUrl,
}

/// The routes for reading status.
pub fn routes<S: Clone + Send + Sync + 'static>(reads: Arc<StatusReads>) -> Router<S> {
    Router::new()
        .route("/v1/issuers/{issuer}/status", get(overview))
        .route("/v1/issuers/{issuer}/status/{purpose}", post(many))
        .route("/v1/issuers/{issuer}/status/{purpose}/{index}", get(one))
        .route("/v1/issuers/{issuer}/status/{purpose}/lists", get(lists::numbers))
        .route("/v1/issuers/{issuer}/status/{purpose}/lists/{list}", get(lists::list))
        .route("/.well-known/jwks.json", get(lists::keys))
        .with_state(reads)
}

/// At which block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum At {
    /// The newest: a set bit counts at once.
    #[default]
    Head,
    /// The newest that is final: a cleared bit counts only here.
    Settled,
}

/// At which block status is read.
#[derive(Clone, Copy, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct When {
    /// `head` (the newest block, unless stated) or `settled` (the newest that is final).
    #[serde(default)]
    pub at: At,
}

/// The bits that a request is about.
pub struct Wanted {
    /// Whose.
    pub issuer: Address,
    /// Which.
    pub purpose: Purpose,
    view: Arc<StatusView>,
    at: At,
}

impl Wanted {
    /// Finds them.
    pub async fn find(reads: &StatusReads, issuer: &str, purpose: &str, at: At) -> Result<Self, Problem> {
        let issuer = parse_issuer(issuer)?;
        let wrong = |error| Problem::new(Kind::BadRequest, format!("the purpose in the path: {error}"));
        let purpose = purpose.parse().map_err(wrong)?;
        let view = reads.mirror.wanted(issuer, purpose).await?;
        Ok(Self { issuer, purpose, view, at })
    }

    /// The bits at the block that was asked for: never any that do not lead to the root on chain.
    pub fn tree(&self) -> Result<&TreeAt, Problem> {
        let at = match self.at {
            At::Head => &self.view.head,
            At::Settled => &self.view.settled,
        };
        match &at.fault {
            None => Ok(at),
            Some(fault) => Err(Problem::new(Kind::StatusDamaged, fault.to_string())),
        }
    }

    /// The members that every answer begins with, up to the block.
    pub fn preamble(&self, reads: &StatusReads, at: &TreeAt) -> String {
        let mut json = String::with_capacity(2048);
        let TreeAt { record, block, .. } = at;
        // Writing to a string cannot fail.
        let _ = write!(
            json,
            r#"{{"issuer":"{}","chain":"{}","registry":"{}","purpose":{},"epoch":{},"root":"{}","block":{{"number":{},"hash":"{}","time":{}}}"#,
            self.issuer,
            reads.chain,
            reads.registry,
            self.purpose.0,
            record.epoch,
            record.root,
            block.number,
            block.hash,
            block.time.0
        );
        json
    }
}

/// For about a block's time an answer may be kept, unless its block is old: then it is told as it is, and not kept.
pub fn caching(at: &TreeAt) -> HeaderValue {
    let old = clock::now().0.saturating_sub(at.block.time.0) > OLD;
    HeaderValue::from_static(if old { "public, no-cache" } else { "public, max-age=12, stale-while-revalidate=60" })
}

/// An answer in JSON.
pub fn answer(at: &TreeAt, json: String) -> Response {
    let json_type = HeaderValue::from_static("application/json");
    super::ok([(header::CONTENT_TYPE, json_type), (header::CACHE_CONTROL, caching(at))], json)
}

/// The status of one credential, with its proof.
///
/// The proof leads to `root`, which `statusOf` of the registry contract states: whoever sees the chain needs no trust in
/// this server. It learns which credential is asked about; a whole list tells it less.
#[utoipa::path(
    get, path = "/v1/issuers/{issuer}/status/{purpose}/{index}", tag = "read",
    params(
        ("issuer" = String, Path, description = "The issuer's account, 0x and 40 hex digits"),
        ("purpose" = String, Path, description = "`revocation`, `suspension` or a number up to 255"),
        ("index" = u64, Path, description = "The status index, below 2^40"), When,
    ),
    responses((status = 200, body = super::api::status::Status), (status = "4XX", body = super::api::Problem)),
)]
pub async fn one(
    State(reads): State<Arc<StatusReads>>,
    Segments((issuer, purpose, index)): Segments<(String, String, String)>,
    Parameters(when): Parameters<When>,
) -> Result<Response, Problem> {
    let wanted = Wanted::find(&reads, &issuer, &purpose, when.at).await?;
    let index = parse_index(&index)?;
    let at = wanted.tree()?;
    let mut json = wanted.preamble(&reads, at);
    json.push(',');
    push_bit(&mut json, &at.tree, index);
    json.push('}');
    Ok(answer(at, json))
}

/// The status of many credentials, all at one block.
///
/// `{"indices":[…]}`, at most 10,000.
#[utoipa::path(
    post, path = "/v1/issuers/{issuer}/status/{purpose}", tag = "read",
    params(
        ("issuer" = String, Path, description = "The issuer's account"),
        ("purpose" = String, Path, description = "`revocation`, `suspension` or a number up to 255"), When,
    ),
    request_body = super::api::status::Indices,
    responses(
        (status = 200, description = "In the order of the request", body = super::api::status::Statuses),
        (status = "4XX", body = super::api::Problem),
    ),
)]
pub async fn many(
    State(reads): State<Arc<StatusReads>>,
    Segments((issuer, purpose)): Segments<(String, String)>,
    Parameters(when): Parameters<When>,
    body: Body,
) -> Result<Response, Problem> {
    let wanted = Wanted::find(&reads, &issuer, &purpose, when.at).await?;
    let indices = read_indices(body).await?;
    let at = wanted.tree()?;
    let mut begin = wanted.preamble(&reads, at);
    begin.push_str(r#","statuses":["#);
    let headers =
        [(header::CONTENT_TYPE, HeaderValue::from_static("application/json")), (header::CACHE_CONTROL, caching(at))];
    let pieces = pieces(begin, indices, at.tree.clone()).map(Ok::<_, Infallible>);
    Ok((headers, Body::from_stream(stream::iter(pieces))).into_response())
}

/// Proofs take a thousand times the bytes of the question: they are made as the client takes them, so that a slow one
/// holds no megabytes.
fn pieces(begin: String, indices: Vec<StatusIndex>, tree: StatusTree) -> impl Iterator<Item = String> {
    let mut indices = indices.into_iter().enumerate().peekable();
    let mut next = Some(begin);
    std::iter::from_fn(move || {
        let mut json = next.take()?;
        for (place, index) in indices.by_ref().take(PIECE) {
            json.push_str(if place == 0 { "{" } else { ",{" });
            push_bit(&mut json, &tree, index);
            json.push('}');
        }
        match indices.peek() {
            Some(_) => next = Some(String::new()),
            None => json.push_str("]}"),
        }
        Some(json)
    })
}

/// What the chain says of an issuer's status, as far as this server has read it.
#[utoipa::path(
    get, path = "/v1/issuers/{issuer}/status", tag = "read",
    params(("issuer" = String, Path, description = "The issuer's account")),
    responses((status = 200, body = super::api::status::Overview), (status = "4XX", body = super::api::Problem)),
)]
pub async fn overview(
    State(reads): State<Arc<StatusReads>>,
    Segments(issuer): Segments<String>,
) -> Result<Response, Problem> {
    let issuer = parse_issuer(&issuer)?;
    let mut purposes = Vec::new();
    for purpose in [Purpose::REVOCATION, Purpose::SUSPENSION] {
        let view = reads.mirror.wanted(issuer, purpose).await?;
        let findings = reads.mirror.standing(issuer, purpose).map(|standing| standing.findings).unwrap_or_default();
        let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
        let [head, settled] = [&view.head, &view.settled].map(root);
        purposes.push(json!({
            "purpose": purpose, "name": purpose.name(), "head": head, "settled": settled, "findings": findings,
        }));
    }
    let body = json!({ "issuer": issuer, "chain": reads.chain, "registry": reads.registry, "purposes": purposes });
    Ok(([(header::CACHE_CONTROL, "no-cache")], Json(body)).into_response())
}

fn root(TreeAt { block, record, tree, fault }: &TreeAt) -> Value {
    let mut root = json!({ "block": block, "epoch": record.epoch, "root": record.root, "updated": record.block });
    match fault {
        None => root["lists"] = json!(tree.lists().count()),
        Some(fault) => root["fault"] = json!(fault.to_string()),
    }
    root
}

/// `"index":…,"set":…,"proof":{…}`, exactly as `testamur_core::status::StatusProof` is serialised: by hand, because
/// this is what wallets ask for most.
fn push_bit(json: &mut String, tree: &StatusTree, index: StatusIndex) {
    let proof = tree.proof(index);
    let _ = write!(json, r#""index":{index},"set":{},"proof":{{"chunk":"0x"#, proof.bit(index));
    push_hex(json, &proof.chunk.0);
    let _ = write!(json, r#"","bitmap":{},"siblings":["#, proof.bitmap);
    for (place, sibling) in proof.siblings.iter().enumerate() {
        json.push_str(if place == 0 { "\"0x" } else { ",\"0x" });
        push_hex(json, &sibling.0);
        json.push('"');
    }
    json.push_str("]}");
}

fn parse_index(text: &str) -> Result<StatusIndex, Problem> {
    let wrong = || Problem::new(Kind::BadRequest, "the index in the path must be a number below 2^40");
    text.parse().ok().and_then(|index| StatusIndex::new(index).ok()).ok_or_else(wrong)
}

/// `{"indices":[…]}`.
async fn read_indices(body: Body) -> Result<Vec<StatusIndex>, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Question {
        indices: Vec<StatusIndex>,
    }
    let mut reader = Reader::new(body, LONGEST_QUESTION, PATIENCE);
    let mut json = Vec::new();
    while let Some(piece) = reader.next().await? {
        json.extend_from_slice(&piece);
    }
    let mut deserializer = serde_json::Deserializer::from_slice(&json);
    let question: Question = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        Problem::new(Kind::BadRequest, format!("{pointer}: {}", error.inner())).with("pointer", pointer)
    })?;
    deserializer.end().map_err(|error| Problem::new(Kind::BadRequest, format!("behind the document: {error}")))?;
    if question.indices.len() > MOST_INDICES {
        let detail = format!("at most {MOST_INDICES} indices at once; whole lists tell more");
        return Err(Problem::new(Kind::TooLarge, detail));
    }
    Ok(question.indices)
}

/// A place in a document, as RFC 6901 writes it.
fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter().map(|segment| format!("/{segment}").replace(['[', ']'], "")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_proofs_come_in_pieces_that_make_one_document() {
        let index = |n| StatusIndex::new(n).unwrap();
        let mut tree = StatusTree::new();
        tree.toggle(&(0..500).map(|n| index(n << 30)).collect::<Vec<_>>());
        for count in [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE] {
            let indices: Vec<_> = (0..count as u64).map(|n| index(n << 29)).collect();
            let pieces: Vec<String> = pieces(r#"{"statuses":["#.to_owned(), indices.clone(), tree.clone()).collect();
            assert!(pieces.iter().all(|piece| piece.len() < 200_000));
            let document: Value = serde_json::from_str(&pieces.concat()).unwrap();
            let statuses = document["statuses"].as_array().unwrap();
            assert_eq!(statuses.len(), count);
            for (status, index) in statuses.iter().zip(indices) {
                let proof: testamur_core::status::StatusProof =
                    serde_json::from_value(status["proof"].clone()).unwrap();
                assert_eq!((&status["index"], proof.root(index)), (&json!(index), Ok(tree.root())));
                assert_eq!(status["set"], proof.bit(index));
            }
        }
    }
}
