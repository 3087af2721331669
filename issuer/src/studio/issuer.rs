//! `/studio/api/issuer`: who issues here, and whether it can.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::{Map, Value};
use testamur::node::{Node, NodeError, Place};
use tokio::time::timeout;

use super::{Studio, access::Viewer, blocking, problem::Problem};
use crate::mail::{Outbox, outbox::Counts};

/// The node is asked for no longer: the page waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who issues.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Issuing {
    /// The `Profile` of Open Badges 3.0 that credentials name as their issuer.
    #[schema(value_type = Object)]
    profile: Map<String, Value>,
    /// How credentials are signed: `eddsa-jcs-2022` and so on.
    suite: String,
    /// Where they are anchored.
    node: NodeState,
    /// What is wrong with the key that signs; `null`: nothing.
    key: Option<String>,
    /// Where learners' pages are; `null`: there are none.
    share: Option<String>,
    /// Mails to learners; `null`: none are sent.
    mail: Option<Mails>,
}

/// Mails to learners.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Mails {
    /// To be sent, now or later.
    waiting: u64,
    /// A mail server took them.
    sent: u64,
    /// A mail server refused them for good, or put them off for three days.
    refused: u64,
}

/// The node, as it answers now.
#[derive(Serialize, utoipa::ToSchema)]
pub struct NodeState {
    /// Its URL.
    url: String,
    /// Whether it answers and takes the token.
    ready: bool,
    /// What is wrong with it, or keeps it from anchoring.
    trouble: Option<String>,
    /// The issuer's account there.
    account: Option<String>,
    /// The chain, by its EIP-155 id.
    chain: Option<u64>,
    /// The registry contract.
    registry: Option<String>,
}

/// Who issues here, and whether the node takes it.
#[utoipa::path(get, path = "/studio/api/issuer", tag = "issuing",
    responses((status = 200, body = Issuing), (status = "4XX", body = super::api::Problem)))]
pub async fn issuer(State(studio): State<Arc<Studio>>, _: Viewer) -> Result<Json<Issuing>, Problem> {
    let config = &studio.config;
    let node = node_state(&studio).await;
    let acting = studio.clone();
    let mail = blocking(move || acting.mails()).await?;
    Ok(Json(Issuing {
        profile: config.profile.to_json(),
        suite: config.signing.suite.name().to_owned(),
        node,
        key: config.key().err().map(|error| error.to_string()),
        share: config.share.as_ref().map(|share| share.public_url.as_str().to_owned()),
        mail,
    }))
}

impl Studio {
    fn mails(&self) -> Result<Option<Mails>, Problem> {
        if self.config.mail.is_none() {
            return Ok(None);
        }
        let Counts { waiting, sent, refused } = Outbox::open(&self.config.data()?)?.counts()?;
        Ok(Some(Mails { waiting, sent, refused }))
    }
}

async fn node_state(studio: &Studio) -> NodeState {
    let config = &studio.config;
    let asked = match config.node() {
        Ok(node) => timeout(PATIENCE, ask(&node, studio)).await.map_err(|_| "it does not answer".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    let state = NodeState {
        url: config.node.url.clone(),
        ready: false,
        trouble: None,
        account: config.node.account.map(|account| account.to_string()),
        chain: None,
        registry: None,
    };
    match asked {
        Ok(Ok((Place { issuer, chain, registry }, trouble))) => NodeState {
            ready: trouble.is_none(),
            trouble,
            account: Some(issuer.to_string()),
            chain: Some(chain.0),
            registry: Some(registry.to_string()),
            ..state
        },
        Ok(Err(error)) => NodeState { trouble: Some(error.to_string()), ..state },
        Err(trouble) => NodeState { trouble: Some(trouble), ..state },
    }
}

async fn ask(node: &Node, studio: &Studio) -> Result<(Place, Option<String>), NodeError> {
    let place = node.place(studio.config.node.account).await?;
    let trouble = node.trouble(place.issuer).await?;
    Ok((place, trouble))
}
