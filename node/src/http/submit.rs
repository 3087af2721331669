//! `POST /v1/issuers/{issuer}/digests`: digests in, status indices out, after the commit.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use testamur_core::{Address, Digest, Entry, StatusIndex};
use tokio::task::spawn_blocking;

use super::{
    AppState,
    access::authorize,
    body::{MAX_ENTRIES, Reader, Splitter, media_type, parse_document, too_many, whole_body},
    extract::Segments,
    problem::{Kind, Problem},
};
use crate::{
    ledger::{Accepted, LedgerError},
    tokens::Scope,
};

/// Digests given to the ledger at once.
const CHUNK: usize = 4096;

/// What a body is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// `{"digests":[…]}`.
    Json,
    /// One JSON value a line.
    Lines,
    /// 32 bytes each.
    Raw,
}

/// A JSON body: one of the two.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    digests: Option<Vec<Digest>>,
    entries: Option<Vec<ReservedEntry>>,
}

/// A digest with the status index that was reserved for it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReservedEntry {
    digest: Digest,
    status_index: StatusIndex,
}

impl From<ReservedEntry> for Entry {
    fn from(ReservedEntry { digest, status_index }: ReservedEntry) -> Self {
        Self { digest, status_index }
    }
}

/// What of a request is on disk.
struct Progress {
    issuer: Address,
    format: Format,
    /// In the order of submission; empty for raw bodies, whose replies do not repeat them.
    digests: Vec<Digest>,
    indices: Vec<StatusIndex>,
    new: u64,
    batch: u64,
}

/// Submits digests.
///
/// As `{"digests":["…"]}`, as `{"entries":[{"digest":"…","statusIndex":…}]}` with indices that were reserved, as lines of `{"digest":"…"}` or `"…"`, or as 32 bytes each.
/// The reply comes when all of them are on disk. A digest that was submitted before keeps its status index. Lines and
/// raw digests are committed while they come: after a fault, those before it stand, and the problem lists them.
#[utoipa::path(
    post, path = "/v1/issuers/{issuer}/digests", tag = "write", security(("token" = ["submit"])),
    params(("issuer" = String, Path, description = "The issuer's account, 0x and 40 hex digits")),
    request_body(content(
        (super::api::Digests = "application/json"),
        (String = "application/x-ndjson"),
        (String = "application/octet-stream"),
    )),
    responses(
        (status = 200, description = "All on disk, in the order of submission. Lines get lines; raw digests get status \
         indices of 8 bytes, big-endian, or JSON if `Accept` asks for it", body = super::api::Accepted),
        (status = "4XX", body = super::api::Problem), (status = "5XX", body = super::api::Problem),
    ),
)]
pub async fn submit(
    State(state): State<Arc<AppState>>,
    Segments(issuer): Segments<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let issuer = authorize(&state, &headers, &issuer, Scope::Submit)?;
    let format = format(&headers)?;
    let (digests, indices) = (Vec::new(), Vec::new());
    let mut progress = Progress { issuer, format, digests, indices, new: 0, batch: 0 };
    let done = match format {
        Format::Json => progress.take_document(&state, body).await,
        Format::Lines => progress.take_stream(&state, body, Splitter::lines()).await,
        Format::Raw => progress.take_stream(&state, body, Splitter::raw()).await,
    };
    match done {
        Ok(()) if progress.indices.is_empty() => Err(Problem::new(Kind::EmptyBody, "send at least one")),
        Ok(()) => Ok(progress.reply(accepts_json(&headers))),
        Err(problem) => Err(progress.tell(problem)),
    }
}

impl Progress {
    async fn take_document(&mut self, state: &Arc<AppState>, body: Body) -> Result<(), Problem> {
        let json = whole_body(state, body).await?;
        if json.is_empty() {
            return Ok(());
        }
        let example = "send {\"digests\":[\"<64 hex digits>\", …]}, or `entries` with reserved status indices";
        match parse_document(&json, Kind::BadDigest)? {
            Document { digests: Some(digests), entries: None } => self.commit(state, digests).await,
            Document { digests: None, entries: Some(entries) } => self.commit_entries(state, entries).await,
            _ => Err(Problem::new(Kind::BadDigest, example)),
        }
    }

    async fn take_stream(&mut self, state: &AppState, body: Body, mut splitter: Splitter) -> Result<(), Problem> {
        let mut reader = Reader::new(body, state.limits.body_bytes, state.limits.body_seconds);
        let mut waiting = Vec::new();
        loop {
            let (ended, taken) = match reader.next().await {
                Ok(Some(piece)) => (false, splitter.push(&piece, &mut waiting)),
                Ok(None) => (true, splitter.finish(&mut waiting)),
                Err(problem) => (true, Err(problem)),
            };
            // What came before a fault stands.
            if ended || taken.is_err() || waiting.len() >= CHUNK {
                self.commit(state, std::mem::take(&mut waiting)).await?;
            }
            taken?;
            if ended {
                return Ok(());
            }
        }
    }

