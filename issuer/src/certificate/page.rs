//! The certificate: one page of A4, landscape. Above, who certifies what of whom; below, the picture, the facts and the
//! code that leads to the proof.

use super::{
    Fault, Language, Note,
    fonts::{Fonts, Type},
    labels::Labels,
    picture::Picture,
    qr,
    sheet::{Role, Room, Set, Sheet, Side, Style},
    words::Words,
};

/// A4, in points.
const WIDTH: f32 = 842.0;
const HEIGHT: f32 = 595.0;
const MIDDLE: f32 = WIDTH / 2.0;
/// From the paper's edge to what is written.
const MARGIN: f32 = 60.0;
/// The upper part, in which everything stands in the middle.
const TOP: f32 = 52.0;
const BOTTOM: f32 = 402.0;
/// The lower part.
const BAND: f32 = 420.0;
const SQUARE: f32 = 116.0;
/// Where the code is: also for the link on it.
pub(super) const CODE: [f32; 3] = [WIDTH - MARGIN - SQUARE, BAND, SQUARE];

const INK: &str = "#1c2740";
const ACCENT: &str = "#86672a";
const SOFT: &str = "#4b5366";

const fn style(face: Type, size: f32, colour: &'static str) -> Style {
    Style { face, size, colour, spacing: 0.0 }
}

const fn room(width: f32, lines: usize, smallest: f32) -> Room {
    Room { width, lines, smallest }
}

/// The page, and what it leaves out.
pub(super) fn page<'a>(
    words: &Words,
    link: &str,
    language: Language,
    fonts: &'a Fonts,
) -> Result<(Sheet<'a>, Vec<Note>), Fault> {
    let labels = Labels::of(language);
    let mut sheet = Sheet::new(WIDTH, HEIGHT, fonts);
    let mut notes = Vec::new();
    let logo = drawn(words.issuer_picture.as_deref(), "issuer", &mut notes);
    let emblem = drawn(words.achievement_picture.as_deref(), "achievement", &mut notes);
    frame(&mut sheet);
    above(&mut sheet, words, labels, logo)?;
    let left = match emblem {
        Some(emblem) => {
            let alt = words.caption.clone().unwrap_or_else(|| format!("{} {}", labels.emblem_of, words.achievement));
            sheet.picture(Role::Picture(alt), emblem.svg(MARGIN, BAND, SQUARE, SQUARE));
            MARGIN + SQUARE + 28.0
        }
        None => MARGIN,
    };
    facts(&mut sheet, words, left)?;
    small_print(&mut sheet, words, labels, link, left)?;
    code(&mut sheet, labels, link)?;
    Ok((sheet, notes))
}

fn drawn(url: Option<&str>, whose: &'static str, notes: &mut Vec<Note>) -> Option<Picture> {
    let drawn = Picture::of(url?);
    drawn.map_err(|why| notes.push(Note::NoPicture { whose, why })).ok()
}

fn frame(sheet: &mut Sheet<'_>) {
    let (width, height) = (WIDTH - 44.0, HEIGHT - 44.0);
    let mut svg = format!(
        "<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\
         <g fill=\"none\"><rect x=\"22\" y=\"22\" width=\"{width}\" height=\"{height}\" stroke=\"{INK}\" \
         stroke-width=\"1.6\"/><rect x=\"27\" y=\"27\" width=\"{}\" height=\"{}\" stroke=\"{ACCENT}\" \
         stroke-width=\"0.6\"/></g>",
        width - 10.0,
        height - 10.0
    );
    for (x, y) in [(27.0, 27.0), (WIDTH - 27.0, 27.0), (27.0, HEIGHT - 27.0), (WIDTH - 27.0, HEIGHT - 27.0)] {
        svg += &format!(
            "<g transform=\"translate({x} {y}) rotate(45)\"><rect x=\"-6\" y=\"-6\" width=\"12\" height=\"12\" \
             fill=\"#ffffff\" stroke=\"{INK}\" stroke-width=\"1.2\"/><rect x=\"-2.6\" y=\"-2.6\" width=\"5.2\" \
             height=\"5.2\" fill=\"{ACCENT}\"/></g>"
        );
    }
    sheet.ornament(svg);
}

