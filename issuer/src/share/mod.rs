//! What a learner makes of a credential: links, entries elsewhere, paper.
//!
//! Everything here is a pure function of a credential and of the issuer's words: nothing is read or sent. Texts of others
//! stay texts.

mod calendar;
pub mod embed;
pub(crate) mod escape;
pub mod link;
pub mod linkedin;
pub mod signature;

/// In which language people read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Spanish.
    #[serde(rename = "es")]
    Spanish,
}

impl Language {
    /// Its tag (BCP 47).
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }
}

/// A link that leads into no web: only `https` and `http` links are shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no web address: it must begin with https:// or http:// and hold no blanks")]
pub struct NoWebLink;
