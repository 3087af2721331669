//! One HTTP server of ours, whoever runs it: requests within limits of time and size, problems read, nothing followed
//! to another place.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, Url, header};
use serde::{Deserialize, de::DeserializeOwned};
use testamur_chain::causes;

use super::{NodeError, Token};
use crate::terminal::printable;

/// The longest answer to a question: a receipt of a 2^64-leaf batch takes 6 kB.
pub(super) const LONGEST_ANSWER: usize = 1 << 20;
/// An answer to a question comes within this.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Failures in a row, each longer waited for than the one before, until a request is given up: about five minutes.
const MOST_FAILURES: u32 = 12;
/// The first pause and the longest one, whatever the node asks for.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// A problem document (RFC 9457), as far as people need it.
#[derive(Deserialize, Default)]
pub(super) struct Problem {
    title: Option<String>,
    detail: Option<String>,
}

/// A server and, where it is a node that we write to, the token to use it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    client: Client,
    base: Url,
    token: Option<Token>,
}

impl Server {
    /// A server by its URL. No request is made.
    pub(crate) fn new(url: &str, token: Option<Token>) -> Result<Self, NodeError> {
        let mut base: Url = url.trim().parse().map_err(|_| NodeError::Url)?;
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            return Err(NodeError::Url);
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .timeout(TIMEOUT)
            // The API has no redirects, and the token goes to nobody else.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("testamur/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| NodeError::Answer { detail: causes(error) })?;
        Ok(Self { client, base, token })
    }

    /// Scheme, host and port: what people call it.
    pub(crate) fn name(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, NodeError> {
        let mut response = self.send(self.request(Method::GET, path)?).await?;
        parse(&self.read(&mut response, LONGEST_ANSWER).await?)
    }

    /// A request that is answered within half a minute, unless it says otherwise.
    pub(crate) fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, NodeError> {
        let url = self.base.join(path).map_err(|_| NodeError::Url)?;
        let request = self.client.request(method, url);
        Ok(match &self.token {
            Some(token) => request.bearer_auth(&token.0),
            None => request,
        })
    }

    /// Sends a request; an answer that is no success is an error.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, NodeError> {
        let mut response = self.ask(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let retry_after = retry_after(&response);
        let bytes = self.read(&mut response, LONGEST_ANSWER).await?;
        Err(refusal(response.status().as_u16(), retry_after, &bytes))
    }

    /// Sends a request and takes whatever answer comes.
    pub(super) async fn ask(&self, request: RequestBuilder) -> Result<Response, NodeError> {
        request.send().await.map_err(|error| self.unreachable(error))
    }

    /// A body of at most `limit` bytes.
    pub(crate) async fn read(&self, response: &mut Response, limit: usize) -> Result<Vec<u8>, NodeError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk(response).await? {
            let chunk = chunk.as_ref();
            if bytes.len() + chunk.len() > limit {
                return Err(NodeError::Answer { detail: format!("it is longer than {limit} bytes") });
            }
            bytes.extend_from_slice(chunk);
        }
        Ok(bytes)
    }

    /// The next piece of a body; `None` at its end.
    pub(super) async fn chunk(&self, response: &mut Response) -> Result<Option<impl AsRef<[u8]> + use<>>, NodeError> {
        response.chunk().await.map_err(|error| self.unreachable(error))
    }

    fn unreachable(&self, error: reqwest::Error) -> NodeError {
        NodeError::Unreachable { node: self.name(), detail: causes(error) }
    }
}

/// The refusal that an answer without success is.
pub(super) fn refusal(status: u16, retry_after: Option<Duration>, body: &[u8]) -> NodeError {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let reason = || reqwest::StatusCode::from_u16(status).ok()?.canonical_reason().map(str::to_owned);
    let title = problem.title.or_else(reason).unwrap_or_default();
    NodeError::Refused {
        status,
        title: printable(&title),
        detail: problem.detail.map(|detail| printable(&detail)),
        retry_after,
    }
}

/// Counts failures in a row.
#[derive(Default)]
pub(super) struct Patience {
    failures: u32,
}

impl Patience {
    /// Waits before the next attempt, or gives the error back where it will not pass by itself.
    pub(super) async fn after(&mut self, error: NodeError) -> Result<(), NodeError> {
        self.failures += 1;
        if !error.is_transient() || self.failures >= MOST_FAILURES {
            return Err(error);
        }
        tokio::time::sleep(pause(error.retry_after(), self.failures - 1)).await;
        Ok(())
    }
}

/// How long to wait: what the node asks for, else twice as long after each failure; within reason.
pub(super) fn pause(asked: Option<Duration>, failures: u32) -> Duration {
    let [first, longest] = PAUSES;
    asked.unwrap_or(first * 2_u32.saturating_pow(failures)).clamp(first, longest)
}

pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// An answer's JSON; [`NodeError::Answer`] where it is something else.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, NodeError> {
    serde_json::from_slice(bytes).map_err(|error| NodeError::Answer { detail: printable(&error.to_string()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_bounded() {
        let seconds = |asked: Option<u64>, failures| pause(asked.map(Duration::from_secs), failures).as_secs();
        assert_eq!([0, 1, 2, 3].map(|failures| seconds(None, failures)), [1, 2, 4, 8]);
        assert_eq!(seconds(None, 40), 60);
        assert_eq!((seconds(Some(5), 9), seconds(Some(0), 0), seconds(Some(99_999), 0)), (5, 1, 60));
    }

    #[test]
    fn only_http_urls_are_taken_and_paths_are_kept() {
        for wrong in ["", "node.example", "file:///etc", "ftp://host"] {
            assert!(matches!(Server::new(wrong, None), Err(NodeError::Url)), "{wrong}");
        }
        let server = Server::new("https://example.edu/testamur", None).unwrap();
        assert_eq!(server.base.join("v1/node").unwrap().as_str(), "https://example.edu/testamur/v1/node");
        assert_eq!(server.name(), "https://example.edu");
    }
}