/// One thing of the upper part, below the one before it.
enum Thing {
    /// A text, and the room above its first line.
    Words(Role, Set, f32),
    /// A short rule, and the room above it.
    Rule(f32),
}

/// Everything that stands in the middle, spread over the height that there is.
fn above(sheet: &mut Sheet<'_>, words: &Words, labels: &Labels, logo: Option<Picture>) -> Result<(), Fault> {
    let top = heading(sheet, words, logo)?;
    let wide = WIDTH - 2.0 * MARGIN - 60.0;
    let label = Style { spacing: 0.06, ..style(Type::SansBold, 12.0, ACCENT) };
    let mut things = vec![Thing::Words(Role::Text, sheet.set(labels.certificate, label, room(wide, 1, 8.0)), 20.0)];
    let soft = style(Type::Sans, 11.0, SOFT);
    let mut say = |sheet: &mut Sheet<'_>, role, text: &str, style, room, above| {
        things.push(Thing::Words(role, sheet.set(text, style, room), above));
    };
    match &words.name {
        Some(name) => {
            say(sheet, Role::Text, labels.certifies, soft, room(wide, 1, 8.0), 24.0);
            say(sheet, Role::Text, name, style(Type::Serif, 34.0, INK), room(wide, 2, 15.0), 40.0);
            things.push(Thing::Rule(15.0));
            things.push(Thing::Words(Role::Text, sheet.set(labels.awarded, soft, room(wide, 1, 8.0)), 20.0));
        }
        None => say(sheet, Role::Text, labels.to_holder, soft, room(wide, 1, 8.0), 26.0),
    }
    let large = if words.name.is_some() { 24.0 } else { 32.0 };
    let title = sheet.set(&words.achievement, style(Type::SerifBold, large, INK), room(wide, 2, 12.0));
    things.push(Thing::Words(Role::Heading, title, large + 8.0));
    for text in [words.description.clone(), criteria(words, labels)].into_iter().flatten() {
        let set = sheet.set(&text, style(Type::Sans, 10.0, SOFT), room(wide - 60.0, 2, 8.0));
        things.push(Thing::Words(Role::Text, set, 20.0));
    }
    stack(sheet, things, top)
}

fn criteria(words: &Words, labels: &Labels) -> Option<String> {
    words.criteria.as_ref().map(|criteria| format!("{}{criteria}", labels.criteria))
}

fn stack(sheet: &mut Sheet<'_>, things: Vec<Thing>, top: f32) -> Result<(), Fault> {
    let height = |thing: &Thing| match thing {
        Thing::Words(_, set, above) => above + set.height(),
        Thing::Rule(above) => *above,
    };
    let spare = BOTTOM - top - things.iter().map(height).sum::<f32>();
    let more = (spare / (things.len() + 1) as f32).clamp(-4.0, 14.0);
    let mut y = top + (spare - more * things.len() as f32).max(0.0) / 2.0;
    for thing in things {
        y += more;
        match thing {
            Thing::Words(role, set, above) => {
                y += above;
                sheet.write(role, &set, MIDDLE, y, Side::Middle)?;
                y += set.height();
            }
            Thing::Rule(above) => {
                y += above;
                sheet.ornament(format!(
                    "<path d=\"M{} {y}h240\" stroke=\"{ACCENT}\" stroke-width=\"0.8\"/>",
                    MIDDLE - 120.0
                ));
            }
        }
    }
    Ok(())
}

