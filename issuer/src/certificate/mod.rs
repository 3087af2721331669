//! A credential for people: a certificate to print, and a picture for social sites.
//!
//! [`pdf`] and [`preview`] are pure functions of a credential, a link and the words chosen: the same input gives the same
//! bytes, nothing is fetched, and no clock is read. Texts of others stay texts: they are cleaned ([`clean`]), measured
//! and wrapped before they stand anywhere, and what no font can show is told, not drawn as boxes.
//!
//! [`badge`] bakes the credential into its picture.
//!
//! `words` (what a credential says) → `page` (where it stands, as pieces of SVG) → `print` (PDF) or `preview` (PNG).

mod badge;
pub(crate) mod calendar;
mod clean;
mod fonts;
mod labels;
mod letters;
mod page;
mod picture;
mod preview;
mod print;
mod qr;
mod sheet;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeSet;

use testamur_credentials::{
    baked,
    opened::{self, Refusal},
};

pub use badge::{Kind, badge};
pub use fonts::Fonts;
pub use picture::PictureFault;
pub use preview::{Lines, PREVIEW_SIZE, preview};

/// In which language people read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
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

/// The longest link that is printed, in bytes: its QR code is still read from paper by a telephone.
pub const MAX_LINK: usize = 600;

/// A certificate as a PDF file.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// PDF 1.7, PDF/A-3a and PDF/UA-1, on one page of A4, with the credential attached.
    pub pdf: Vec<u8>,
    /// What to call the file: `name-achievement.pdf`, of letters that every file system takes.
    pub file_name: String,
    /// What the page does not show as the credential has it. To be told to whoever made it.
    pub notes: Vec<Note>,
}

/// A picture for social sites.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// The PNG file, of [`PREVIEW_SIZE`] pixels.
    pub png: Vec<u8>,
    /// What it does not show as it was asked for.
    pub notes: Vec<Note>,
}

/// What is not shown as the credential has it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Note {
    /// No font has these characters: a sign for an unknown character stands for each.
    #[error("no font shows {}: name a folder with fonts for this script", listed(.0))]
    NoGlyph(BTreeSet<char>),
    /// The picture is left out.
    #[error("the {whose}'s picture is left out: {why}")]
    NoPicture {
        /// `issuer` or `achievement`.
        whose: &'static str,
        /// What is wrong with it.
        why: PictureFault,
    },
}

fn listed(characters: &BTreeSet<char>) -> String {
    const MOST: usize = 8;
    let mut list: Vec<String> =
        characters.iter().take(MOST).map(|&c| format!("{c} (U+{:04X})", u32::from(c))).collect();
    if characters.len() > MOST {
        list.push(format!("and {} more", characters.len() - MOST));
    }
    list.join(", ")
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Not to be read, or not unambiguous.
    #[error("no credential can be read: {0}")]
    Refused(#[from] Refusal),
    /// A file, an image, a badge that stands elsewhere.
    #[error("this is no credential: give its JSON, or the token")]
    NoCredential,
    /// It awards nothing.
    #[error("the credential has no {0}: there is nothing that a certificate could say")]
    Nothing(&'static str),
    /// A browser would not open it, or do something else.
    #[error("the link must begin with https:// or http:// and hold no blanks")]
    Link,
    /// A telephone would not read it from paper.
    #[error("the link has {found} bytes, and at most {MAX_LINK} fit into a QR code that is read from paper")]
    LongLink {
        /// Its length.
        found: usize,
    },
    /// Nothing can be baked into it.
    #[error("the picture of the achievement: {0}")]
    Picture(#[from] PictureFault),
    /// See [`baked::Fault`].
    #[error("{0}")]
    Baked(#[from] baked::Fault),
    /// The page cannot be written: a defect of this program.
    #[error("the page cannot be drawn: {0}")]
    Drawing(String),
}

/// The certificate of `credential`, which is the JSON document or the compact JWS as it was issued: its bytes are
/// attached as they are. `link` leads to the page that shows or verifies it, and is in the QR code.
///
/// # Errors
/// See [`Fault`]. What is merely not shown is no error, but a [`Note`].
pub fn pdf(credential: &[u8], link: &str, language: Language, fonts: &Fonts) -> Result<Certificate, Fault> {
    check_link(link)?;
    let opened = opened::open(None, credential, None)?;
    let members = opened.credential().ok_or(Fault::NoCredential)?;
    let words = words::Words::of(members, language)?;
    let attached = print::Attached::of(&opened, credential);
    let (sheet, mut notes) = page::page(&words, link, language, fonts)?;
    let pdf = print::print(&sheet, &words, &attached, link, language)?;
    notes.extend(sheet.note());
    Ok(Certificate { pdf, file_name: words.file_name(), notes })
}

fn check_link(link: &str) -> Result<(), Fault> {
    let rest = ["https://", "http://"].iter().find_map(|scheme| link.strip_prefix(scheme)).ok_or(Fault::Link)?;
    if rest.is_empty() || !link.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Fault::Link);
    }
    if link.len() > MAX_LINK {
        return Err(Fault::LongLink { found: link.len() });
    }
    Ok(())
}
