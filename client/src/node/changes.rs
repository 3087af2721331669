//! Changes of status through a node: handed over once, followed until they are on the chain.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize};
use testamur_core::{Address, BlockNumber, Digest, Hash, Purpose, StatusIndex};

use super::{
    Node, NodeError, Refused,
    server::{LONGEST_ANSWER, Patience, pause},
};

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

impl Node {
    /// Hands over a change. When this returns `Ok`, the node has promised that it is durable.
    ///
    /// The same key and change give the same answer, so transient failures are retried.
    pub async fn change(&self, issuer: Address, key: &str, change: &Change) -> Result<Progress, Refused> {
        let request = self.server.post(&format!("v1/issuers/{issuer}/changes"), change)?;
        self.server.hand_over(request.header("idempotency-key", key), LONGEST_ANSWER).await
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
}