/// The issuer: its logo beside its name. Returns where the next thing may begin.
fn heading(sheet: &mut Sheet<'_>, words: &Words, logo: Option<Picture>) -> Result<f32, Fault> {
    const HIGH: f32 = 46.0;
    const GAP: f32 = 16.0;
    let logo = logo.map(|logo| (logo.width_at(HIGH).min(190.0), logo));
    let taken = logo.as_ref().map_or(0.0, |(width, _)| width + GAP);
    let look = style(Type::SerifBold, 17.0, INK);
    let name = sheet.set(&words.issuer, look, room(WIDTH - 2.0 * MARGIN - taken, 2, 10.0));
    let longest = name.lines.iter().map(|line| sheet.fonts.width(line, look.face, 0.0) * name.style.size);
    let left = MIDDLE - (taken + longest.fold(0.0, f32::max)) / 2.0;
    if let Some((width, logo)) = &logo {
        sheet.picture(Role::Picture(words.issuer.clone()), logo.svg(left, TOP, *width, HIGH));
    }
    let y = TOP + HIGH / 2.0 + name.style.size * 0.36 - name.height() / 2.0;
    sheet.write(Role::Text, &name, left + taken, y, Side::Start)?;
    Ok(TOP + HIGH)
}

/// Labels and what they say, in three columns.
fn facts(sheet: &mut Sheet<'_>, words: &Words, left: f32) -> Result<(), Fault> {
    const COLUMNS: usize = 3;
    let wide = (CODE[0] - 28.0 - left) / COLUMNS as f32;
    for (number, (label, value)) in words.facts.iter().enumerate() {
        let (column, row) = ((number % COLUMNS) as f32, (number / COLUMNS) as f32);
        let (x, y) = (left + column * wide, BAND + 9.0 + row * 33.0);
        let room = room(wide - 12.0, 1, 7.0);
        let small = Style { spacing: 0.04, ..style(Type::Sans, 7.5, ACCENT) };
        let label = sheet.set(label, small, room);
        sheet.write(Role::Text, &label, x, y, Side::Start)?;
        let value = sheet.set(value, style(Type::Serif, 11.0, INK), room);
        sheet.write(Role::Text, &value, x, y + 14.0, Side::Start)?;
    }
    Ok(())
}

/// What a verifier needs who has only the paper.
fn small_print(sheet: &mut Sheet<'_>, words: &Words, labels: &Labels, link: &str, left: f32) -> Result<(), Fault> {
    let wide = CODE[0] - 28.0 - left;
    let small = style(Type::Sans, 7.0, SOFT);
    let y = BAND + 78.0;
    sheet.ornament(format!("<path d=\"M{left} {}h{wide}\" stroke=\"{ACCENT}\" stroke-width=\"0.4\"/>", y - 11.0));
    // Whoever types it needs all of it; nobody types more than this.
    let shown = if link.len() <= 120 { link } else { link.split('#').next().unwrap_or(link) };
    let issuer = (!words.issuer_id.is_empty()).then(|| format!("{}: {}", labels.issuer, words.issuer_id));
    let id = words.id.as_ref().map(|id| format!("{}: {id}", labels.credential));
    let mut y = y;
    for (text, lines) in
        [(Some(format!("{}: {shown}", labels.link)), 1), (id, 1), (issuer, 1), (Some(labels.hint.to_owned()), 2)]
    {
        let Some(text) = text else { continue };
        let set = sheet.set(&text, small, room(wide, lines, 5.0));
        sheet.write(Role::Text, &set, left, y, Side::Start)?;
        y += set.height() + 9.6;
    }
    Ok(())
}

fn code(sheet: &mut Sheet<'_>, labels: &Labels, link: &str) -> Result<(), Fault> {
    let [x, y, side] = CODE;
    sheet.picture(Role::Link(labels.scan.to_owned()), qr::svg(link, x, y, side)?);
    let scan = sheet.set(labels.scan, style(Type::SansBold, 8.0, INK), room(side, 1, 6.0));
    sheet.write(Role::Text, &scan, x + side / 2.0, y + side + 8.0, Side::Middle)
}
