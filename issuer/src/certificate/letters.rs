//! Text as PDF has it: letters of an embedded font, each of which says what it stands for, so that it is found, copied
//! and read aloud. (krilla-svg leaves a mark on a letter without a meaning, which PDF/A does not allow.)

use std::collections::HashMap;

use krilla::{
    Data,
    color::rgb,
    geom::{Point, Transform},
    num::NormalizedF32,
    paint::{Fill, FillRule},
    surface::Surface,
    text::{Font, GlyphId, KrillaGlyph},
};
use resvg::usvg::{
    Group, Node, Paint, Text,
    fontdb::{Database, ID, Source},
    layout::{PositionedGlyph, Span},
};

/// The fonts of one document.
#[derive(Default)]
pub(super) struct Letters(HashMap<ID, Option<Font>>);

impl Letters {
    /// Draws all texts of a drawing; `None` where a font cannot be read any more.
    pub(super) fn draw(&mut self, surface: &mut Surface<'_>, group: &Group, fonts: &Database) -> Option<()> {
        for node in group.children() {
            match node {
                Node::Group(group) => self.draw(surface, group, fonts)?,
                Node::Text(text) => self.text(surface, text, fonts)?,
                _ => {}
            }
        }
        Some(())
    }

    fn text(&mut self, surface: &mut Surface<'_>, text: &Text, fonts: &Database) -> Option<()> {
        let place = text.abs_transform();
        surface.push_transform(&Transform::from_row(place.sx, place.ky, place.kx, place.sy, place.tx, place.ty));
        for span in text.layouted() {
            surface.set_fill(fill(span));
            for run in span.positioned_glyphs.chunk_by(|one, next| one.font == next.font) {
                let font = self.font(run.first()?.font, fonts)?;
                draw_run(surface, run, font, span.font_size.get());
            }
        }
        surface.set_fill(None);
        surface.pop();
        Some(())
    }

    fn font(&mut self, id: ID, fonts: &Database) -> Option<Font> {
        let read = || {
            let (source, index) = fonts.face_source(id)?;
            let data: Data = match source {
                Source::Binary(bytes) => bytes.into(),
                Source::File(path) | Source::SharedFile(path, _) => std::fs::read(path).ok()?.into(),
            };
            Font::new(data, index)
        };
        self.0.entry(id).or_insert_with(read).clone()
    }
}

fn fill(span: &Span) -> Option<Fill> {
    let Paint::Color(colour) = span.fill.as_ref()?.paint() else { return None };
    let paint = rgb::Color::new(colour.red, colour.green, colour.blue).into();
    Some(Fill { paint, opacity: NormalizedF32::ONE, rule: FillRule::NonZero })
}

/// Letters of one font, in the order in which they stand on the paper.
fn draw_run(surface: &mut Surface<'_>, run: &[PositionedGlyph], font: Font, size: f32) {
    let place = |glyph: &PositionedGlyph| (glyph.transform().tx, glyph.transform().ty);
    let Some((left, base)) = run.first().map(place) else { return };
    let mut text = String::new();
    let mut glyphs = Vec::with_capacity(run.len());
    for cluster in clusters(run) {
        let begin = text.len();
        text.extend(cluster.iter().map(|glyph| glyph.text.as_str()));
        for glyph in cluster {
            let (x, y) = place(glyph);
            let next = run.get(glyphs.len() + 1).map_or(x, |next| place(next).0);
            let id = GlyphId::new(u32::from(glyph.id.0));
            let advance = (next - x) / size;
            glyphs.push(KrillaGlyph::new(id, advance, 0.0, (base - y) / size, 0.0, begin..text.len(), None));
        }
    }
    surface.draw_glyphs(Point::from_xy(left, base), &glyphs, font, &text, size, false);
}

/// Letters with their marks. Only one glyph of a cluster has the text, and it stands behind the others; what stands
/// behind the last text belongs to it.
fn clusters(run: &[PositionedGlyph]) -> Vec<&[PositionedGlyph]> {
    let mut clusters: Vec<&[PositionedGlyph]> = run.split_inclusive(|glyph| !glyph.text.is_empty()).collect();
    let is_last_mute = clusters.last().is_some_and(|last| last.iter().all(|glyph| glyph.text.is_empty()));
    if is_last_mute && clusters.len() > 1 {
        let mute = clusters.pop().map_or(0, <[_]>::len);
        let whole = clusters.pop().map_or(0, <[_]>::len) + mute;
        clusters.push(&run[run.len() - whole..]);
    }
    clusters
}
