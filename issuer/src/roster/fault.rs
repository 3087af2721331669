//! What is wrong with a roster, or with a row of it; and what is only worth a word.
//!
//! A message tells what is wrong and what to do. None repeats a cell, save for a date: names and addresses must not wander
//! into logs.

use std::{fmt, io};

use super::{dates::DateFault, encoding::Encoding};

/// Why a roster cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RosterFault {
    /// The file does not open, or its beginning cannot be read.
    #[error("the roster cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// No row, not even headings.
    #[error("the roster is empty: its first row must name the columns")]
    Empty,
    /// No text, but another kind of file.
    #[error("this is {kind}, not text: open it and save it as CSV (UTF-8)")]
    NotText {
        /// What it looks like.
        kind: &'static str,
    },
    /// Every second byte is zero, and no byte order mark says in which order.
    #[error("this looks like UTF-16 without its byte order mark: save it as CSV (UTF-8)")]
    NoByteOrderMark,
    /// One JSON array, which would have to be held in memory as a whole.
    #[error("this is one JSON array: write one object per line (`jq -c '.[]'` does it)")]
    JsonArray,
    /// The row of headings cannot be read.
    #[error("the headings in line {line} cannot be read: {fault}")]
    Headings {
        /// Where it begins.
        line: u64,
        /// Why.
        fault: Fault,
    },
    /// No column tells who the learner is.
    #[error("no column says who the learner is: one headed `id`, `email` or `did` is needed, or --map learner=HEADING. Found: {}", quoted(.found))]
    NoLearner {
        /// The headings that are there.
        found: Vec<String>,
    },
    /// Two columns have the same heading.
    #[error("two columns are headed `{heading}`: rename one")]
    DoubleColumn {
        /// The heading.
        heading: String,
    },
    /// `--map` names a heading that is not there.
    #[error("no column is headed `{heading}`, which the map names. Found: {}", quoted(.found))]
    NoSuchHeading {
        /// The heading that the map names.
        heading: String,
        /// The headings that are there.
        found: Vec<String>,
    },
}

fn quoted(headings: &[String]) -> String {
    headings.iter().map(|heading| format!("`{heading}`")).collect::<Vec<_>>().join(", ")
}

/// Why a row is no award: all that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFault {
    /// At least one.
    pub faults: Vec<CellFault>,
}

/// What is wrong with a cell, or with a row as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellFault {
    /// The heading of the column; `None` where the row as a whole is meant.
    pub column: Option<String>,
    /// What is wrong.
    pub fault: Fault,
}

impl std::error::Error for RowFault {}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, fault) in self.faults.iter().enumerate() {
            let separator = if nth == 0 { "" } else { "; " };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl fmt::Display for CellFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(column) = &self.column {
            write!(f, "column `{column}`: ")?;
        }
        self.fault.fmt(f)
    }
}

impl From<Fault> for RowFault {
    fn from(fault: Fault) -> Self {
        Self { faults: vec![CellFault { column: None, fault }] }
    }
}

