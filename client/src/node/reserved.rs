//! Status indices ahead of issuing, and digests that come with them.

use reqwest::{Method, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use testamur_core::{Address, Digest, Entry, ListNumber, Purpose, StatusIndex, status::list_path};

use super::{Node, NodeError, Refused, server::LONGEST_ANSWER};
use crate::terminal::printable;

/// Bytes that an index, and a digest with its index, take at most in an answer.
const INDEX: usize = 16;
const ENTRY: usize = 128;
/// A list as W3C has it, which names itself.
const CREDENTIAL: &str = "application/vc";

/// A digest with its index, as the API reads it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Submitted {
    digest: Digest,
    status_index: StatusIndex,
}

#[derive(Deserialize)]
struct Accepted {
    accepted: usize,
}

#[derive(Deserialize)]
struct Indices {
    indices: Vec<StatusIndex>,
}

#[derive(Deserialize)]
struct List {
    id: String,
}

impl Node {
    /// Reserves status indices: nothing else ever gets them. At most [`super::MOST_ENTRIES`] at once.
    ///
    /// Where an answer is lost, others are asked for: those that nobody heard of stay unused.
    pub async fn reserve(&self, issuer: Address, count: usize) -> Result<Vec<StatusIndex>, NodeError> {
        let request = self.server.post(&format!("v1/issuers/{issuer}/indices"), &json!({ "count": count }))?;
        let answer = self.server.hand_over(request, count * INDEX + LONGEST_ANSWER).await;
        let Indices { indices } = answer.map_err(|refused| refused.error)?;
        if indices.len() == count {
            return Ok(indices);
        }
        Err(NodeError::Answer { detail: format!("{} indices, where {count} were asked for", indices.len()) })
    }

    /// Hands over digests with the indices that were reserved for them, at most [`super::MOST_ENTRIES`], all or none.
    /// When this returns `Ok`, the node has promised that they are durable.
    ///
    /// Handing one over again is harmless, so transient failures are retried.
    pub async fn submit_entries(&self, issuer: Address, entries: &[Entry]) -> Result<(), Refused> {
        let submitted = |&Entry { digest, status_index }| Submitted { digest, status_index };
        let body = json!({ "entries": entries.iter().map(submitted).collect::<Vec<_>>() });
        let request = self.server.post(&format!("v1/issuers/{issuer}/digests"), &body)?;
        let Accepted { accepted } = self.server.hand_over(request, entries.len() * ENTRY + LONGEST_ANSWER).await?;
        if accepted == entries.len() {
            return Ok(());
        }
        Err(NodeError::Answer { detail: format!("{accepted} accepted of {}", entries.len()) }.into())
    }

    /// The URL by which credentials name this node, without a slash at its end. Its operator may have given it another
    /// than the one by which it is reached here.
    pub async fn public_url(&self, issuer: Address) -> Result<String, NodeError> {
        // A list is named by its own `id`, and any list will do.
        let path = list_path(issuer, Purpose::REVOCATION, ListNumber::default());
        let request =
            self.server.request(Method::GET, path.trim_start_matches('/'))?.header(header::ACCEPT, CREDENTIAL);
        let answer = self.server.hand_over(request, LONGEST_ANSWER).await;
        let List { id } = answer.map_err(|refused| refused.error)?;
        let url = id.strip_suffix(&path).filter(|url| url.starts_with("http")).map(str::to_owned);
        url.ok_or_else(|| NodeError::Answer { detail: format!("a list that is not named {path}: {}", printable(&id)) })
    }
}
