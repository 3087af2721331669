//! Table `[share]` of the configuration.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use testamur_core::{Address, ChainId};

use crate::certificate::Language;

/// The learners' pages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where to listen.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// What browsers call it: `https://badges.university.example`, without a path. It stands in every link.
    pub public_url: Origin,
    /// Whether a reverse proxy on this machine names the asking address in `X-Forwarded-For`, for the limits.
    #[serde(default)]
    pub behind_proxy: bool,
    /// Days within which an invitation can be claimed.
    #[serde(default = "default_claim_days")]
    pub claim_days: u32,
    /// The language of certificates, and of mails unless that is stated: `en` or `es`.
    #[serde(default)]
    pub language: Language,
    /// Limits on requests.
    #[serde(default)]
    pub limits: Limits,
    /// What the page that verifies asks and recognises, until its visitor says otherwise.
    #[serde(default)]
    pub verify: Verify,
}

/// Table `[share.limits]`. 0: no limit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests of one address in a second.
    pub requests_per_second: u32,
    /// Attempts of one address in a minute to claim a page.
    pub claims_per_minute: u32,
    /// Further pages, previews and offers of one address in a minute.
    pub changes_per_minute: u32,
    /// Pages that a learner may have beside a claimed one.
    pub pages: u64,
    /// Bytes that these may have, together.
    pub bytes: u64,
}

/// Table `[share.verify]`: `config.json` of the page that verifies.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Verify {
    /// JSON-RPC URLs of the chains.
    pub endpoints: Vec<String>,
    /// How many of them must agree. Default: more than half.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quorum: Option<u32>,
    /// Chains that count, beside the published default.
    pub chains: Vec<ChainId>,
    /// Registries that count, beside the published one.
    pub registries: Vec<Address>,
    /// Who is recognised.
    pub issuers: Vec<Recognised>,
    /// Whether documents that a credential names, such as the issuer's, are fetched.
    pub documents: bool,
    /// The number of the institution's page on LinkedIn: entries in learners' profiles then show its logo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linkedin: Option<u64>,
}

/// An issuer that the page recognises.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recognised {
    /// What credentials call it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its accounts, on any chain.
    #[serde(default)]
    pub accounts: Vec<Address>,
}

/// A web address without a path: `https://badges.university.example`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Origin(String);

impl Origin {
    /// It, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is encrypted on its way.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let refused = || format!("{text} is not like https://badges.university.example, without a path");
        let url = reqwest::Url::parse(&text).map_err(|_| refused())?;
        let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        match url.scheme() {
            "https" => {}
            "http" if is_local => {}
            "http" => return Err(format!("{text}: secrets are in these links: https only, except on this machine")),
            _ => return Err(refused()),
        }
        let is_plain =
            url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if is_plain { Ok(Self(url.origin().ascii_serialization())) } else { Err(refused()) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { requests_per_second: 50, claims_per_minute: 60, changes_per_minute: 60, pages: 100, bytes: 16 << 20 }
    }
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8651))
}

fn default_claim_days() -> u32 {
    90
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_no_path_and_is_encrypted() {
        let origin = |text: &str| Origin::try_from(text.to_owned());
        assert_eq!(origin("https://Badges.example/").unwrap().as_str(), "https://badges.example");
        assert_eq!(origin("http://127.0.0.1:8651").unwrap().as_str(), "http://127.0.0.1:8651");
        for bad in [
            "https://a.example/x",
            "https://a.example/?x",
            "https://u@a.example",
            "a.example",
            "ftp://a",
            "https://a#x",
        ] {
            assert!(origin(bad).is_err(), "{bad}");
        }
        assert!(origin("http://badges.example").unwrap_err().contains("https only"));
    }

    #[test]
    fn what_is_not_stated_has_a_default() {
        let settings: Settings = toml::from_str("public_url = 'https://badges.example'").unwrap();
        assert_eq!((settings.listen.port(), settings.claim_days, settings.limits.pages), (8651, 90, 100));
        assert!(toml::from_str::<Settings>("public_url = 'https://badges.example'\nport = 1").is_err());
    }
}
