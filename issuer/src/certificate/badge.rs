//! The achievement's picture with the credential baked in: what backpacks, wallets and other people's verifiers take.

use base64::{Engine, prelude::BASE64_STANDARD};
use testamur_credentials::{baked, opened};

use super::{
    Fault, Language,
    picture::{Picture, PictureFault},
    words::Words,
};

/// What kind of picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// PNG, with the credential in an `iTXt` chunk.
    Png,
    /// SVG, with the credential in an element of its own.
    Svg,
}

/// The picture of the achievement, as a file of this kind, with `credential` baked in. Where the picture is of the other
/// kind, it is drawn anew.
///
/// # Errors
/// Where this is no credential, or there is no picture inside it.
pub fn badge(credential: &[u8], kind: Kind) -> Result<Vec<u8>, Fault> {
    let opened = opened::open(None, credential, None)?;
    let words = Words::of(opened.credential().ok_or(Fault::NoCredential)?, Language::default())?;
    let url = words.achievement_picture.ok_or(Fault::Nothing("picture of its achievement"))?;
    let text = std::str::from_utf8(credential).map_err(|_| Fault::NoCredential)?;
    Ok(baked::bake(&image(&url, kind)?, text)?)
}

/// The picture as it is, or drawn anew.
fn image(url: &str, kind: Kind) -> Result<Vec<u8>, PictureFault> {
    // Checked whatever becomes of it.
    let picture = Picture::of(url)?;
    let start = match kind {
        Kind::Png => "data:image/png;base64,",
        Kind::Svg => "data:image/svg+xml;base64,",
    };
    match (url.strip_prefix(start), kind) {
        (Some(encoded), _) => BASE64_STANDARD.decode(encoded).map_err(|_| PictureFault::Damaged),
        (None, Kind::Png) => Ok(picture.into_png()),
        (None, Kind::Svg) => Ok(picture.alone().into_bytes()),
    }
}
