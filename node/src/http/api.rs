//! The API's own description: `/openapi.json`, and `/docs` made from it, for people.

pub mod status;

use std::fmt::Write;

use axum::{
    Json,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        RefOr,
        path::{Operation, PathItem},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{
    anchors, batches, changes, feed, history, indices, lists, node, offenders::Offender, receipts, snapshot,
    status as status_routes, submit, updates,
};

/// The description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Testamur node",
        description = "Takes blinded digests of credentials, anchors them on a chain and answers receipts. Verifying a \
                       receipt needs the chain and no node. Reads are open; writes need a token of the issuer.",
    ),
    paths(
        submit::submit, batches::seal, receipts::receipt, batches::list, batches::one, batches::by_root, batches::receipts, history::history, feed::events,
        indices::reserve, changes::change, changes::list, changes::one,
        status_routes::overview, status_routes::one, status_routes::many, lists::numbers, lists::list, lists::keys,
        snapshot::snapshot, updates::updates, anchors::anchors, anchors::anchor,
        node::node, node::own_token, node::healthz, node::readyz, node::metrics,
    ),
    components(schemas(Digests, Accepted, Entry, Receipt, Pending, Problem, Offender, Node, Token, Ready, Reason)),
    modifiers(&Rest),
)]
pub struct Api;

/// What the annotations of the routes need not repeat.
struct Rest;

impl Modify for Rest {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        openapi.components.get_or_insert_default().add_security_scheme("token", scheme);
        for item in openapi.paths.paths.values_mut() {
            [&mut item.get, &mut item.post].into_iter().flatten().for_each(complete);
        }
    }
}

/// Every response has a description, and refusals have their media type.
fn complete(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let refusal = status.starts_with(['4', '5']);
        if refusal && let Some(content) = response.content.shift_remove("application/json") {
            response.content.insert("application/problem+json".to_owned(), content);
        }
        if response.description.is_empty() {
            response.description = if refusal { "A refusal" } else { "Done" }.to_owned();
        }
    }
}

// --- Shapes that are written or read by hand elsewhere.

/// Digests to submit: one of the two.
#[derive(ToSchema)]
#[schema(example = json!({ "digests": ["abababababababababababababababababababababababababababababababab"] }))]
pub struct Digests {
    /// 64 lower-case hex digits each.
    pub digests: Option<Vec<String>>,
    /// Digests with status indices that were reserved for them, at most 100,000.
    pub entries: Option<Vec<Entry>>,
}

/// What of a submission is on disk.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Accepted {
    /// The newest batch that holds one of them.
    pub batch: u64,
    /// How many.
    pub accepted: u64,
    /// How many of them were not there before.
    pub new: u64,
    /// In the order of submission.
    pub entries: Vec<Entry>,
}

/// One digest.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Entry {
    /// 64 hex digits.
    pub digest: String,
    /// The place of its status bits.
    pub status_index: u64,
}

/// A receipt, version 1: see the protocol.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Receipt {
    /// 1.
    pub version: u64,
    /// The leaf's place in the batch, from 0.
    pub leaf_index: u64,
    /// Leaves of the batch.
    pub tree_size: u64,
    /// The place of the credential's status bits.
    pub status_index: u64,
    /// Sibling hashes from the leaf up.
    pub path: Vec<String>,
    /// The root that was anchored.
    pub root: String,
    /// The issuer's account.
    pub issuer: String,
    /// The chain (CAIP-2).
    pub chain: String,
    /// The registry contract.
    pub registry: String,
    /// The anchoring transaction.
    pub transaction: String,
    /// Its block.
    pub block: u64,
}

/// A receipt that is not there yet.
#[derive(ToSchema)]
pub struct Pending {
    /// open, sealed, prepared, broadcast or included.
    pub state: String,
    /// The batch.
    pub batch: u64,
}

/// A refusal (RFC 9457). A refused submission also tells what of it stands: `accepted`, `new`, `batch`, `entries` or
/// `statusIndices`, and where the fault is: `line` or `offset`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Problem {
    /// `urn:testamur:problem:…`, which never changes.
    pub r#type: String,
    /// The kind, for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong and what to do.
    pub detail: String,
    /// Where in the body the fault is (JSON pointer).
    pub path: Option<String>,
    /// Entries that cannot be taken, at most 100 of them.
    pub errors: Option<Vec<Offender>>,
    /// How many there are in all.
    pub error_count: Option<u64>,
}

/// What a node is.
#[derive(ToSchema)]
pub struct Node {
    /// The program.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The chain (CAIP-2).
    pub chain: String,
    /// The registry contract.
    pub registry: String,
    /// The accounts that it serves.
    pub issuers: Vec<String>,
    /// The account that sends its transactions.
    pub operator: String,
}

