//! Changes of status through a node: handed over once, followed until they are on the chain.

use std::{fmt, time::Duration};

use reqwest::Method;
use serde::{Deserialize, Deserializer, Serialize};
use testamur_core::{Address, BlockNumber, Digest, Hash, Purpose, StatusIndex};

use super::{
    Node, NodeError,
    server::{LONGEST_ANSWER, Patience, parse, pause, refusal, retry_after},
};
use crate::terminal::printable;

/// The most entries that a node takes in one request.
pub const MOST_ENTRIES: usize = 100_000;
/// Checking as many digests and one durable commit come within this.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(120);
/// A change is asked about at least as often.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What is to become of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Invalid, for good.
    Revoke,
    /// Invalid until reinstated.
    Suspend,
    /// No longer suspended.
    Reinstate,
}

impl Action {
    /// Which bits it is about, and what they are to be.
    pub fn wanted(self) -> (Purpose, bool) {
        match self {
            Self::Revoke => (Purpose::REVOCATION, true),
            Self::Suspend => (Purpose::SUSPENSION, true),
            Self::Reinstate => (Purpose::SUSPENSION, false),
        }
    }

    /// What those are that it was done to.
    pub fn done(self) -> &'static str {
        match self {
            Self::Revoke => "revoked",
            Self::Suspend => "suspended",
            Self::Reinstate => "reinstated",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Revoke => "revoke",
            Self::Suspend => "suspend",
            Self::Reinstate => "reinstate",
        })
    }
}

/// The credentials meant: by what the node saw of them, or by the place of their status bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Entries {
    /// Their digests.
    Digests(Vec<Digest>),
    /// Their status indices.
    Indices(Vec<StatusIndex>),
}

/// A request to change the status of credentials (`POST /v1/issuers/{issuer}/changes`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// What is to be done.
    pub action: Action,
    /// To which credentials.
    #[serde(flatten)]
    pub entries: Entries,
    /// The issuer's own code. The node keeps it.
    pub reason: u8,
    /// Whether it is to go to the chain at once, rather than with others.
    pub now: bool,
    /// Whether indices are taken that this node never assigned.
    pub assigned_elsewhere: bool,
}

/// How far a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeState {
    /// Durable with the node.
    Pending,
    /// In a block, which may still be undone.
    Included,
    /// In a finalized block.
    Final,
}

/// A change that the node took, and how far it is.
#[derive(Clone, Debug, Deserialize)]
pub struct Progress {
    /// Its number with this node and issuer.
    pub change: u64,
    /// How far it is.
    pub state: ChangeState,
    /// The newest status update that it rests on; `None` while there is none.
    pub update: Option<Landed>,
}

/// A status update in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landed {
    /// The update's number.
    pub epoch: u64,
    /// Its block.
    pub block: BlockNumber,
    /// Its transaction; `None` where a node did not send it itself, and so does not know it.
    #[serde(default, deserialize_with = "not_zero")]
    pub transaction: Option<Hash>,
}

fn not_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Hash>, D::Error> {
    let hash = Option::<Hash>::deserialize(deserializer)?;
    Ok(hash.filter(|hash| *hash != Hash::ZERO))
}

/// A change that the node did not take; nothing of it was done.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub error: NodeError,
    /// The entries that are to blame, as far as the node names them.
    pub offenders: Vec<Offender>,
    /// How many there are in all.
    pub count: u64,
}

