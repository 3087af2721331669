//! Which fonts there are, how wide a text is in them, and what they cannot show.
//!
//! The program brings DejaVu along (Latin, Greek, Cyrillic, Armenian, Georgian, Arabic, Hebrew), so that the same
//! certificate looks the same everywhere. For other scripts, fonts of a folder or of the system stand in.

use std::{
    collections::HashMap,
    io,
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use resvg::usvg::fontdb::{Database, Source};
use ttf_parser::Face;

use super::clean::is_joiner;

/// What stands for a character that no font has.
pub(super) const UNKNOWN: char = '\u{fffd}';

/// The faces that the pages are set in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Serif,
    SerifBold,
    Sans,
    SansBold,
}

/// The fonts that the pages are set in, and those that stand in for what these lack.
pub struct Fonts {
    built_in: Arc<Database>,
    /// With the fonts of the folder or the system.
    all: Option<Arc<Database>>,
    faces: [Face<'static>; 4],
    /// How wide other faces make a character, in ems; `None` for what none of them has.
    elsewhere: Mutex<HashMap<char, Option<f32>>>,
}

impl Fonts {
    /// What the program brings along.
    pub fn built_in() -> &'static Self {
        static FONTS: OnceLock<Fonts> = OnceLock::new();
        FONTS.get_or_init(Self::own)
    }

    /// With the fonts below `folder` for the scripts that DejaVu lacks.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn with_folder(folder: &Path) -> io::Result<Self> {
        std::fs::read_dir(folder)?;
        Ok(Self::own().and(|all| all.load_fonts_dir(folder)))
    }

    /// With the fonts that are installed on this machine for the scripts that DejaVu lacks.
    pub fn with_system() -> Self {
        Self::own().and(Database::load_system_fonts)
    }

    fn own() -> Self {
        let files = [dejavu::serif::regular(), dejavu::serif::bold(), dejavu::sans::regular(), dejavu::sans::bold()];
        let mut built_in = Database::new();
        for file in files {
            built_in.load_font_source(Source::Binary(Arc::new(file)));
        }
        built_in.set_serif_family("DejaVu Serif");
        built_in.set_sans_serif_family("DejaVu Sans");
        let faces = files.map(|file| Face::parse(file, 0).expect("the fonts in this program are fonts"));
        Self { built_in: Arc::new(built_in), all: None, faces, elsewhere: Mutex::default() }
    }

    fn and(mut self, load: impl FnOnce(&mut Database)) -> Self {
        let mut all = Database::clone(&self.built_in);
        load(&mut all);
        self.all = Some(Arc::new(all));
        self
    }

    /// The fonts to draw `text` with: as few as will do, because drawing looks through them all.
    pub(super) fn database(&self, text: &str) -> Arc<Database> {
        let all = self.all.as_ref().filter(|_| !text.chars().all(|char| self.own_advance(char).is_some()));
        Arc::clone(all.unwrap_or(&self.built_in))
    }

    /// Whether it can be shown, or need not be.
    pub(super) fn has(&self, char: char) -> bool {
        // What a private character means, only whoever made it knows (and PDF/A wants nothing to do with them).
        let is_private = matches!(char, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..);
        is_joiner(char) || !is_private && self.shows(char)
    }

    fn shows(&self, char: char) -> bool {
        self.own_advance(char).is_some() || self.advance_elsewhere(char).is_some()
    }

    /// How wide `text` is at a size of one, `spacing` ems between letters included.
    pub(super) fn width(&self, text: &str, face: Type, spacing: f32) -> f32 {
        text.chars().map(|char| self.advance(char, face) + spacing).sum()
    }

    fn advance(&self, char: char, face: Type) -> f32 {
        let index = [Type::Serif, Type::SerifBold, Type::Sans, Type::SansBold].iter().position(|own| *own == face);
        let face = &self.faces[index.unwrap_or_default()];
        // A letter that nobody measured is as wide as it is high.
        advance_in(face, char)
            .or_else(|| self.own_advance(char))
            .or_else(|| self.advance_elsewhere(char))
            .unwrap_or(1.0)
    }

    fn own_advance(&self, char: char) -> Option<f32> {
        self.faces.iter().find_map(|face| advance_in(face, char))
    }

    fn advance_elsewhere(&self, char: char) -> Option<f32> {
        let all = self.all.as_ref()?;
        // What another thread left behind in a panic is whole: each entry is put in at once.
        let mut known = self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(char).or_insert_with(|| {
            let in_face = |data: &[u8], index| advance_in(&Face::parse(data, index).ok()?, char);
            all.faces().find_map(|face| all.with_face_data(face.id, in_face).flatten())
        })
    }
}

fn advance_in(face: &Face<'_>, char: char) -> Option<f32> {
    let advance = face.glyph_hor_advance(face.glyph_index(char)?)?;
    Some(f32::from(advance) / f32::from(face.units_per_em()))
}
