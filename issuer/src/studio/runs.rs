//! `/studio/api/runs`: issuing. A run is asked for, goes on in the background, and is watched.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::{sync::watch, time::sleep};

use super::{
    Studio,
    access::{self, Issuer, Viewer},
    blocking,
    books::{Asked, Deed, What},
    extract::{Object, Segments},
    problem::{Kind, Problem},
    rosters::{Dates, Meaning},
    run_view::RunView,
};
use crate::{
    clock::now,
    roster::{Roster, RosterOptions},
    template::{self, IdentityKind},
};

/// Runs of an answer.
const PAGE: usize = 100;
/// The least time between two events.
const PACE: Duration = Duration::from_millis(250);
/// A line that keeps proxies from closing a silent connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A way to say whose a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Identity {
    /// By the learner's DID.
    Did,
    /// By the hashed e-mail address.
    Email,
    /// By the name, in plain text.
    Name,
}

/// A run that is wanted.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The template's name.
    template: String,
    /// The roster's id.
    roster: String,
    /// Columns by their headings: `{"email": "Work address"}`.
    #[serde(default)]
    map: std::collections::BTreeMap<String, String>,
    /// Which comes first in dates like 03/04/2026.
    dates: Option<Dates>,
    /// The period of rows that name none.
    #[serde(default)]
    period: String,
    /// How credentials say whose they are; an empty list: by nothing. Without it: as the template says.
    identity: Option<Vec<Identity>>,
    /// Whether learners are invited to claim as soon as they have their credential.
    #[serde(default)]
    invite: bool,
}

/// What is kept of [`Wanted`], beside the template and the roster.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    meaning: Meaning,
    identity: Option<Vec<Identity>>,
    /// Whether learners are invited.
    pub invite: bool,
    /// Not a roster, but a credential that is to be made out anew.
    pub correction: Option<Correction>,
}

/// A credential that is to be made out anew.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// Its id.
    pub id: String,
    /// What is to be said instead, by headings of rosters.
    pub changes: Map<String, Value>,
    /// The code for the revocation of the old one.
    pub reason: u8,
}

impl Options {
    /// Of a correction.
    pub fn correcting(correction: Correction) -> Self {
        Self { correction: Some(correction), ..Self::default() }
    }

    /// As they are written down.
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("texts and lists serialise")
    }

    /// As they were written down.
    pub fn read(text: &str) -> Result<Self, Problem> {
        serde_json::from_str(text).map_err(|error| Problem::internal(&error))
    }

    /// How the roster is read.
    pub fn roster(&self) -> Result<RosterOptions, Problem> {
        self.meaning.options()
    }

    /// How credentials say whose they are, where it is not as the template says.
    pub fn identity(&self) -> Option<template::Identity> {
        let kind = |identity: &Identity| match identity {
            Identity::Did => IdentityKind::Did,
            Identity::Email => IdentityKind::Email,
            Identity::Name => IdentityKind::Name,
        };
        self.identity.as_ref().map(|kinds| template::Identity::These(kinds.iter().map(kind).collect()))
    }
}

/// A run that was asked for.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Begun {
    /// Its number.
    pub run: i64,
}

/// Runs.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Runs {
    /// The newest first, at most 100.
    runs: Vec<RunView>,
}

/// Asks for a run. It begins when those before it have ended.
#[utoipa::path(post, path = "/studio/api/runs", tag = "issuing", request_body = Wanted,
    responses((status = 202, body = Begun), (status = "4XX", body = super::api::Problem)))]
pub async fn ask(
    State(studio): State<Arc<Studio>>,
    Issuer(session): Issuer,
    Object(wanted): Object<Wanted>,
) -> Result<(StatusCode, Json<Begun>), Problem> {
    let Wanted { template, roster, map, dates, period, identity, invite } = wanted;
    let rows = studio.roster_rows(&roster)?;
    studio.template(&template).await?;
    if invite {
        studio.can_invite()?;
    }
    let options = Options { meaning: Meaning { map, dates, period }, identity, invite, correction: None };
    studio.check_roster(&roster, options.roster()?).await?;
    let who = session.name;
    let deed = Deed { who: who.clone(), what: What::AskRun, on: format!("{template}: {rows} rows") };
    let text = studio.template_text(&template).await?;
    let asked = Asked { who, template, text, roster, options: options.write(), rows };
    let acting = studio.clone();
    let asking = async move {
        let run = acting.books.ask_run(&asked, now())?;
        run.ok_or_else(|| Problem::new(Kind::Taken, "the roster has its run already: hand it in again for another one"))
    };
    let run = studio.logged(deed, asking).await?;
    studio.queue.wake();
    Ok((StatusCode::ACCEPTED, Json(Begun { run })))
}

