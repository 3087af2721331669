//! `/studio/api/credentials`: what was issued, to look for and to look at.

use std::{fmt::Write as _, path::Path, sync::Arc};

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use testamur::span;
use testamur_core::json;

use super::{
    Studio,
    access::Viewer,
    books::Entry,
    extract::{Parameters, Segments},
    problem::{Kind, Problem},
};
use crate::{
    clock::now,
    store::{Finished, Issued, Listed, Standing, State as Progress, Wanted},
};

/// Credentials of an answer, unless stated, and at most.
const PAGES: [usize; 2] = [50, 500];
/// Entries of the log that are told with a credential.
const HISTORY: usize = 50;

/// What is looked for; all of it together.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Search {
    /// A part of an id, name, e-mail address or template, in any case.
    search: Option<String>,
    /// Under this template.
    template: Option<String>,
    /// What stands like this: `unfinished`, `good`, `ended`, `suspended`, `superseded` or `revoked`.
    #[param(value_type = Option<String>)]
    state: Option<Standing>,
    /// What is good and ends within this span (`60d`, `1y`) or before this date, what ends first stands first.
    expiring: Option<String>,
    /// Only those with lower numbers: `next` of the answer before.
    before: Option<i64>,
    /// At most so many. Default: 50; at most 500.
    limit: Option<usize>,
}

/// A credential in the list.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    /// Its number in the store: what comes later has a higher one.
    number: i64,
    /// Its own `id`.
    id: String,
    /// The template.
    template: String,
    /// Whose it is: the roster's key.
    learner: String,
    /// The learner's name.
    name: Option<String>,
    /// The learner's e-mail address.
    email: Option<String>,
    /// For which period.
    period: String,
    /// From when on it is valid.
    valid_from: String,
    /// Until when, if it ends.
    valid_until: Option<String>,
    /// How it stands: `unfinished`, `good`, `ended`, `suspended`, `superseded` or `revoked`.
    #[schema(value_type = String)]
    state: Standing,
    /// How far it has come: `drafted`, `submitted`, `anchored` or `written`.
    #[schema(value_type = String)]
    progress: Progress,
    /// When it was revoked.
    revoked: Option<String>,
    /// Since when it is suspended.
    suspended: Option<String>,
    /// Which one took its place.
    superseded_by: Option<String>,
    /// What the registry knows it by.
    digest: String,
    /// The place of its status bits.
    status_index: u64,
}

/// A page of the list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Page {
    /// The newest first; with `expiring`, those that end first.
    credentials: Vec<Shown>,
    /// What `before` is for those that follow; `null` at the end.
    next: Option<i64>,
}

/// A credential, looked at.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Looked {
    /// As the list has it.
    #[serde(flatten)]
    shown: Shown,
    /// The credential: an object, or a token as a text. Before it is anchored, without its anchor.
    document: Value,
    /// What was done about it, the newest first.
    history: Vec<Entry>,
}

/// Which part of a credential is to be had.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Part {
    /// `receipt`: of a token, the anchor that stands in a file beside it. Default: the credential.
    part: Option<String>,
}

impl From<Listed> for Shown {
    fn from(listed: Listed) -> Self {
        Self {
            state: listed.standing(now()),
            number: listed.number,
            id: listed.id,
            template: listed.template,
            learner: listed.learner,
            name: listed.name,
            email: listed.email,
            period: listed.period,
            valid_from: listed.valid_from.to_string(),
            valid_until: listed.valid_until.map(|time| time.to_string()),
            progress: listed.state,
            revoked: listed.revoked.map(|time| time.to_string()),
            suspended: listed.suspended.map(|time| time.to_string()),
            superseded_by: listed.superseded_by,
            digest: listed.digest.to_string(),
            status_index: listed.status_index.get(),
        }
    }
}

/// What was issued.
#[utoipa::path(get, path = "/studio/api/credentials", tag = "issued", params(Search),
    responses((status = 200, body = Page), (status = "4XX", body = super::api::Problem)))]
