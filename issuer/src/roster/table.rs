//! The rows of a table, and how a broken quotation mark costs one row and not the file.
//!
//! A mark that is missing or too many makes a reader run on, to the next mark or to the end of the file. Where that shows,
//! the row is given up at its first line, and reading goes on at the next line that is a row of the right width by itself.
//! A row that is only too long is read to its end instead, and nothing inside its cells is taken for a row: a learner may
//! have written them.

use std::{collections::VecDeque, io};

use super::{
    fault::Fault,
    lines::{LONGEST_ROW, Line, Lines},
    split::{Fed, Splitter, alone},
};

/// Longest cell, in bytes.
pub(super) const LONGEST_CELL: usize = 64 << 10;
/// How often a reader goes back in the file: each time costs reading up to there.
const RETURNS: u32 = 16;
/// How many bytes are read a second time at most, after broken marks: a file made to be read again and again ends there.
const READ_AGAIN: usize = 64 << 20;

/// A row as it stands in the file.
#[derive(Debug)]
pub(super) struct Record {
    /// Where it begins.
    pub line: u64,
    /// Its cells, or what it has instead.
    pub cells: Result<Vec<Vec<u8>>, Broken>,
}

/// A row that has no cells.
#[derive(Debug)]
pub(super) struct Broken {
    pub fault: Fault,
    /// What its first line holds; empty where that is too long.
    pub first_line: Vec<u8>,
}

/// Reads row after row.
pub(super) struct Records {
    lines: Lines,
    separator: u8,
    /// How many headings there are.
    width: Option<usize>,
    returns: u32,
    read_again: usize,
}

/// How the reading of a row ended.
enum End {
    /// With a row.
    Whole,
    /// With a row that is longer than any may be.
    TooLong,
    /// With a broken quotation mark.
    Broken(Stop),
}

/// Where a broken quotation mark showed.
struct Stop {
    /// In this line.
    at: u64,
    /// At the end of the file.
    is_end_of_file: bool,
    /// So far behind the row's first line that the lines between were not kept.
    is_far: bool,
}

impl Records {
    pub fn new(lines: Lines, separator: u8) -> Self {
        Self { lines, separator, width: None, returns: RETURNS, read_again: READ_AGAIN }
    }

    /// Says how many cells a row has.
    pub fn set_width(&mut self, width: usize) {
        self.width = Some(width);
    }

    /// The next row that is not blank; `None` at the end.
    pub fn read(&mut self) -> io::Result<Option<Record>> {
        while let Some(first) = self.lines.read()? {
            let is_blank = |&byte: &u8| byte == b' ' || byte == self.separator;
            if !(first.ends && first.text().iter().all(is_blank)) {
                return self.row(first).map(Some);
            }
        }
        Ok(None)
    }

    /// The row that begins with this line.
    fn row(&mut self, first: Line) -> io::Result<Record> {
        let line = first.number;
        let mut kept = VecDeque::from([first]);
        let mut splitter = Splitter::new(self.separator);
        let cells = match self.feed(&mut splitter, &mut kept)? {
            End::Whole => short(splitter.into_cells()),
            End::TooLong => Err(too_long()),
            End::Broken(stop) => {
                let first_line = kept.pop_front().map(|first| first.text().to_vec()).unwrap_or_default();
                Err(Broken { fault: self.recover(line, kept, &stop)?, first_line })
            }
        };
        Ok(Record { line, cells })
    }

    /// Feeds lines until the row is whole. `kept` begins with its first line, and gathers the others that are near.
    fn feed(&mut self, splitter: &mut Splitter, kept: &mut VecDeque<Line>) -> io::Result<End> {
        let first = &kept[0];
        let (mut at, mut length, mut is_far) = (first.number, first.bytes.len(), false);
        let mut fed = splitter.feed(first.text(), first.ends);
        while fed == Fed::Open {
            let Some(line) = self.lines.read()? else { break };
            at = line.number;
            length = length.saturating_add(line.bytes.len());
            if length > LONGEST_ROW {
                is_far = true;
                splitter.forget();
            }
            fed = splitter.feed(line.text(), line.ends);
            if !is_far {
                kept.push_back(line);
            }
        }
        Ok(match fed {
            Fed::Whole if is_far => End::TooLong,
            Fed::Whole => End::Whole,
            Fed::Open | Fed::Stray => End::Broken(Stop { at, is_end_of_file: fed == Fed::Open, is_far }),
        })
    }

    /// Finds the line at which reading goes on after a broken mark, and says what was wrong.
    fn recover(&mut self, line: u64, kept: VecDeque<Line>, stop: &Stop) -> io::Result<Fault> {
        let goes_back = if stop.is_far { self.go_back_to(line + 1) } else { self.put_back(kept) };
        self.skip_to_a_row(stop.at)?;
        Ok(match stop {
            Stop { at, .. } if !goes_back && *at > line => Fault::Hidden { to: *at },
            Stop { is_end_of_file: true, .. } => Fault::OpenQuote,
            Stop { .. } => Fault::StrayQuote,
        })
    }

    fn go_back_to(&mut self, line: u64) -> bool {
        let goes = self.returns > 0 && self.lines.go_back_to(line).is_ok();
        if goes {
            self.returns -= 1;
        }
        goes
    }

    fn put_back(&mut self, lines: VecDeque<Line>) -> bool {
        let again = lines.iter().map(|line| line.bytes.len()).sum();
        let Some(left) = self.read_again.checked_sub(again) else { return false };
        self.read_again = left;
        for line in lines.into_iter().rev() {
            self.lines.put_back(line);
        }
        true
    }

    /// Leaves out what belongs to the broken row: lines up to `last` that are no row by themselves.
    fn skip_to_a_row(&mut self, last: u64) -> io::Result<()> {
        while let Some(line) = self.lines.read()? {
            let is_row = || alone(line.text(), self.separator).is_some_and(|cells| Some(cells.len()) == self.width);
            if line.number > last || (line.is_whole() && is_row()) {
                self.lines.put_back(line);
                return Ok(());
            }
        }
        Ok(())
    }
}

fn too_long() -> Broken {
    Broken { fault: Fault::TooLong { limit: LONGEST_CELL }, first_line: Vec::new() }
}

/// Cells of which none is too long.
fn short(cells: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, Broken> {
    if cells.iter().all(|cell| cell.len() <= LONGEST_CELL) { Ok(cells) } else { Err(too_long()) }
}