/// Runs, the newest first.
#[utoipa::path(get, path = "/studio/api/runs", tag = "issuing",
    responses((status = 200, body = Runs), (status = "4XX", body = super::api::Problem)))]
pub async fn list(State(studio): State<Arc<Studio>>, _: Viewer) -> Result<Json<Runs>, Problem> {
    let runs = studio.books.runs(PAGE)?;
    Ok(Json(Runs { runs: runs.into_iter().map(|run| studio.view(run)).collect() }))
}

/// One run.
#[utoipa::path(get, path = "/studio/api/runs/{run}", tag = "issuing", params(("run" = i64, Path)),
    responses((status = 200, body = RunView), (status = "4XX", body = super::api::Problem)))]
pub async fn one(
    State(studio): State<Arc<Studio>>,
    _: Viewer,
    Segments(run): Segments<i64>,
) -> Result<Json<RunView>, Problem> {
    studio.run_view(run).map(Json)
}

/// One run whenever it is another, until it is over: each event's data is the run.
#[utoipa::path(get, path = "/studio/api/runs/{run}/events", tag = "issuing", params(("run" = i64, Path)),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = "4XX", body = super::api::Problem)))]
pub async fn events(
    State(studio): State<Arc<Studio>>,
    _: Viewer,
    Segments(run): Segments<i64>,
    headers: axum::http::HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    studio.run_view(run)?;
    let watching = Watching { changed: studio.queue.watch(), studio, run, headers, last: None };
    let events =
        stream::unfold(watching, async |mut watching| watching.next().await.map(|event| (Ok(event), watching)));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// Somebody who watches a run.
struct Watching {
    studio: Arc<Studio>,
    run: i64,
    headers: axum::http::HeaderMap,
    changed: watch::Receiver<u64>,
    last: Option<RunView>,
}

impl Watching {
    /// The run, once it is another than it was; `None` when nothing follows, or the session has ended.
    async fn next(&mut self) -> Option<Event> {
        if let Some(last) = &self.last {
            if last.state.is_over() {
                return None;
            }
            sleep(PACE).await;
        }
        loop {
            self.changed.mark_unchanged();
            access::session(&self.studio, &self.headers).ok().flatten()?;
            let view = self.studio.run_view(self.run).ok()?;
            if self.last.as_ref() != Some(&view) {
                let data = serde_json::to_string(&view).expect("texts and numbers serialise");
                self.last = Some(view);
                return Some(Event::default().event("run").data(data));
            }
            tokio::select! {
                () = self.studio.shutdown.cancelled() => return None,
                changed = self.changed.changed() => changed.ok()?,
            }
        }
    }
}

/// The rows that failed, as they were, each with what is wrong: to be mended and handed in again.
#[utoipa::path(get, path = "/studio/api/runs/{run}/failed.csv", tag = "issuing", params(("run" = i64, Path)),
    responses((status = 200, content_type = "text/csv", body = String), (status = "4XX", body = super::api::Problem)))]
pub async fn failed(
    State(studio): State<Arc<Studio>>,
    _: Issuer,
    Segments(run): Segments<i64>,
) -> Result<Response, Problem> {
    let none = || Problem::new(Kind::Unknown, "no row failed, or it is more than a month ago");
    let (path, ending) = studio.failed_rows(run).ok_or_else(none)?;
    let bytes = blocking(move || std::fs::read(path).map_err(|error| Problem::internal(&error))).await?;
    let media_type = if ending == "csv" { "text/csv; charset=utf-8" } else { "application/jsonl" };
    let name = format!("attachment; filename=\"failed-{run}.{ending}\"");
    Ok(([(header::CONTENT_TYPE, media_type.to_owned()), (header::CONTENT_DISPOSITION, name)], bytes).into_response())
}

impl Studio {
    /// What could not be read at all is refused before a run is made of it.
    async fn check_roster(self: &Arc<Self>, roster: &str, options: RosterOptions) -> Result<(), Problem> {
        let path = self.roster_path(roster);
        blocking(move || {
            let file = std::fs::File::open(path).map_err(|error| Problem::internal(&error))?;
            let read = Roster::new(Box::new(file), &options);
            read.map(drop).map_err(|fault| Problem::new(Kind::Unfit, fault.to_string()))
        })
        .await
    }
}