    /// Returns when they are on disk, each with the status index that was reserved for it.
    async fn commit_entries(&mut self, state: &Arc<AppState>, entries: Vec<ReservedEntry>) -> Result<(), Problem> {
        if entries.len() > MAX_ENTRIES {
            return Err(too_many(entries.len()));
        }
        let entries: Vec<_> = entries.into_iter().map(Entry::from).collect();
        // All of them first, so that nothing is taken where one is at fault; the writer looks again, for others may
        // submit at the same time.
        let (looking, all, issuer) = (state.clone(), entries.clone(), self.issuer);
        let found = spawn_blocking(move || looking.ledger.conflicts(issuer, &all)).await;
        let found = found.map_err(|error| Problem::internal(&error))??;
        if !found.is_empty() {
            return Err(LedgerError::Conflicts(found).into());
        }
        for (number, chunk) in entries.chunks(CHUNK).enumerate() {
            let accepted = state.ledger.submit_entries(issuer, chunk).await;
            let accepted = accepted.map_err(|error| error.behind(number * CHUNK))?;
            self.note(accepted, chunk.iter().map(|entry| entry.digest));
        }
        Ok(())
    }

    /// Returns when they are on disk.
    async fn commit(&mut self, state: &AppState, digests: Vec<Digest>) -> Result<(), Problem> {
        for chunk in digests.chunks(CHUNK) {
            let accepted = state.ledger.submit(self.issuer, chunk.to_vec()).await?;
            self.note(accepted, chunk.iter().copied());
        }
        Ok(())
    }

    fn note(&mut self, accepted: Accepted, digests: impl Iterator<Item = Digest>) {
        self.indices.extend(accepted.indices);
        self.new += accepted.new;
        self.batch = self.batch.max(accepted.batch.0);
        if self.format != Format::Raw {
            self.digests.extend(digests);
        }
    }

    fn reply(self, accepts_json: bool) -> Response {
        let (batch, new) = (self.batch, self.new);
        let (media_type, body) = match self.format {
            Format::Lines => ("application/x-ndjson", Body::from_stream(stream::iter(self.into_lines()))),
            Format::Raw if !accepts_json => ("application/octet-stream", Body::from(self.to_bytes())),
            _ => ("application/json", Body::from(self.to_json())),
        };
        let mut response = body.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert("testamur-batch", batch.into());
        headers.insert("testamur-new", new.into());
        response
    }

    /// Written by hand: a value for each of a million entries would take longer than their commit.
    fn to_json(&self) -> String {
        let (accepted, new) = (self.indices.len(), self.new);
        let mut json = String::with_capacity(64 + accepted * 104);
        json.push_str(&format!(r#"{{"batch":{},"accepted":{accepted},"new":{new},"#, self.batch));
        if self.format == Format::Raw {
            let indices: Vec<_> = self.indices.iter().map(StatusIndex::to_string).collect();
            json.push_str(&format!(r#""statusIndices":[{}]}}"#, indices.join(",")));
            return json;
        }
        json.push_str(r#""entries":["#);
        for (digest, index) in self.digests.iter().zip(&self.indices) {
            json.push_str(&entry(digest, *index));
            json.push(',');
        }
        json.pop();
        json.push_str("]}");
        json
    }

    /// In pieces, made when they are sent.
    fn into_lines(self) -> impl Iterator<Item = Result<Bytes, std::convert::Infallible>> {
        let chunks = self.indices.len().div_ceil(CHUNK);
        (0..chunks).map(move |chunk| {
            let range = chunk * CHUNK..((chunk + 1) * CHUNK).min(self.indices.len());
            let pairs = self.digests[range.clone()].iter().zip(&self.indices[range]);
            Ok(pairs.map(|(digest, index)| entry(digest, *index) + "\n").collect::<String>().into())
        })
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.indices.iter().flat_map(|index| index.get().to_be_bytes()).collect()
    }

    /// Adds what stands to a problem.
    fn tell(&self, problem: Problem) -> Problem {
        let problem = problem.with("accepted", self.indices.len()).with("new", self.new);
        if self.indices.is_empty() {
            return problem;
        }
        let problem = problem.with("batch", self.batch);
        if self.format == Format::Raw {
            return problem.with("statusIndices", self.indices.iter().map(|index| index.get()).collect::<Value>());
        }
        let pairs = self.digests.iter().zip(&self.indices);
        let entries = pairs.map(|(digest, index)| json!({ "digest": digest, "statusIndex": index }));
        problem.with("entries", entries.collect::<Value>())
    }
}

fn entry(digest: &Digest, index: StatusIndex) -> String {
    format!(r#"{{"digest":"{digest}","statusIndex":{index}}}"#)
}

fn format(headers: &HeaderMap) -> Result<Format, Problem> {
    match media_type(headers).as_str() {
        "application/json" => Ok(Format::Json),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Format::Lines),
        "application/octet-stream" => Ok(Format::Raw),
        _ => {
            let detail = "Content-Type must be application/json, application/x-ndjson or application/octet-stream";
            Err(Problem::new(Kind::MediaType, detail))
        }
    }
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.contains("application/json")
}
