//! `/studio/api/credentials/…`: taking back and correcting what was issued.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use testamur::change::ChangeState;

use super::{
    Studio,
    access::Issuer,
    blocking,
    books::{Asked, Deed, What},
    extract::{Object, Segments},
    problem::{Kind, Problem},
    runs::{Begun, Correction, Options},
};
use crate::{
    change::{self, StatusOrder},
    clock::now,
    issue::{IssueError, Step},
    store::{Listed, Store},
};

/// Credentials of a request.
const MOST: usize = 1_000;

/// Credentials to be revoked.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoking {
    /// Their ids, at most 1,000.
    ids: Vec<String>,
    /// Your own code for the reason. The node keeps it; it is not published.
    #[serde(default)]
    reason: u8,
}

/// One that the node does not take.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Unrevoked {
    /// Its id.
    id: String,
    /// Why.
    why: String,
}

/// What came of it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Revoked {
    /// Those that are revoked: the node has it, and publishes it.
    revoked: Vec<String>,
    /// Those that the node does not take.
    refused: Vec<Unrevoked>,
    /// Those that wait for the node. It is decided, and carried out as soon as the node answers.
    waiting: Vec<String>,
}

/// What is to be said instead.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Correcting {
    /// By headings of rosters: `{"name": "Ada King"}`; `null`: to say nothing. Without any, the credential is made out anew
    /// by the template as it is now.
    #[serde(default)]
    #[schema(value_type = Object)]
    changes: Map<String, Value>,
    /// Your own code for the reason of the revocation.
    #[serde(default)]
    reason: u8,
}

/// Revokes credentials, for good.
#[utoipa::path(post, path = "/studio/api/credentials/revoke", tag = "issued", request_body = Revoking,
    responses((status = 200, body = Revoked), (status = "4XX", body = super::api::Problem)))]
pub async fn revoke(
    State(studio): State<Arc<Studio>>,
    Issuer(session): Issuer,
    Object(Revoking { ids, reason }): Object<Revoking>,
) -> Result<Json<Revoked>, Problem> {
    let found = studio.all(ids).await?;
    let ids: Vec<&str> = found.iter().map(|listed| listed.id.as_str()).collect();
    let deed = Deed { who: session.name, what: What::Revoke, on: ids.join(" ") };
    let acting = studio.clone();
    // What is told on the way is not for other threads.
    let here = tokio::runtime::Handle::current();
    let revoking = blocking(move || here.block_on(acting.revoke_now(&found, reason)));
    let revoked = studio.logged(deed, revoking).await?;
    if !revoked.waiting.is_empty() {
        studio.queue.wake();
    }
    Ok(Json(revoked))
}

/// Makes out a credential anew, with corrections: a run of one. The old one is revoked once the new one is written.
#[utoipa::path(post, path = "/studio/api/credentials/{id}/reissue", tag = "issued", params(("id" = String, Path)),
    request_body = Correcting, responses((status = 202, body = Begun), (status = "4XX", body = super::api::Problem)))]
pub async fn reissue(
    State(studio): State<Arc<Studio>>,
    Issuer(session): Issuer,
    Segments(id): Segments<String>,
    Object(Correcting { changes, reason }): Object<Correcting>,
) -> Result<(StatusCode, Json<Begun>), Problem> {
    let issued = studio.issued(id).await?;
    let listed = &issued.listed;
    if let Some(newer) = &listed.superseded_by {
        let detail = format!("{newer} has taken its place: that is the one to correct");
        return Err(Problem::new(Kind::Taken, detail).with("supersededBy", newer.clone()));
    }
    change::corrected(&issued, &changes).map_err(|fault| Problem::new(Kind::Unfit, fault.to_string()))?;
    let text = studio.text_of_id(&listed.template).await?;
    studio.usable(&text, &listed.template)?;
    let deed = Deed { who: session.name.clone(), what: What::Reissue, on: listed.id.clone() };
    let correction = Correction { id: listed.id.clone(), changes, reason };
    let asked = Asked {
        who: session.name,
        template: listed.template.clone(),
        text,
        // No file: the correction stands in the options.
        roster: format!("{} {}", listed.id, now().0),
        options: Options::correcting(correction).write(),
        rows: 1,
    };
    let acting = studio.clone();
    let asking = async move {
        let run = acting.books.ask_run(&asked, now())?;
        run.ok_or_else(|| Problem::new(Kind::Taken, "the same was asked for a moment ago"))
    };
    let run = studio.logged(deed, asking).await?;
    studio.queue.wake();
    Ok((StatusCode::ACCEPTED, Json(Begun { run })))
}

impl Studio {
    /// Those credentials; refused where one of them was not issued here.
    pub(super) async fn all(self: &Arc<Self>, ids: Vec<String>) -> Result<Vec<Listed>, Problem> {
        if ids.is_empty() || ids.len() > MOST {
            return Err(Problem::new(Kind::Unfit, "ids: between 1 and 1,000 of them"));
        }
        let find = |store: &mut Store, id: &String| {
            let unknown = || Problem::new(Kind::Unknown, "one of them was not issued here").with("id", id.clone());
            store.find(id)?.ok_or_else(unknown)
        };
        self.with_store(move |store| ids.iter().map(|id| find(store, id)).collect()).await
    }

    /// Revokes these, and whatever else is due. Without the node it is decided, and carried out later.
    pub(super) async fn revoke_now(&self, credentials: &[Listed], reason: u8) -> Result<Revoked, Problem> {
        let mut store = Store::open(&self.config.store()?)?;
        let journals = self.config.journals();
        let order = StatusOrder {
            account: self.config.node.account,
            reason,
            at_once: false,
            wait: ChangeState::Pending,
            journals: &journals,
        };
        let mut refused = Vec::new();
        let mut tell = |step: Step<'_>| {
            if let Step::Unrevoked(id, why) = step {
                refused.push(Unrevoked { id: id.to_owned(), why: why.to_owned() });
            }
        };
        let node = self.config.node()?;
        match change::revoke(&node, &mut store, credentials, &order, now(), &mut tell).await {
            Err(IssueError::Store(error)) => return Err(error.into()),
            Err(error) => tracing::warn!(%error, "revocations wait for the node"),
            Ok(()) => {}
        }
        let (mut revoked, mut waiting) = (Vec::new(), Vec::new());
        for Listed { id, .. } in credentials {
            let is_done = store.find(id)?.is_some_and(|listed| listed.revoked.is_some());
            if is_done {
                revoked.push(id.clone());
            } else if refused.iter().all(|refused| refused.id != *id) {
                waiting.push(id.clone());
            }
        }
        Ok(Revoked { revoked, refused, waiting })
    }
}
