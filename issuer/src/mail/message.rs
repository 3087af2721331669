//! A mail as it goes over the wire (RFC 5322).

use lettre::{
    Address, Message,
    message::{Mailbox, MultiPart, header},
};
use sha2::{Digest as _, Sha256};

use super::{Settings, outbox::Letter, words::Words};

/// `Auto-Submitted` (RFC 3834): no automatic answer is wanted.
#[derive(Clone)]
struct AutoSubmitted;

impl header::Header for AutoSubmitted {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// The address, if it is one.
pub fn address(email: &str) -> Option<Address> {
    email.parse().ok()
}

/// The mail of a letter; `None` where its address is none.
pub fn message(letter: &Letter, settings: &Settings, issuer: &str) -> Option<(Address, Vec<u8>)> {
    let address = address(&letter.email)?;
    let Words { subject, text, html } = Words::of(letter, issuer);
    // The name stands in the text: a header needs none.
    let mut message = Message::builder()
        .from(settings.from.clone())
        .to(Mailbox::new(None, address.clone()))
        .subject(subject)
        .message_id(Some(message_id(letter, settings)))
        .header(AutoSubmitted);
    if let Some(reply_to) = &settings.reply_to {
        message = message.reply_to(reply_to.clone());
    }
    let message = message.multipart(MultiPart::alternative_plain_html(text, html));
    Some((address, message.expect("it has a sender and a receiver").formatted()))
}

/// The same each time that this letter is sent; it tells nobody which page is meant.
fn message_id(letter: &Letter, settings: &Settings) -> String {
    let hash = Sha256::digest([b"testamur mail ", &letter.page.as_bytes()[..]].concat());
    format!("<{}@{}>", hex::encode(&hash[..16]), settings.from.email.domain())
}

#[cfg(test)]
mod tests {
    use testamur_core::UnixSeconds;
    use testamur_credentials::sealed::SealedId;
    use zeroize::Zeroizing;

    use super::*;
    use crate::certificate::Language;

    fn letter(email: &str, achievement: &str) -> Letter {
        Letter {
            page: SealedId::new([7; 16]),
            learner: "s-1".to_owned(),
            name: Some("Ana\r\nBcc: eve@example.com".to_owned()),
            email: email.to_owned(),
            achievement: achievement.to_owned(),
            language: Language::English,
            expires: UnixSeconds(1_800_000_000),
            link: Zeroizing::new("https://badges.example/claim/A#B.C".to_owned()),
        }
    }

    fn settings() -> Settings {
        toml::from_str("host = 'localhost'\nfrom = 'Ñandú \"U\" <badges@example.edu>'").unwrap()
    }

    fn headers(email: &str, achievement: &str) -> String {
        let (_, bytes) = message(&letter(email, achievement), &settings(), "U\r\nX-Evil: 1").unwrap();
        let text = String::from_utf8(bytes).unwrap();
        text.split_once("\r\n\r\n").unwrap().0.to_owned()
    }

    #[test]
    fn nobody_adds_a_header() {
        let headers = headers("ana@example.edu", "Botany\r\nBcc: eve@example.com\r\n\r\n<html>");
        let names: Vec<_> = headers
            .lines()
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|l| l.split(':').next().unwrap())
            .collect();
        for name in &names {
            assert!(
                ["From", "To", "Subject", "Message-ID", "Auto-Submitted", "Date", "MIME-Version", "Content-Type"]
                    .contains(name),
                "{headers}"
            );
        }
        for bad in [
            "ana@example.edu\r\nBcc: eve@example.com",
            "ana",
            "a@b@c",
            "",
            "ana@example.edu, eve@example.com",
            "<ana@example.edu>",
        ] {
            assert!(message(&letter(bad, "x"), &settings(), "U").is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_letter_has_one_message_id() {
        let id = |headers: &str| headers.lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned();
        let first = id(&headers("ana@example.edu", "Botany"));
        assert_eq!(first, id(&headers("ana@example.edu", "Botany")));
        assert!(first.ends_with("@example.edu>"), "{first}");
        assert!(!first.contains(&letter("a@b.example", "").page.to_string()));
    }
}
