//! The picture that social sites show beside a link: the lines that the learner chose, and nothing else of a credential.

use serde::{Deserialize, Serialize};

use super::{
    Fault, Language, Preview, clean,
    fonts::{Fonts, Type},
    labels::Labels,
    sheet::{Role, Room, Sheet, Side, Style},
};

/// Width and height in pixels, as Open Graph cards are.
pub const PREVIEW_SIZE: (u32, u32) = (1200, 630);

const LEFT: f32 = 250.0;
const WIDE: f32 = 1200.0 - LEFT - 80.0;
const INK: &str = "#1c2740";
const ACCENT: &str = "#86672a";
const SOFT: &str = "#4b5366";

/// The lines of a preview, in plain text; what is not there is not shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    /// What it was awarded for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub achievement: Option<String>,
    /// Who issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was awarded, as it is to be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
}

/// Draws the lines. Without any, it says that there is a verifiable credential, and no more.
///
/// # Errors
/// [`Fault::Drawing`] only.
pub fn preview(lines: &Lines, language: Language, fonts: &Fonts) -> Result<Preview, Fault> {
    let (width, height) = PREVIEW_SIZE;
    let mut sheet = Sheet::new(width as f32, height as f32, fonts);
    background(&mut sheet);
    write(&mut sheet, lines, Labels::of(language))?;
    let mut pixmap =
        resvg::tiny_skia::Pixmap::new(width, height).ok_or_else(|| Fault::Drawing("no size".to_owned()))?;
    resvg::render(&sheet.whole()?, resvg::tiny_skia::Transform::identity(), &mut pixmap.as_mut());
    let png = pixmap.encode_png().map_err(|error| Fault::Drawing(error.to_string()))?;
    Ok(Preview { png, notes: sheet.note().into_iter().collect() })
}

/// A frame, and a sign of no institution: a seal with a tick.
fn background(sheet: &mut Sheet<'_>) {
    sheet.ornament(format!(
        "<rect width=\"1200\" height=\"630\" fill=\"#ffffff\"/><rect width=\"1200\" height=\"14\" fill=\"{INK}\"/>\
         <rect y=\"616\" width=\"1200\" height=\"14\" fill=\"{INK}\"/>\
         <rect y=\"14\" width=\"1200\" height=\"4\" fill=\"{ACCENT}\"/>\
         <g transform=\"translate(140 290)\" fill=\"none\"><path d=\"M-34 40L-50 128L0 102L50 128L34 40z\" \
         fill=\"{ACCENT}\"/><circle r=\"70\" fill=\"{INK}\"/><circle r=\"59\" stroke=\"#ffffff\" stroke-width=\"2.5\"/>\
         <path d=\"M-27 2L-8 22L29 -20\" stroke=\"#ffffff\" stroke-width=\"10\" stroke-linecap=\"round\" \
         stroke-linejoin=\"round\"/></g>"
    ));
}

fn write(sheet: &mut Sheet<'_>, lines: &Lines, labels: &Labels) -> Result<(), Fault> {
    let chosen = |line: &Option<String>| {
        let line = clean::line(line.as_deref()?, 160);
        (!line.is_empty()).then_some(line)
    };
    let label = Style { spacing: 0.2, ..style(Type::SansBold, 21.0, ACCENT) };
    let mut texts = vec![(Some(labels.verifiable.to_uppercase()), label, 1)];
    texts.push((chosen(&lines.achievement), style(Type::SerifBold, 64.0, INK), 3));
    texts.push((chosen(&lines.name), style(Type::Serif, 44.0, INK), 2));
    texts.push((chosen(&lines.issuer), style(Type::Sans, 30.0, SOFT), 2));
    texts.push((chosen(&lines.date), style(Type::Sans, 26.0, SOFT), 1));
    let mut sets = Vec::new();
    for (text, style, lines) in texts {
        let room = Room { width: WIDE, lines, smallest: style.size * 0.6 };
        sets.extend(text.map(|text| sheet.set(&text, style, room)));
    }
    // Above each line, the room that its letters take, and some more.
    let above = |set: &super::sheet::Set| set.style.size * 1.4 + 8.0;
    let height: f32 = sets.iter().map(|set| above(set) + set.height()).sum();
    let mut y = 315.0 - height / 2.0 - 8.0;
    for set in &sets {
        y += above(set);
        sheet.write(Role::Text, set, LEFT, y, Side::Start)?;
        y += set.height();
    }
    Ok(())
}

fn style(face: Type, size: f32, colour: &'static str) -> Style {
    Style { face, size, colour, spacing: 0.0 }
}
