//! Pictures inside a credential (`data:` URLs), made fit for paper: checked as those of templates are, and drawn at the
//! size that they are printed at. What stands elsewhere is never fetched.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{ImageKind, Tree, fontdb::Database},
};

use super::sheet;
use crate::template::{ImageFault, MAX_PIXELS, check_picture};

/// The longer side, in pixels: 250 for an inch of what is printed.
const MAX_SIDE: u32 = 400;
/// The longest data URL that is looked at, in bytes.
const MAX_URL: usize = 4 << 20;
const JPEG: &[u8] = b"\xff\xd8\xff";

/// A picture as it is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    /// PNG.
    bytes: Vec<u8>,
    width: u32,
    height: u32,
}

/// Why a picture is not drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureFault {
    /// Whoever runs the server there would see who has a certificate made.
    #[error("it stands elsewhere, and nothing is fetched; a picture inside the credential is drawn")]
    Elsewhere,
    /// See [`ImageFault`].
    #[error("{0}")]
    Refused(String),
    /// It says that it is a picture.
    #[error("it cannot be drawn")]
    Damaged,
}

impl Picture {
    /// Of a `data:` URL.
    pub(super) fn of(url: &str) -> Result<Self, PictureFault> {
        let data = url.strip_prefix("data:").ok_or(PictureFault::Elsewhere)?;
        let (media_type, encoded) = data.split_once(',').ok_or(PictureFault::Damaged)?;
        if url.len() > MAX_URL || !media_type.ends_with(";base64") {
            return Err(PictureFault::Damaged);
        }
        let bytes = BASE64_STANDARD.decode(encoded).map_err(|_| PictureFault::Damaged)?;
        let refused = |fault: ImageFault| PictureFault::Refused(fault.to_string());
        let svg = match check_picture(&bytes) {
            Ok("image/svg+xml") => String::from_utf8(bytes).map_err(|_| PictureFault::Damaged)?,
            Ok(_) => wrapped("image/png", &bytes, encoded)?,
            Err(ImageFault::Format) if bytes.starts_with(JPEG) => wrapped("image/jpeg", &bytes, encoded)?,
            Err(fault) => return Err(refused(fault)),
        };
        Self::drawn(svg.trim_start_matches('\u{feff}'))
    }

    fn drawn(svg: &str) -> Result<Self, PictureFault> {
        // No fonts: a logo's letters are outlines, or they look different on each machine.
        let tree = sheet::tree(svg, Arc::new(Database::new())).map_err(|_| PictureFault::Damaged)?;
        let (width, height) = fitted(&tree);
        let mut pixmap = Pixmap::new(width, height).ok_or(PictureFault::Damaged)?;
        let scale = Transform::from_scale(width as f32 / tree.size().width(), height as f32 / tree.size().height());
        resvg::render(&tree, scale, &mut pixmap.as_mut());
        if pixmap.pixels().iter().all(|pixel| pixel.alpha() == 0) {
            return Err(PictureFault::Damaged);
        }
        let bytes = pixmap.encode_png().map_err(|_| PictureFault::Damaged)?;
        Ok(Self { bytes, width, height })
    }

    /// It in the middle of a box.
    pub(super) fn svg(&self, x: f32, y: f32, width: f32, height: f32) -> String {
        let scale = (width / self.width as f32).min(height / self.height as f32);
        let (drawn_width, drawn_height) = (self.width as f32 * scale, self.height as f32 * scale);
        let (x, y) = (x + (width - drawn_width) / 2.0, y + (height - drawn_height) / 2.0);
        format!(
            "<image x=\"{x}\" y=\"{y}\" width=\"{drawn_width}\" height=\"{drawn_height}\" \
             href=\"data:image/png;base64,{}\"/>",
            BASE64_STANDARD.encode(&self.bytes)
        )
    }

    /// It as a drawing of its own.
    pub(super) fn alone(&self) -> String {
        let (width, height) = (self.width as f32, self.height as f32);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\">{}</svg>",
            self.svg(0.0, 0.0, width, height)
        )
    }

    /// Its file.
    pub(super) fn into_png(self) -> Vec<u8> {
        self.bytes
    }

    /// How wide it is at this height.
    pub(super) fn width_at(&self, height: f32) -> f32 {
        self.width as f32 * height / self.height as f32
    }
}

/// Pixels that keep the picture's shape within [`MAX_SIDE`].
fn fitted(tree: &Tree) -> (u32, u32) {
    let (width, height) = (tree.size().width(), tree.size().height());
    let scale = MAX_SIDE as f32 / width.max(height);
    let pixels = |length: f32| ((length * scale).round() as u32).clamp(1, MAX_SIDE);
    (pixels(width), pixels(height))
}

/// A bitmap as a drawing.
fn wrapped(media_type: &str, bytes: &[u8], encoded: &str) -> Result<String, PictureFault> {
    let (width, height) = bitmap_size(bytes).ok_or(PictureFault::Damaged)?;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\">\
         <image width=\"{width}\" height=\"{height}\" href=\"data:{media_type};base64,{encoded}\"/></svg>"
    ))
}

/// A bitmap inside a drawing: PNG or JPEG, and no larger than may be decoded.
pub(super) fn bitmap(media_type: &str, data: Arc<Vec<u8>>) -> Option<ImageKind> {
    bitmap_size(&data)?;
    match media_type {
        "image/png" => Some(ImageKind::PNG(data)),
        "image/jpeg" | "image/jpg" => Some(ImageKind::JPEG(data)),
        _ => None,
    }
}

fn bitmap_size(bytes: &[u8]) -> Option<(usize, usize)> {
    let size = imagesize::blob_size(bytes).ok()?;
    let pixels = size.width.checked_mul(size.height)?;
    (pixels > 0 && pixels as u64 <= MAX_PIXELS).then_some((size.width, size.height))
}
