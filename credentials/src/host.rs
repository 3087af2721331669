//! The domain that an issuer's name stands on.

/// The domain that an issuer's name stands on, in lower case, and whether the name is that of the whole domain.
/// `None` for other names, and where there is only an address.
pub(crate) fn host(named: &str) -> Option<(String, bool)> {
    let (authority, rest) = if let Some(web) = named.strip_prefix("did:web:") {
        let (authority, path) = web.split_once(':').unwrap_or((web, ""));
        (authority.replace("%3A", ":").replace("%3a", ":"), path)
    } else {
        let url = named.strip_prefix("https://")?;
        let end = url.find(['/', '?', '#']).unwrap_or(url.len());
        (url[..end].to_owned(), url[end..].trim_start_matches('/'))
    };
    let (host, port) = authority.split_once(':').unwrap_or((&authority, ""));
    let host = host.trim_end_matches('.').to_lowercase();
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(|letter| letter.is_alphanumeric() || "-_".contains(letter))
    };
    let last = host.rsplit_once('.')?.1;
    let is_name = host.split('.').all(is_label) && !last.starts_with(|letter: char| letter.is_ascii_digit());
    is_name.then_some((host, rest.is_empty() && port.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn a_name_stands_on_a_domain_or_on_none() {
        for (named, domain, is_whole) in [
            ("did:web:Example.edu", "example.edu", true),
            ("did:web:example.edu:law:badges", "example.edu", false),
            ("did:web:example.edu%3A8443", "example.edu", false),
            ("https://example.edu", "example.edu", true),
            ("https://example.edu/", "example.edu", true),
            ("https://example.edu./issuers/1", "example.edu", false),
            ("https://example.edu:8443/?x#y", "example.edu", false),
            ("https://\u{435}xample.edu", "\u{435}xample.edu", true),
        ] {
            assert_eq!(host(named), Some((domain.to_owned(), is_whole)), "{named}");
        }
        for named in [
            "did:web:localhost",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://a@example.edu/",
            "did:web:",
            "did:web:.",
            "did:web:a..b",
            "http://example.edu",
            "did:key:z6Mk",
            "urn:uuid:1",
            "https://",
            "did:web:example.edu%2Fx",
            "",
        ] {
            assert_eq!(host(named), None, "{named}");
        }
    }
}
