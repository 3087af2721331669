//! The code that shows a credential's verdict in any page (see `web/embed`).

use super::{
    Language, NoWebLink,
    escape::{html, is_web},
};

/// What the element verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Embedded<'a> {
    /// The credential at this address, which must let other pages read it (CORS).
    At(&'a str),
    /// The credential itself: everybody who sees the page can read it.
    Whole(&'a str),
}

/// Two lines of HTML. `host` serves the verifying pages (`https://verify.example`).
pub fn code(host: &str, credential: Embedded<'_>, language: Language) -> Result<String, NoWebLink> {
    let attribute = match credential {
        Embedded::At(link) if !is_web(link) => return Err(NoWebLink),
        Embedded::At(link) => format!("src=\"{}\"", html(link)),
        Embedded::Whole(text) => format!("credential=\"{}\"", html(text)),
    };
    if !is_web(host) {
        return Err(NoWebLink);
    }
    let (script, lang) = (html(&format!("{}/embed/testamur-verify.js", host.trim_end_matches('/'))), language.code());
    Ok(format!(
        "<script type=\"module\" src=\"{script}\"></script>\n<testamur-verify {attribute} lang=\"{lang}\"></testamur-verify>\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_holds_nothing_but_the_element() {
        let code = |credential| code("https://verify.example/", credential, Language::Spanish);
        assert_eq!(
            code(Embedded::At("https://issuer.example/1.json?a&b")).unwrap(),
            "<script type=\"module\" src=\"https://verify.example/embed/testamur-verify.js\"></script>\n\
             <testamur-verify src=\"https://issuer.example/1.json?a&amp;b\" lang=\"es\"></testamur-verify>\n"
        );
        let whole = code(Embedded::Whole("{\"name\":\"</testamur-verify><script>\"}")).unwrap();
        assert_eq!(whole.matches("<script").count(), 1);
        assert_eq!(code(Embedded::At("javascript:alert(1)")), Err(NoWebLink));
    }
}
