//! JSON-RPC 2.0 over HTTP: one request, one answer.
//!
//! Not alloy's transport, because that one writes the URL, which often holds an access key, into spans and
//! errors, and reads answers of any length.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use alloy::primitives::hex;
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{Error, contract};

/// Enough for a slow public endpoint; a caller that waits longer should ask another one.
const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The events of one full block (a delta costs at least 10 gas a byte, and is answered in hex) stay far below.
const LONGEST_ANSWER: usize = 64 << 20;

pub(crate) struct Rpc {
    client: Client,
    url: Url,
    requests: AtomicU64,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Value,
    error: Option<Refusal>,
}

/// A JSON-RPC error object.
#[derive(Deserialize)]
struct Refusal {
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Value,
}

impl Rpc {
    pub(crate) fn new(url: &str) -> Result<Self, Error> {
        let url: Url = url.trim().parse().map_err(|_| Error::Url)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(Error::Url);
        }
        let client = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            // A redirected POST would turn into a GET, and carry the key elsewhere.
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| Error::unusable(causes(error)))?;
        Ok(Self { client, url, requests: AtomicU64::new(0) })
    }

    pub(crate) async fn request<R: DeserializeOwned>(&self, method: &str, params: Value) -> Result<R, Error> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let sent = self.client.post(self.url.clone()).json(&body).send().await;
        let mut response = sent.map_err(|error| self.unreachable(causes(error)))?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(self.unreachable("it limits the rate of requests (HTTP status 429)"));
        }
        let bytes = self.read(&mut response).await?;
        match serde_json::from_slice(&bytes) {
            Ok(Answer { error: Some(refusal), .. }) => Err(refusal.into()),
            Ok(Answer { result, error: None }) if status.is_success() => {
                serde_json::from_value(result).map_err(|error| unreadable(method, error))
            }
            _ if status.is_server_error() => Err(self.unreachable(format!("HTTP status {}", status.as_u16()))),
            _ if !status.is_success() => Err(Error::Refused { endpoint: self.to_string(), status: status.as_u16() }),
            Ok(_) => Err(Error::unusable("an answer without a result")),
            Err(error) => Err(unreadable(method, error)),
        }
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    async fn read(&self, response: &mut Response) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(causes(error)))? {
            if bytes.len() + chunk.len() > LONGEST_ANSWER {
                return Err(Error::unusable(format!("an answer of more than {LONGEST_ANSWER} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    fn unreachable(&self, detail: impl Into<String>) -> Error {
        Error::Transport { endpoint: self.to_string(), detail: detail.into() }
    }
}

impl fmt::Display for Rpc {
    /// Scheme, host and port: paths and user names hold access keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.url.scheme(), self.url.host_str().unwrap_or_default())?;
        self.url.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

fn unreadable(method: &str, error: serde_json::Error) -> Error {
    Error::unusable(format!(
        "the answer to {method} is not what was asked for ({})",
        contract::printable(&error.to_string())
    ))
}

/// An error of the network with its causes, without the URL, which may hold an access key.
pub fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        // geth, reth, erigon and anvil answer a revert with code 3, Nethermind with -32015.
        let reverted = matches!(refusal.code, 3 | -32015) || refusal.message.contains("revert");
        match revert_data(&refusal.data) {
            Some(data) if reverted => Self::Reverted { error: contract::explain(&data) },
            None if reverted => Self::Reverted { error: contract::printable(&refusal.message) },
            _ => Self::Rpc { code: refusal.code, message: contract::printable(&refusal.message) },
        }
    }
}

/// The bytes of a revert: hex, for some clients after the word `Reverted`, for others inside another object.
fn revert_data(data: &Value) -> Option<Vec<u8>> {
    match data {
        Value::String(text) => hex::decode(text.strip_prefix("Reverted ").unwrap_or(text)).ok(),
        Value::Object(members) => members.get("data").and_then(revert_data),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: i64, message: &str, data: Value) -> Error {
        Refusal { code, message: message.to_owned(), data }.into()
    }

    #[test]
    fn urls_are_never_shown_whole() {
        for url in ["https://user:secret@rpc.example/v3/secret?key=secret", "http://[::1]:8545/secret"] {
            let shown = Rpc::new(url).unwrap().to_string();
            assert!(!shown.contains("secret") && url.starts_with(&shown[..7]), "{shown}");
        }
        for wrong in ["", "secret", "ws://host", "file:///secret", "http://"] {
            assert_eq!(Rpc::new(wrong).err(), Some(Error::Url));
        }
    }

    #[test]
    fn every_client_s_reverts_are_decoded() {
        use alloy::sol_types::SolError;
        let data = hex::encode_prefixed(contract::abi::WrongEpoch { expected: 1, given: 2 }.abi_encode());
        let expected = Error::Reverted { error: "WrongEpoch(expected 1, given 2)".to_owned() };
        assert_eq!(error(3, "execution reverted", json!(data)), expected);
        assert_eq!(error(-32015, "VM execution error.", json!(format!("Reverted {data}"))), expected);
        assert_eq!(error(-32603, "reverted with a custom error", json!({ "message": "", "data": data })), expected);
        assert_eq!(
            error(3, "execution reverted", Value::Null),
            Error::Reverted { error: "execution reverted".to_owned() }
        );
        assert_eq!(
            error(-32000, "header not found", Value::Null),
            Error::Rpc { code: -32000, message: "header not found".to_owned() }
        );
        assert!(error(-32005, "limit exceeded", Value::Null).is_transient());
    }
}
