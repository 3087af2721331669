//! Who gets it: rosters as spreadsheets and learning platforms write them, row by row.
//!
//! Reading order: [`award`] (what a row becomes) → `encoding`, `lines`, `split`, `table` (bytes → cells), `jsonl` →
//! `columns` (what a heading means) → `cells`, `dates`, `given` (cells → award) → [`fault`] → [`failed`].
//!
//! A row is good, or says all that is wrong with it; the next one goes on. A roster may have any size: what is held in
//! memory is a row, and some forty bytes for each learner, so that nobody is there twice.

pub mod award;
mod cells;
mod changed;
mod columns;
pub mod dates;
pub mod encoding;
pub mod failed;
pub mod fault;
mod given;
mod jsonl;
mod lines;
mod sheet;
mod split;
mod table;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, hash_map::Entry},
    fs::File,
    io::{self, Read, Seek},
    path::Path,
};

use sha2::{Digest, Sha256};

pub use award::{Award, Evidence, Learner, ResultValue};
pub use changed::changed;
pub use columns::{Field, UnknownField};
pub use dates::DateOrder;
pub use encoding::{Encoding, Source};
pub use failed::Failed;
pub use fault::{CellFault, Fault, Note, RosterFault, RowFault};

use columns::Columns;
use encoding::{Decoded, SAMPLE, detect};
use given::Defaults;
use jsonl::JsonLines;
use lines::Lines;
use sheet::Sheet;

/// What a roster does not say itself, or says in its own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RosterOptions {
    /// Columns by their headings: `learner` is `Matrikel`.
    pub map: Vec<(Field, String)>,
    /// The encoding, where it is known; else it is found out.
    pub encoding: Option<Encoding>,
    /// What stands between cells, where it is known; else it is found out.
    pub separator: Option<u8>,
    /// Which comes first in `03/04/2026`; `None`: such dates are refused.
    pub dates: Option<DateOrder>,
    /// The period of rows that name none.
    pub period: String,
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The line at which it begins, from 1, as an editor counts.
    pub line: u64,
    /// The row as it was, for [`Failed`].
    pub original: Original,
    /// What it says, or what is wrong with it.
    pub award: Result<Award, RowFault>,
}

/// A row as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Original {
    /// The cells of a table's row, one for each heading.
    Cells(Vec<String>),
    /// A line of JSON.
    Json(String),
    /// It was too long to be kept.
    Lost,
}

/// What kind of file a roster is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Comma-separated values, or the like.
    Table {
        /// The headings.
        headings: Vec<String>,
        /// What stands between cells.
        separator: u8,
    },
    /// An object per line.
    JsonLines,
}

/// Opens the roster in a file.
pub fn read(path: &Path, options: &RosterOptions) -> Result<Roster, RosterFault> {
    Roster::new(Box::new(open(path)?), options)
}

/// Opens a file that can be read more than once, as a roster is: a pipe is copied to a nameless temporary file first.
pub fn open(path: &Path) -> io::Result<File> {
    let mut file = File::open(path)?;
    if !file.metadata()?.is_file() {
        let mut copy = tempfile::tempfile()?;
        io::copy(&mut file, &mut copy)?;
        file = copy;
    }
    Ok(file)
}

/// The rows of a roster, in their order; after a fault in reading the file itself there are no more.
pub struct Roster {
    rows: Rows,
    options: RosterOptions,
    notes: Vec<Note>,
    /// Where each learner and period stood first, by the first half of their SHA-256.
    seen: HashMap<[u8; 16], u64>,
    last_line: u64,
    is_over: bool,
}

enum Rows {
    Sheet(Box<Sheet>),
    JsonLines(Box<JsonLines>),
}

impl Roster {
    /// Finds out what the source is, and reads its headings.
    pub fn new(mut source: Box<dyn Source>, options: &RosterOptions) -> Result<Self, RosterFault> {
        source.rewind()?;
        let mut sample = Vec::new();
        source.by_ref().take(SAMPLE as u64).read_to_end(&mut sample)?;
        let detected = detect(&sample, options.encoding)?;
        let mut lines = Lines::new(Decoded::new(source, detected)?)?;
        let mut notes: Vec<_> = detected.guessed.map(|line| Note::GuessedEncoding { line }).into_iter().collect();
        let rows = match first_letter(&mut lines)? {
            None => return Err(RosterFault::Empty),
            Some(b'[') => return Err(RosterFault::JsonArray),
            Some(b'{') => Rows::JsonLines(Box::new(JsonLines::new(lines, detected.encoding, options))),
            Some(_) => {
                let (sheet, told) = Sheet::open(lines, detected.encoding, options)?;
                notes.extend(told);
                Rows::Sheet(Box::new(sheet))
            }
        };
        Ok(Self { rows, options: options.clone(), notes, seen: HashMap::new(), last_line: 1, is_over: false })
    }

    /// What is worth a word, as far as it was read.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// What kind of file it is.
    pub fn shape(&self) -> Shape {
        match &self.rows {
            Rows::Sheet(sheet) => Shape::Table { headings: sheet.columns.headings.clone(), separator: sheet.separator },
            Rows::JsonLines(_) => Shape::JsonLines,
        }
    }

    /// The headings of a table, and what each means; `None`: nothing that is read.
    pub fn columns(&self) -> Vec<(&str, Option<&Field>)> {
        match &self.rows {
            Rows::Sheet(sheet) => {
                let Columns { headings, fields } = &sheet.columns;
                headings.iter().map(String::as_str).zip(fields.iter().map(Option::as_ref)).collect()
            }
            Rows::JsonLines(_) => Vec::new(),
        }
    }

    fn read(&mut self) -> io::Result<Option<Row>> {
        let defaults = Defaults { dates: self.options.dates, period: &self.options.period };
        match &mut self.rows {
            Rows::Sheet(sheet) => sheet.read(defaults, &mut self.notes),
            Rows::JsonLines(objects) => objects.read(&mut self.notes),
        }
    }

    /// Refuses a learner who had a row before.
    fn once(&mut self, line: u64, award: Award) -> Result<Award, RowFault> {
        let mut hasher = Sha256::new();
        for part in [award.learner.key.as_str(), award.period.as_str()] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        let digest: [u8; 32] = hasher.finalize().into();
        let (half, _) = digest.split_first_chunk().expect("32 bytes have a first half");
        match self.seen.entry(*half) {
            Entry::Occupied(first) => Err(Fault::Duplicate { line: *first.get() }.into()),
            Entry::Vacant(place) => {
                place.insert(line);
                Ok(award)
            }
        }
    }
}

impl Iterator for Roster {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.is_over {
            return None;
        }
        let Row { line, original, award } = match self.read() {
            Ok(Some(row)) => row,
            Ok(None) => {
                self.is_over = true;
                return None;
            }
            Err(error) => {
                self.is_over = true;
                let award = Err(Fault::Unreadable(error.kind()).into());
                return Some(Row { line: self.last_line + 1, original: Original::Lost, award });
            }
        };
        self.last_line = line;
        let award = award.and_then(|award| self.once(line, award));
        Some(Row { line, original, award })
    }
}

/// The first byte that is no blank; its line stays to be read.
fn first_letter(lines: &mut Lines) -> io::Result<Option<u8>> {
    while let Some(line) = lines.read()? {
        if let Some(&letter) = line.text().trim_ascii().first() {
            lines.put_back(line);
            return Ok(Some(letter));
        }
    }
    Ok(None)
}
