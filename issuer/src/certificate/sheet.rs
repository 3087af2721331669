//! Pieces of a page: each is SVG, and knows what it is to somebody who does not see it.

use std::{collections::BTreeSet, fmt::Write, sync::Arc};

use resvg::usvg::{self, Node, Options, Tree, fontdb::Database};
use unicode_segmentation::UnicodeSegmentation;

use super::{
    Fault, Note,
    fonts::{Fonts, Type, UNKNOWN},
    picture,
};

/// What a piece is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing that is read: frames and rules.
    Ornament,
    /// The one heading.
    Heading,
    /// A text.
    Text,
    /// A picture, with what it shows.
    Picture(String),
    /// The picture that links, with what it leads to.
    Link(String),
}

/// A piece of a page.
#[derive(Debug)]
pub(super) struct Piece {
    pub role: Role,
    /// Its text without the line breaks.
    pub text: String,
    /// Elements of SVG, in the page's measure: of a text, one for each line.
    pub svg: Vec<String>,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub face: Type,
    pub size: f32,
    pub colour: &'static str,
    /// Between letters, in ems.
    pub spacing: f32,
}

/// Which side of the text stands at the given place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Start,
    Middle,
}

/// A text in lines, none of which is wider than it may be.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub lines: Vec<String>,
    pub style: Style,
    /// The most that a line may be wide.
    width: f32,
}

/// Room for a text: how wide, how many lines, and how small it may be written to go in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub width: f32,
    pub lines: usize,
    pub smallest: f32,
}

/// A page that is being filled.
pub(super) struct Sheet<'a> {
    pub width: f32,
    pub height: f32,
    pub fonts: &'a Fonts,
    pub pieces: Vec<Piece>,
    unknown: BTreeSet<char>,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(width: f32, height: f32, fonts: &'a Fonts) -> Self {
        Self { width, height, fonts, pieces: Vec::new(), unknown: BTreeSet::new() }
    }

    /// Elements that say nothing.
    pub(super) fn ornament(&mut self, svg: String) {
        self.pieces.push(Piece { role: Role::Ornament, text: String::new(), svg: vec![svg] });
    }

    /// A picture, in place.
    pub(super) fn picture(&mut self, role: Role, svg: String) {
        self.pieces.push(Piece { role, text: String::new(), svg: vec![svg] });
    }

    /// Breaks `text` into lines that fit; it becomes smaller first, and ends in an ellipsis at last.
    pub(super) fn set(&mut self, text: &str, style: Style, room: Room) -> Set {
        let text = self.shown(text);
        let mut style = style;
        loop {
            let (lines, is_whole) = wrap(self.fonts, &text, style, room);
            if is_whole || style.size <= room.smallest {
                return Set { lines, style, width: room.width };
            }
            style.size = (style.size - 1.0).max(room.smallest);
        }
    }

    /// Writes lines, the first of which stands on `y`.
    pub(super) fn write(&mut self, role: Role, set: &Set, x: f32, y: f32, side: Side) -> Result<(), Fault> {
        let at = |number| y + number as f32 * set.leading();
        let lines = set.lines.iter().enumerate().map(|(number, line)| self.line(set, line, x, at(number), side));
        let svg = lines.collect::<Result<_, _>>()?;
        self.pieces.push(Piece { role, text: set.lines.join(" "), svg });
        Ok(())
    }

    /// One line; drawn smaller where its script takes more room than its letters one by one.
    fn line(&self, set: &Set, line: &str, x: f32, y: f32, side: Side) -> Result<String, Fault> {
        let element = element(line, &set.style, x, y, side);
        let width = text_width(&self.tree(&element, line)?);
        if width <= set.width + 0.5 {
            return Ok(element);
        }
        let scale = set.width / width;
        let (left, top) = (x * (1.0 - scale), y * (1.0 - scale));
        Ok(format!("<g transform=\"matrix({scale} 0 0 {scale} {left} {top})\">{element}</g>"))
    }

    /// What of it can be shown; the rest is noted.
    fn shown(&mut self, text: &str) -> String {
        let (fonts, unknown) = (self.fonts, &mut self.unknown);
        let shown = |char| {
            let is_known = fonts.has(char);
            if !is_known {
                unknown.insert(char);
            }
            if is_known { char } else { UNKNOWN }
        };
        text.chars().map(shown).collect()
    }

    /// What could not be shown.
    pub(super) fn note(&self) -> Option<Note> {
        (!self.unknown.is_empty()).then(|| Note::NoGlyph(self.unknown.clone()))
    }

    /// Pieces of SVG as a drawing of this page's size.
    pub(super) fn tree(&self, svg: &str, text: &str) -> Result<Tree, Fault> {
        tree(&document(self.width, self.height, svg), self.fonts.database(text))
    }

    /// All of it as one drawing.
    pub(super) fn whole(&self) -> Result<Tree, Fault> {
        let svg: String = self.pieces.iter().flat_map(|piece| &piece.svg).map(String::as_str).collect();
        let text: String = self.pieces.iter().map(|piece| piece.text.as_str()).collect();
        self.tree(&svg, &text)
    }
}

