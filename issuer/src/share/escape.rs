//! Texts of others inside HTML and URLs.

/// A text in HTML, between tags or in a quoted attribute.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

/// A value in a URL's query (RFC 3986: all but the unreserved letters as percent and two digits).
pub(crate) fn query(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Whether a link may stand in a page or a message: nothing that a browser would run.
pub(crate) fn is_web(link: &str) -> bool {
    let rest = ["https://", "http://"].iter().find_map(|scheme| link.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.is_empty() && link.chars().all(|c| !c.is_control() && !c.is_whitespace()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_others_becomes_markup() {
        assert_eq!(html("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
        assert_eq!(query("a b&c=ñ/#"), "a%20b%26c%3D%C3%B1%2F%23");
        assert!(is_web("https://a.example/#x") && is_web("http://127.0.0.1:8080/"));
        for bad in ["javascript:alert(1)", "data:text/html,x", "https://", "https://a b", "//a.example", "HTTPS://a"] {
            assert!(!is_web(bad), "{bad}");
        }
    }
}
