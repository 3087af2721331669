//! Requests about many entries: taken as a whole, or refused with the entries that are to blame.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    NodeError,
    server::{LONGEST_ANSWER, Patience, Server, parse, refusal, retry_after},
};
use crate::terminal::printable;

/// The most entries that a node takes in one request.
pub const MOST_ENTRIES: usize = 100_000;
/// Checking as many and one durable commit come within this.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A request that the node did not take; nothing of it was done.
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

impl Server {
    /// A request for [`Self::hand_over`].
    pub(super) fn post(&self, path: &str, body: &impl Serialize) -> Result<RequestBuilder, NodeError> {
        let body = serde_json::to_vec(body).expect("our requests serialise");
        let request = self.request(Method::POST, path)?.header(header::CONTENT_TYPE, "application/json");
        Ok(request.timeout(TIMEOUT).body(body))
    }

    /// Sends a request that may be sent twice, and again while what goes wrong passes by itself. Its answer is at most
    /// `longest` bytes.
    pub(super) async fn hand_over<T>(&self, request: RequestBuilder, longest: usize) -> Result<T, Refused>
    where
        T: DeserializeOwned,
    {
        let mut patience = Patience::default();
        loop {
            let attempt = request.try_clone().expect("its body is in memory");
            match self.hand_over_once(attempt, longest).await {
                Ok(answer) => return Ok(answer),
                Err(Refused { error, offenders, count }) => {
                    let spent = patience.after(error).await;
                    spent.map_err(|error| Refused { error, offenders, count })?;
                }
            }
        }
    }

    async fn hand_over_once<T: DeserializeOwned>(&self, request: RequestBuilder, longest: usize) -> Result<T, Refused> {
        let mut response = self.ask(request).await?;
        let (is_taken, retry_after) = (response.status().is_success(), retry_after(&response));
        let bytes = self.read(&mut response, if is_taken { longest } else { LONGEST_ANSWER }).await?;
        if is_taken {
            return Ok(parse(&bytes)?);
        }
        let Problem { errors, error_count } = serde_json::from_slice(&bytes).unwrap_or_default();
        let offenders: Vec<_> = errors.into_iter().filter_map(RawOffender::read).collect();
        let count = error_count.max(offenders.len() as u64);
        Err(Refused { error: refusal(response.status().as_u16(), retry_after, &bytes), offenders, count })
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
    /// `None` where the path leads to no entry (`/digests/17`, `/indices/17`, `/entries/17/statusIndex`).
    fn read(self) -> Option<Offender> {
        let place = self.path.split('/').nth(2)?.parse().ok()?;
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
    use super::*;

    #[test]
    fn offenders_are_found_by_their_path() {
        let raw = |path: &str, problem: &str| RawOffender {
            path: path.to_owned(),
            problem: problem.to_owned(),
            detail: "x\u{1b}".to_owned(),
        };
        let read = |path: &str| raw(path, "revoked").read();
        assert_eq!(read("/indices/17"), Some(Offender { place: 17, reason: "x\u{fffd}".to_owned() }));
        assert_eq!(read("/entries/17/statusIndex").map(|offender| offender.place), Some(17));
        assert_eq!((read("/reason"), read(""), read("/indices/-1")), (None, None, None));
        let elsewhere = raw("/indices/0", "never-assigned").read().unwrap();
        assert!(elsewhere.reason.contains("--assigned-elsewhere"), "{elsewhere:?}");
    }
}