impl Set {
    /// From one line to the next.
    pub(super) fn leading(&self) -> f32 {
        self.style.size * 1.3
    }

    /// From the first line to the last.
    pub(super) fn height(&self) -> f32 {
        self.leading() * self.lines.len().saturating_sub(1) as f32
    }
}

fn document(width: f32, height: f32, svg: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">{svg}</svg>"
    )
}

/// A drawing, in which nothing refers to anything outside.
pub(super) fn tree(svg: &str, fontdb: Arc<Database>) -> Result<Tree, Fault> {
    let resolver = usvg::ImageHrefResolver {
        resolve_data: Box::new(|media_type, data, _| picture::bitmap(media_type, data)),
        resolve_string: Box::new(|_, _| None),
    };
    let options = Options { fontdb, image_href_resolver: resolver, ..Options::default() };
    Tree::from_str(svg, &options).map_err(|error| Fault::Drawing(error.to_string()))
}

fn text_width(tree: &Tree) -> f32 {
    let of = |node: &Node| match node {
        Node::Text(text) => text.bounding_box().width(),
        _ => 0.0,
    };
    tree.root().children().iter().map(of).fold(0.0, f32::max)
}

fn element(line: &str, style: &Style, x: f32, y: f32, side: Side) -> String {
    let (family, weight) = match style.face {
        Type::Serif => ("DejaVu Serif", 400),
        Type::SerifBold => ("DejaVu Serif", 700),
        Type::Sans => ("DejaVu Sans", 400),
        Type::SansBold => ("DejaVu Sans", 700),
    };
    let anchor = if side == Side::Middle { "middle" } else { "start" };
    let (size, colour, spacing) = (style.size, style.colour, style.spacing * style.size);
    // The room behind the last letter would move what stands in the middle.
    let x = if side == Side::Middle { x + spacing / 2.0 } else { x };
    let mut svg = format!(
        "<text x=\"{x}\" y=\"{y}\" font-family=\"{family}\" font-weight=\"{weight}\" font-size=\"{size}\" \
         fill=\"{colour}\" text-anchor=\"{anchor}\" letter-spacing=\"{spacing}\" xml:space=\"preserve\">"
    );
    escape(line, &mut svg);
    svg + "</text>"
}

/// A text in XML.
pub(super) fn escape(text: &str, out: &mut String) {
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Anything that is not plain, by its number: XML readers make a line break of some.
            char if char.is_control() => write!(out, "&#{};", u32::from(char)).expect("a text takes what is written"),
            char => out.push(char),
        }
    }
}

/// Lines of words; whether the text is whole, and no word in it broken.
fn wrap(fonts: &Fonts, text: &str, style: Style, room: Room) -> (Vec<String>, bool) {
    let width = |text: &str| fonts.width(text, style.face, style.spacing) * style.size;
    let mut lines: Vec<String> = vec![String::new()];
    let mut is_whole = true;
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is one from the start");
        let joined = if last.is_empty() { word.to_owned() } else { format!("{last} {word}") };
        if width(&joined) <= room.width {
            *last = joined;
            continue;
        }
        if width(word) <= room.width {
            lines.push(word.to_owned());
        } else {
            // Chinese and Japanese have no blanks; nor have names that are meant to do harm.
            is_whole &= !word.is_ascii();
            broken(&joined, &mut lines, |line| width(line) <= room.width);
        }
        if lines.len() > room.lines {
            break;
        }
    }
    if lines.len() > room.lines {
        lines.truncate(room.lines);
        let last = lines.last_mut().expect("there is room for one line");
        *last = ended(last, |line| width(line) <= room.width);
        return (lines, false);
    }
    (lines, is_whole)
}

/// Puts `text` in the place of the last line and into as many more as it needs, broken anywhere.
fn broken(text: &str, lines: &mut Vec<String>, fits: impl Fn(&str) -> bool) {
    lines.pop();
    let mut line = String::new();
    for letter in text.graphemes(true) {
        if !line.is_empty() && !fits(&format!("{line}{letter}")) {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        line.push_str(letter);
    }
    lines.push(line);
}

/// A line that something is missing behind.
fn ended(line: &str, fits: impl Fn(&str) -> bool) -> String {
    let mut letters: Vec<&str> = line.trim_end_matches('…').graphemes(true).collect();
    loop {
        let ended = format!("{}…", letters.concat().trim_end_matches([' ', ',', '.', ';', ':']));
        if letters.is_empty() || fits(&ended) {
            return ended;
        }
        letters.pop();
    }
}