pub async fn list(
    State(studio): State<Arc<Studio>>,
    _: Viewer,
    Parameters(search): Parameters<Search>,
) -> Result<Json<Page>, Problem> {
    let most = search.limit.unwrap_or(PAGES[0]).clamp(1, PAGES[1]);
    let is_expiring = search.expiring.is_some();
    let wanted = search.wanted(most)?;
    let found = studio.with_store(move |store| Ok(store.list(&wanted)?)).await?;
    // What ends first is on one page: its order is another than that of the numbers.
    let next = found.last().filter(|_| found.len() == most && !is_expiring).map(|last| last.number);
    Ok(Json(Page { credentials: found.into_iter().map(Shown::from).collect(), next }))
}

impl Search {
    fn wanted(self, most: usize) -> Result<Wanted, Problem> {
        let now = now();
        let end = |text: &str| {
            let help = "expiring: write a span like 60d, or a date";
            span::point(text, now).ok_or_else(|| Problem::new(Kind::BadRequest, help))
        };
        let ends_before = self.expiring.as_deref().map(end).transpose()?;
        let standing = self.state.or(ends_before.map(|_| Standing::Good)).map(|standing| (standing, now));
        let text = self.search.filter(|text| !text.trim().is_empty());
        Ok(Wanted { text, template: self.template, ends_before, standing, before: self.before, most: Some(most) })
    }
}

/// One credential, with what was done about it.
#[utoipa::path(get, path = "/studio/api/credentials/{id}", tag = "issued", params(("id" = String, Path)),
    responses((status = 200, body = Looked), (status = "4XX", body = super::api::Problem)))]
pub async fn one(
    State(studio): State<Arc<Studio>>,
    _: Viewer,
    Segments(id): Segments<String>,
) -> Result<Json<Looked>, Problem> {
    let issued = studio.issued(id).await?;
    let history = studio.books.entries(None, Some(&issued.listed.id), HISTORY)?;
    let document = match &issued.anchored {
        Some(anchored) => read(&anchored.finish()?.bytes),
        None => read(&issued.document),
    };
    Ok(Json(Looked { shown: issued.listed.into(), document, history }))
}

/// One credential as a file: as it leaves the issuer, with its anchor.
#[utoipa::path(get, path = "/studio/api/credentials/{id}/file", tag = "issued", params(("id" = String, Path), Part),
    responses((status = 200, body = Vec<u8>, content_type = "application/json"), (status = "4XX", body = super::api::Problem)))]
pub async fn file(
    State(studio): State<Arc<Studio>>,
    _: Viewer,
    Segments(id): Segments<String>,
    Parameters(Part { part }): Parameters<Part>,
) -> Result<Response, Problem> {
    let issued = studio.issued(id).await?;
    let anchored = issued.anchored.ok_or_else(|| Problem::new(Kind::Unknown, "it is not anchored yet"))?;
    let Finished { bytes, receipt } = anchored.finish()?;
    let name = Path::new(&issued.listed.file).file_name().unwrap_or_default().to_string_lossy().into_owned();
    match part.as_deref() {
        None if receipt.is_some() => Ok(attached("application/vc+jwt", &name, bytes)),
        None => Ok(attached("application/vc", &name, bytes)),
        Some("receipt") => {
            let receipt = receipt.ok_or_else(|| Problem::new(Kind::Unknown, "its anchor is inside it"))?;
            Ok(attached("application/json", &format!("{name}.receipt.json"), receipt))
        }
        Some(_) => Err(Problem::new(Kind::BadRequest, "part: receipt, or nothing")),
    }
}

impl Studio {
    /// All that is known of a credential.
    pub(super) async fn issued(self: &Arc<Self>, id: String) -> Result<Issued, Problem> {
        let issued = self.with_store(move |store| Ok(store.issued(&id)?)).await?;
        issued.ok_or_else(|| Problem::new(Kind::Unknown, "no credential of this id was issued here"))
    }
}

fn read(bytes: &[u8]) -> Value {
    json::parse(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned().into())
}

/// A file to be kept, by its name (RFC 6266, RFC 8187).
fn attached(media_type: &'static str, name: &str, bytes: Vec<u8>) -> Response {
    let mut encoded = String::new();
    for byte in name.bytes() {
        match byte {
            b'-' | b'.' | b'_' => encoded.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            byte => write!(encoded, "%{byte:02X}").expect("a String takes everything"),
        }
    }
    let disposition = format!("attachment; filename*=UTF-8''{encoded}");
    ([(header::CONTENT_TYPE, media_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)], bytes).into_response()
}
