//! Cookies (RFC 6265bis): read, set, and taken back. No script sees them, no other site sends them, and over TLS their
//! names keep other hosts from setting them (`__Host-`).

use axum::http::{HeaderMap, HeaderValue, header};

/// Which requests from other sites a cookie goes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// None.
    Strict,
    /// Following a link: what a provider's way back is.
    Lax,
}

/// A cookie of ours: its name with TLS and without.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// With TLS.
    secure: &'static str,
    /// Without.
    plain: &'static str,
    same_site: SameSite,
}

/// Who is signed in.
pub const SESSION: Name = Name { secure: "__Host-studio", plain: "studio", same_site: SameSite::Strict };
/// Who is on the way to a provider and back.
pub const WAY: Name = Name { secure: "__Host-studio-way", plain: "studio-way", same_site: SameSite::Lax };

impl Name {
    /// How it is called.
    pub fn text(self, is_secure: bool) -> &'static str {
        if is_secure { self.secure } else { self.plain }
    }

    /// Sets it for so many seconds; 0 takes it back. `value` is base64url.
    pub fn set(self, value: &str, seconds: u64, is_secure: bool) -> HeaderValue {
        let name = self.text(is_secure);
        let secure = if is_secure { "; Secure" } else { "" };
        let same_site = match self.same_site {
            SameSite::Strict => "Strict",
            SameSite::Lax => "Lax",
        };
        let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}");
        HeaderValue::try_from(text).expect("base64url in a cookie is a header's value")
    }
}

/// What the request's cookie of this name holds.
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_set_for_this_host_alone() {
        let set = |name: Name, secure| name.set("abc", 60, secure).to_str().unwrap().to_owned();
        assert_eq!(set(SESSION, true), "__Host-studio=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(set(WAY, false), "studio-way=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn one_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; studio2=x;studio=y=z"));
        headers.append(header::COOKIE, HeaderValue::from_static("b=2"));
        assert_eq!(read(&headers, "studio"), Some("y=z"));
        assert_eq!(read(&headers, "b"), Some("2"));
        assert_eq!(read(&headers, "c"), None);
    }
}