/// A token.
#[derive(ToSchema)]
pub struct Token {
    /// Its id, by which it is revoked.
    pub id: String,
    /// What its maker called it.
    pub name: String,
    /// The issuer for which it may be used.
    pub issuer: String,
    /// submit, revoke, admin.
    pub scopes: Vec<String>,
}

/// Whether the node can do all of its work.
#[derive(ToSchema)]
pub struct Ready {
    /// Whether there are no reasons.
    pub ready: bool,
    /// What is wrong.
    pub reasons: Vec<Reason>,
}

/// One thing that is wrong.
#[derive(ToSchema)]
pub struct Reason {
    /// Its name.
    pub problem: String,
    /// The issuer that it concerns, if it is one.
    pub issuer: Option<String>,
    /// What is wrong and what to do.
    pub detail: String,
}

/// `GET /openapi.json`.
pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Api::openapi())
}

/// What of it a mirror offers: the reads.
pub fn of_mirror() -> utoipa::openapi::OpenApi {
    let mut api = Api::openapi();
    api.info.title = "Testamur mirror".to_owned();
    api.info.description = Some(
        "The status of credentials and the anchors of issuers, from the chain alone. All of it is open, and leads to \
         what the registry contract states."
            .to_owned(),
    );
    let operating = ["/v1/node", "/healthz", "/readyz", "/metrics", "/.well-known/jwks.json"];
    let reads = |path: &str| path.contains("/status") || path.contains("/anchors") || operating.contains(&path);
    api.paths.paths.retain(|path, _| reads(path));
    api
}

/// `GET /docs`: one page without scripts, and nothing from elsewhere.
pub async fn docs() -> Response {
    docs_of(&Api::openapi())
}

/// The page of a description.
pub fn docs_of(api: &utoipa::openapi::OpenApi) -> Response {
    let policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (headers, Html(page(api))).into_response()
}

/// `GET /docs/style.css`.
pub async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css")], include_str!("docs.css")).into_response()
}

fn page(api: &utoipa::openapi::OpenApi) -> String {
    let mut html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{0}</title><link rel=stylesheet href=/docs/style.css><h1>{0} <small>{1}</small></h1><p>{2}</p>\
         <p>For programs: <a href=/openapi.json>/openapi.json</a></p>",
        escape(&api.info.title),
        escape(&api.info.version),
        escape(api.info.description.as_deref().unwrap_or_default()),
    );
    for tag in ["write", "read", "operating"] {
        let mut section = String::new();
        for (path, item) in &api.paths.paths {
            for (method, operation) in operations(item) {
                if operation.tags.iter().flatten().any(|own| own == tag) {
                    describe(&mut section, method, path, operation);
                }
            }
        }
        if !section.is_empty() {
            let _ = write!(html, "<h2>{tag}</h2>{section}");
        }
    }
    html
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [("GET", &item.get), ("POST", &item.post)].into_iter().filter_map(|(method, op)| Some((method, op.as_ref()?)))
}

fn describe(html: &mut String, method: &str, path: &str, operation: &Operation) {
    let text = |text: &Option<String>| marked(text.as_deref().unwrap_or_default());
    let (summary, description) = (text(&operation.summary), text(&operation.description));
    // Writing to a string cannot fail.
    let _ = write!(
        html,
        "<section><h3><code>{method} {}</code></h3><p>{summary}</p><p>{description}</p><dl>",
        escape(path)
    );
    for parameter in operation.parameters.iter().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        let about = text(&parameter.description);
        let _ = write!(html, "<dt><code>{}</code></dt><dd>{about}</dd>", escape(&parameter.name));
    }
    if let Some(RefOr::T(body)) = &operation.request_body {
        for media_type in body.content.keys() {
            let _ = write!(html, "<dt>body</dt><dd><code>{}</code></dd>", escape(media_type));
        }
    }
    for (status, response) in &operation.responses.responses {
        let about = match response {
            RefOr::T(response) => marked(&response.description),
            RefOr::Ref(_) => String::new(),
        };
        let _ = write!(html, "<dt>{}</dt><dd>{about}</dd>", escape(status));
    }
    html.push_str("</dl></section>");
}

/// Text with `code` between backticks, as Markdown has it.
fn marked(text: &str) -> String {
    let mut html = String::new();
    for (k, part) in escape(text).split('`').enumerate() {
        html.push_str(match k {
            0 => "",
            k if k % 2 == 1 => "<code>",
            _ => "</code>",
        });
        html.push_str(part);
    }
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