/// What can be wrong with a row or a cell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Something stands between a closing quotation mark and the next separator.
    #[error("text follows a closing quotation mark: write quotation marks inside a quoted cell twice (\"\")")]
    StrayQuote,
    /// A quotation mark is opened and not closed before the file ends.
    #[error("a quotation mark is opened and never closed")]
    OpenQuote,
    /// As before, and the rows up to a line could not be told apart any more.
    #[error("a broken quotation mark hides everything from here to line {to}: mend it and read the file again")]
    Hidden {
        /// The last line that is lost.
        to: u64,
    },
    /// More or fewer cells than headings.
    #[error("{found} cells, where the headings are {wanted}: is a separator or a quotation mark missing?")]
    Width {
        /// How many the row has.
        found: usize,
        /// How many there are headings.
        wanted: usize,
    },
    /// A cell or a row that nobody typed.
    #[error("more than {limit} bytes: shorten it")]
    TooLong {
        /// How many are taken.
        limit: usize,
    },
    /// The bytes are no text in the file's encoding.
    #[error("not valid {0}, which the rest of the file is: write the row's letters anew")]
    Encoding(Encoding),
    /// A line that is no JSON.
    #[error("no valid JSON: one object per line, no key twice")]
    Json,
    /// JSON, but no object.
    #[error("no JSON object: a line must be one, as {{\"email\": …}}")]
    NotAnObject,
    /// Two keys of a JSON object that mean the same.
    #[error("the key `{key}` means the same as another: leave one out")]
    DoubleKey {
        /// The second.
        key: String,
    },
    /// A change of a field that there is not.
    #[error("no such field: as in a roster, id, did, email, name, awarded, expires, result … are known")]
    NoSuchField,
    /// A value of the wrong kind in JSON.
    #[error("{wanted} is needed here")]
    Kind {
        /// What would be taken.
        wanted: &'static str,
    },
    /// None of the columns that tell who the learner is has a value.
    #[error("nothing says who the learner is: fill in the id, the e-mail address or the DID")]
    NoLearner,
    /// The learner has a row already.
    #[error("the same learner (and period) as in line {line}: remove one of the two")]
    Duplicate {
        /// Where the first row begins.
        line: u64,
    },
    /// A control character, NUL among them.
    #[error("holds the control character U+{:04X}: type the text anew", u32::from(*.0))]
    Control(char),
    /// A character that turns the direction of what follows: a name can be made to look like another with it.
    #[error("holds U+{:04X}, which turns the direction of writing: type the text anew", u32::from(*.0))]
    Direction(char),
    /// A character that nobody sees.
    #[error("holds U+{:04X}, which cannot be seen: type the text anew", u32::from(*.0))]
    Invisible(char),
    /// Letters that an earlier conversion has destroyed.
    #[error("holds U+FFFD (�): a letter was lost when the file was converted; type it anew")]
    Lost,
    /// More characters than such a text has.
    #[error("more than {limit} characters")]
    Long {
        /// How many are taken.
        limit: usize,
    },
    /// No e-mail address.
    #[error("no e-mail address: {0}")]
    Email(&'static str),
    /// No DID.
    #[error("no DID: {0}")]
    Did(&'static str),
    /// No URL.
    #[error("no web address: it must begin with https:// or http:// and hold no blanks")]
    Url,
    /// No date, or one that can be read in two ways.
    #[error(transparent)]
    Date(#[from] DateFault),
    /// No number, or one below zero.
    #[error("no number of zero or more (7.5 or 7,5)")]
    Number,
    /// The award ends before it begins.
    #[error("expires before it is awarded")]
    ExpiresFirst,
    /// The file could not be read further.
    #[error("the file cannot be read further: {0}")]
    Unreadable(io::ErrorKind),
}

/// Nothing wrong, but worth a word, once for the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// The text is not UTF-8, and was taken for Windows-1252 as a last resort.
    GuessedEncoding {
        /// The first line with a letter beyond ASCII: what to look at.
        line: u64,
    },
    /// A column that means nothing here.
    UnknownColumn(String),
    /// A column that another one stands before, which says the same.
    UnusedColumn {
        /// Its heading.
        heading: String,
        /// The heading of the one that is read.
        preferred: String,
    },
    /// The row of points that a Canvas gradebook has below its headings.
    PointsRow {
        /// Where.
        line: u64,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GuessedEncoding { line } => write!(
                f,
                "the roster is not UTF-8 and was read as Windows-1252: look whether the letters in line {line} are right"
            ),
            Self::UnknownColumn(heading) => write!(f, "the column `{heading}` is not known and was left aside"),
            Self::UnusedColumn { heading, preferred } => {
                write!(f, "the column `{heading}` was left aside: `{preferred}` says the same")
            }
            Self::PointsRow { line } => write!(f, "line {line} holds a gradebook's points, no learner: left aside"),
        }
    }
}