/// An entry that a node refuses.
#[derive(Debug, PartialEq, Eq)]
pub struct Offender {
    /// Its place in the request.
    pub place: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl Node {
    /// Hands over a change. When this returns `Ok`, the node has promised that it is durable.
    ///
    /// The same key and change give the same answer, so transient failures are retried.
    pub async fn change(&self, issuer: Address, key: &str, change: &Change) -> Result<Progress, Refused> {
        let body = serde_json::to_vec(change).expect("a change has only JSON values");
        let mut patience = Patience::default();
        loop {
            match self.change_once(issuer, key, body.clone()).await {
                Ok(progress) => return Ok(progress),
                Err(Refused { error, offenders, count }) => {
                    let spent = patience.after(error).await;
                    spent.map_err(|error| Refused { error, offenders, count })?;
                }
            }
        }
    }

    async fn change_once(&self, issuer: Address, key: &str, body: Vec<u8>) -> Result<Progress, Refused> {
        let request = self
            .server
            .request(Method::POST, &format!("v1/issuers/{issuer}/changes"))?
            .header("idempotency-key", key)
            .header("content-type", "application/json")
            .timeout(CHANGE_TIMEOUT)
            .body(body);
        let mut response = self.server.ask(request).await?;
        let retry_after = retry_after(&response);
        let bytes = self.server.read(&mut response, LONGEST_ANSWER).await?;
        if response.status().is_success() {
            return Ok(parse(&bytes)?);
        }
        let Problem { errors, error_count } = serde_json::from_slice(&bytes).unwrap_or_default();
        let offenders: Vec<_> = errors.into_iter().filter_map(RawOffender::read).collect();
        let count = error_count.max(offenders.len() as u64);
        Err(Refused { error: refusal(response.status().as_u16(), retry_after, &bytes), offenders, count })
    }

    /// A change, once it is as far as asked. Waits as long as that takes.
    pub async fn await_change(&self, issuer: Address, change: u64, until: ChangeState) -> Result<Progress, NodeError> {
        let path = format!("v1/issuers/{issuer}/changes/{change}");
        let (mut patience, mut asked) = (Patience::default(), 0);
        loop {
            match self.server.get::<Progress>(&path).await {
                Ok(progress) if progress.state >= until => return Ok(progress),
                Ok(_) => {
                    patience = Patience::default();
                    tokio::time::sleep(pause(None, asked).min(LONGEST_PAUSE)).await;
                    asked += 1;
                }
                Err(error) => patience.after(error).await?,
            }
        }
    }
}

/// A problem, as far as it speaks of single entries.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Problem {
    errors: Vec<RawOffender>,
    error_count: u64,
}

#[derive(Deserialize)]
struct RawOffender {
    path: String,
    #[serde(default)]
    problem: String,
    #[serde(default)]
    detail: String,
}

impl RawOffender {
    /// `None` where the path leads to no entry (`/digests/17`, `/indices/17`).
    fn read(self) -> Option<Offender> {
        let place = self.path.rsplit_once('/')?.1.parse().ok()?;
        // What the API advises to programs, for people.
        let reason = match self.problem.as_str() {
            "never-assigned" => {
                "it gave this index to nothing; where another node did, add --assigned-elsewhere".into()
            }
            "unknown-digest" => {
                "the digest was not submitted there; where another node took it, name its index, or its file, with \
                 --assigned-elsewhere"
                    .into()
            }
            _ => printable(&self.detail),
        };
        Some(Offender { place, reason })
    }
}

impl From<NodeError> for Refused {
    fn from(error: NodeError) -> Self {
        Self { error, offenders: Vec::new(), count: 0 }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_written_as_the_api_reads_it() {
        let change = Change {
            action: Action::Suspend,
            entries: Entries::Indices(vec![StatusIndex::new(7).unwrap()]),
            reason: 3,
            now: true,
            assigned_elsewhere: false,
        };
        let expected =
            json!({ "action": "suspend", "indices": [7], "reason": 3, "now": true, "assignedElsewhere": false });
        assert_eq!(serde_json::to_value(change).unwrap(), expected);
    }

    #[test]
    fn offenders_are_found_by_their_path() {
        let raw = |path: &str, problem: &str| RawOffender {
            path: path.to_owned(),
            problem: problem.to_owned(),
            detail: "x\u{1b}".to_owned(),
        };
        let read = |path: &str| raw(path, "revoked").read();
        assert_eq!(read("/indices/17"), Some(Offender { place: 17, reason: "x\u{fffd}".to_owned() }));
        assert_eq!((read("/reason"), read(""), read("/indices/-1")), (None, None, None));
        let elsewhere = raw("/indices/0", "never-assigned").read().unwrap();
        assert!(elsewhere.reason.contains("--assigned-elsewhere"), "{elsewhere:?}");
    }
}
