//! What the URLs of lists begin with.

use std::{fmt, net::SocketAddr};

use serde::{Deserialize, Serialize};

/// `http` or `https`, a host, perhaps a path; no slash at the end. Credentials name their list by it for as long as they
/// last, so it has to be a name that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicUrl(String);

/// A text that is no such URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the beginning of a URL like https://registry.example (no query, no fragment, no spaces)")]
pub struct NotPublicUrl;

impl PublicUrl {
    /// Of whoever listens at an address and was given no other.
    pub fn of(address: SocketAddr) -> Self {
        Self(format!("http://{address}"))
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = NotPublicUrl;

    fn try_from(text: String) -> Result<Self, NotPublicUrl> {
        let text = text.trim_end_matches('/');
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
        let clean = |c: char| c.is_ascii_graphic() && !"?#\"<>\\^`{|}".contains(c);
        let named = !host.is_empty() && !host.starts_with(['/', ':']);
        if named && host.chars().all(clean) { Ok(Self(text.to_owned())) } else { Err(NotPublicUrl) }
    }
}

impl From<PublicUrl> for String {
    fn from(url: PublicUrl) -> Self {
        url.0
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_of_a_url_is_taken() {
        let parse = |text: &str| PublicUrl::try_from(text.to_owned()).map(String::from);
        assert_eq!(parse("https://registry.example/"), Ok("https://registry.example".to_owned()));
        assert_eq!(parse("http://127.0.0.1:8080/testamur"), Ok("http://127.0.0.1:8080/testamur".to_owned()));
        for wrong in
            ["", "registry.example", "ftp://a", "https://", "https:///a", "https://:1", "http://a?b", "http://a b"]
        {
            assert_eq!(parse(wrong), Err(NotPublicUrl), "{wrong}");
        }
    }
}
