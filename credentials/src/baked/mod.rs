//! Images with a credential baked in: Open Badges 3.0 (5.3) and Open Badges 2.0 (Baking 2.0), PNG and SVG.
//!
//! Both are read and 3.0 is written, only as far as the credential needs: pixels, scripts and references are nobody's
//! business here.

mod png;
mod svg;

use testamur_core::json;

use crate::{jose::Compact, opened::Format};

/// The largest image that is looked into, in bytes: 16 MiB. A larger one is a file like any other.
pub const MAX_IMAGE: usize = 16 << 20;

/// The longest credential that is taken out of an image, inflated: 8 MiB.
pub const MAX_TEXT: usize = 8 << 20;

/// What every baked credential is announced by: in chunks' names, and in elements' namespaces.
const MARKS: [&[u8]; 2] = [b"openbadge", b"purl.imsglobal.org/ob/"];

/// What was baked into an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Baked {
    /// The credential: JSON, a compact JWS, or (Open Badges 2.0) the URL of a hosted assertion.
    pub text: String,
    /// The image without it.
    pub picture: Picture,
}

/// An image for people to look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// `image/png` or `image/svg+xml`.
    pub media_type: &'static str,
    /// The bytes. An SVG may hold scripts: show it as an image, never as part of a page.
    pub bytes: Vec<u8>,
}

/// Why a baked credential cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Which one counts must not depend on their order.
    #[error("two credentials are baked into the image: {first} and {second}")]
    Two {
        /// Name and place of the first.
        first: String,
        /// Name and place of the second.
        second: String,
    },
    /// The image is cut off, or its parts lie about themselves.
    #[error("the image is damaged: {what}")]
    Damaged {
        /// Which part.
        what: &'static str,
    },
    /// The credential in it cannot be read.
    #[error("the credential in the image cannot be read: {what}")]
    Unreadable {
        /// Which part.
        what: &'static str,
    },
    /// A decompression bomb, if nothing else.
    #[error("the credential in the image has more than {limit} bytes")]
    TooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// Nothing can be baked into it.
    #[error("this is neither a PNG nor an SVG image")]
    NoImage,
    /// An image that nobody would look into any more.
    #[error("the image would have more than {limit} bytes with the credential in it")]
    ImageTooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// Only JSON objects and compact JWS are baked.
    #[error("what is to be baked in is neither a JSON credential nor a token")]
    NoCredential,
}

/// Takes the baked credential out of an image. `None` for anything else, and for an image that has none: also for a
/// damaged one that does not even mention a badge.
pub fn unbake(bytes: &[u8]) -> Result<Option<(Format, Baked)>, Fault> {
    let mentions = |mark: &&[u8]| bytes.windows(mark.len()).any(|window| window == *mark);
    if bytes.len() > MAX_IMAGE || !MARKS.iter().any(mentions) {
        return Ok(None);
    }
    if png::is_png(bytes) {
        return Ok(png::unbake(bytes)?.map(|baked| (Format::Png, baked)));
    }
    let baked = svg_text(bytes).map(svg::unbake).transpose()?.flatten();
    Ok(baked.map(|baked| (Format::Svg, baked)))
}

/// Bakes a credential, JSON or a compact JWS, into an image, in the place of one that is in it. A damaged image is
/// refused.
///
/// Out of an SVG the JSON comes as the same JSON, though not in all the same letters: what XML keeps for itself is
/// escaped.
pub fn bake(image: &[u8], credential: &str) -> Result<Vec<u8>, Fault> {
    let credential = Credential::of(credential)?;
    let too_large = Fault::ImageTooLarge { limit: MAX_IMAGE };
    if image.len() > MAX_IMAGE {
        return Err(too_large);
    }
    let earlier = unbake(image)?.map(|(_, baked)| baked.picture.bytes);
    let image = earlier.as_deref().unwrap_or(image);
    let baked = if png::is_png(image) {
        png::bake(image, credential.text())
    } else {
        svg::bake(svg_text(image).ok_or(Fault::NoImage)?, credential).map(String::into_bytes)
    }?;
    if baked.len() > MAX_IMAGE {
        return Err(too_large);
    }
    // Nothing leaves here that could not be read again.
    let is_read = unbake(&baked)?.is_some();
    is_read.then_some(baked).ok_or(Fault::Damaged { what: "the credential would not be found in it" })
}

/// What is baked.
#[derive(Clone, Copy)]
enum Credential<'a> {
    Json(&'a str),
    Token(&'a str),
}

impl<'a> Credential<'a> {
    fn of(text: &'a str) -> Result<Self, Fault> {
        let text = text.trim();
        if text.len() > MAX_TEXT {
            return Err(Fault::TooLarge { limit: MAX_TEXT });
        }
        match json::parse(text.as_bytes()) {
            Ok(value) if value.is_object() => Ok(Self::Json(text)),
            Err(_) if Compact::parse(text).is_ok() => Ok(Self::Token(text)),
            _ => Err(Fault::NoCredential),
        }
    }

    fn text(self) -> &'a str {
        match self {
            Self::Json(text) | Self::Token(text) => text,
        }
    }
}

/// An SVG without its byte order mark, which the XML reader does not count among its places.
fn svg_text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok().map(|text| text.trim_start_matches('\u{feff}'));
    text.filter(|text| svg::is_svg(text))
}
