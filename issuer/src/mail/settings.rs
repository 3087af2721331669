//! Table `[mail]` of the configuration.

use std::path::PathBuf;

use lettre::message::Mailbox;
use serde::Deserialize;

use crate::certificate::Language;

/// The mail server that takes what is sent, and as whom.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Its port. Default: 587; with `security = "tls"` 465, with `"none"` 25.
    pub port: Option<u16>,
    /// How the connection is encrypted.
    #[serde(default)]
    pub security: Security,
    /// The certificate (PEM) of an authority of the institution's own, which is trusted beside the machine's.
    pub ca_file: Option<PathBuf>,
    /// As whom to sign in; `password_file` belongs to it.
    pub user: Option<String>,
    /// The file of mode 0600 that holds the password.
    pub password_file: Option<PathBuf>,
    /// Who writes: `Example University <badges@university.example>`.
    pub from: Mailbox,
    /// Who gets the answers, if somebody else.
    pub reply_to: Option<Mailbox>,
    /// The language of the mails: `en` or `es`. Default: that of `[share]`.
    pub language: Option<Language>,
}

/// How a connection is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// From a plain greeting on (RFC 3207). A server that does not offer it gets nothing.
    #[default]
    StartTls,
    /// From the first byte on (RFC 8314).
    Tls,
    /// Not at all: for a mail server on this machine only.
    None,
}

impl Settings {
    /// The port.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            Security::StartTls => 587,
            Security::Tls => 465,
            Security::None => 25,
        })
    }

    /// What types do not say.
    pub fn fault(&self) -> Option<&'static str> {
        let is_local = matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if self.security == Security::None && !is_local {
            return Some("security = \"none\" is for a mail server on this machine; use \"starttls\" or \"tls\"");
        }
        if self.user.is_some() != self.password_file.is_some() {
            return Some("`user` and `password_file` belong together");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(more: &str) -> Settings {
        toml::from_str(&format!("host = 'smtp.example'\nfrom = 'Ñandú University <badges@example.edu>'\n{more}"))
            .unwrap()
    }

    #[test]
    fn mail_is_encrypted_unless_it_stays_on_this_machine() {
        assert_eq!((settings("").port(), settings("security = 'tls'").port()), (587, 465));
        assert!(settings("security = 'none'").fault().is_some());
        assert!(Settings { host: "localhost".to_owned(), ..settings("security = 'none'") }.fault().is_none());
        assert!(settings("user = 'x'").fault().is_some());
        assert!(settings("user = 'x'\npassword_file = 'y'").fault().is_none());
        assert_eq!(settings("").from.email.to_string(), "badges@example.edu");
        assert!(toml::from_str::<Settings>("host = 'a'\nfrom = 'a@b.example\\nBcc: x@y.example'").is_err());
    }
}
