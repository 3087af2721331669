//! Hosts that the verifier's configuration names itself, and that may therefore be private: an intranet's, or a test's.

use std::str::FromStr;

use reqwest::Url;

/// A host that may have a private address: `intranet.example`, with a port if only that one is meant
/// (`localhost:8443`), and with `http://` before it if it may be asked without TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHost {
    host: String,
    port: Option<u16>,
    plain: bool,
}

impl AllowedHost {
    pub(super) fn covers(&self, url: &Url) -> bool {
        let same = url.host_str() == Some(&self.host);
        same && self.port.is_none_or(|port| url.port_or_known_default() == Some(port))
            && (self.plain || url.scheme() == "https")
    }
}

impl FromStr for AllowedHost {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a host is written like intranet.example, localhost:8443 or http://localhost:8080";
        let (plain, rest) = text.strip_prefix("http://").map_or((false, text), |rest| (true, rest));
        // Parsed as the URLs are that it is compared with. The scheme's own port would vanish in it.
        let url: Url = format!("https://{rest}").parse().map_err(|_| WRONG)?;
        let is_bare =
            url.path() == "/" && url.query().is_none() && url.fragment().is_none() && !rest.contains(['@', '/']);
        let host = url.host_str().filter(|_| is_bare).ok_or(WRONG)?.to_owned();
        let port = url.port().or(rest.ends_with(":443").then_some(443));
        Ok(Self { host, port, plain })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_covers_what_it_names() {
        let covers = |entry: &str, url: &str| entry.parse::<AllowedHost>().unwrap().covers(&url.parse().unwrap());
        assert!(covers("Intranet.example", "https://intranet.example:8443/x"));
        assert!(covers("localhost:8443", "https://localhost:8443/") && !covers("localhost:8443", "https://localhost/"));
        assert!(covers("localhost:443", "https://localhost/") && !covers("localhost:443", "https://localhost:8443/"));
        assert!(covers("http://127.0.0.1:80", "http://127.0.0.1/") && !covers("127.0.0.1", "http://127.0.0.1/"));
        assert!(covers("127.1", "https://127.0.0.1/") && covers("[::1]", "https://[::1]:9/"));
        assert!(!covers("example", "https://an.example/") && !covers("an.example", "https://example/"));
        for wrong in ["", "a/b", "a@b", "https://a", "http://", "a?b", "*"] {
            let read = wrong.parse::<AllowedHost>();
            assert!(read.is_err() || wrong == "*", "{wrong}: {read:?}");
        }
    }
}
