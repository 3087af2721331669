//! The rows that failed, as they were, with two columns more: to be mended and read again.
//!
//! A cell that a spreadsheet would run as a formula (`=`, `+`, `-`, `@` in front) is written with an apostrophe before it,
//! which spreadsheets show as text; a number or a phone number stays. Reading takes that apostrophe off again.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde_json::{Map, Value};
use testamur_core::json;

use super::{Original, Roster, Row, Shape, columns::OURS};

/// Reads a roster once more, and writes those of its rows that failed: the faults by their lines.
pub fn rewrite<W: Write>(roster: Roster, faults: &BTreeMap<u64, String>, out: W) -> io::Result<W> {
    let mut failed = Failed::new(out, &roster.shape())?;
    for Row { line, original, .. } in roster {
        if let Some(fault) = faults.get(&line) {
            failed.write(line, &original, fault)?;
        }
    }
    failed.finish()
}

/// Writes `failed.csv`, or for a roster of JSON lines `failed.jsonl`.
pub struct Failed<W: Write> {
    out: Out<W>,
}

enum Out<W: Write> {
    Table {
        writer: Box<csv::Writer<W>>,
        /// Which columns are the roster's own, and not those of an earlier `failed.csv`.
        own: Vec<bool>,
    },
    JsonLines(W),
}

impl<W: Write> Failed<W> {
    /// Begins a file of the same shape as the roster: UTF-8 with a byte order mark, so that spreadsheets know it.
    pub fn new(mut out: W, shape: &Shape) -> io::Result<Self> {
        let Shape::Table { headings, separator } = shape else { return Ok(Self { out: Out::JsonLines(out) }) };
        out.write_all(b"\xef\xbb\xbf")?;
        let terminator = csv::Terminator::CRLF;
        let mut writer = csv::WriterBuilder::new().delimiter(*separator).terminator(terminator).from_writer(out);
        let own: Vec<_> = headings.iter().map(|heading| !is_ours(heading)).collect();
        let kept = headings.iter().zip(&own).filter(|(_, own)| **own).map(|(heading, _)| disarmed(heading));
        writer.write_record(kept.chain(OURS.map(str::to_owned)))?;
        Ok(Self { out: Out::Table { writer: Box::new(writer), own } })
    }

    /// Adds a row, with the line at which it began and what was wrong.
    pub fn write(&mut self, line: u64, original: &Original, fault: &str) -> io::Result<()> {
        match &mut self.out {
            Out::Table { writer, own } => {
                let empty = vec![String::new(); own.len()];
                let cells = if let Original::Cells(cells) = original { cells } else { &empty };
                let kept = cells.iter().zip(own).filter(|(_, own)| **own).map(|(cell, _)| disarmed(cell));
                writer.write_record(kept.chain([line.to_string(), disarmed(fault)]))?;
                Ok(())
            }
            Out::JsonLines(out) => {
                let mut object = object(original);
                object.insert(OURS[0].to_owned(), line.into());
                object.insert(OURS[1].to_owned(), fault.into());
                writeln!(out, "{}", Value::Object(object))
            }
        }
    }

    /// Ends the file and hands the writer back.
    pub fn finish(self) -> io::Result<W> {
        match self.out {
            Out::Table { writer, .. } => writer.into_inner().map_err(csv::IntoInnerError::into_error),
            Out::JsonLines(mut out) => out.flush().map(|()| out),
        }
    }
}

fn is_ours(heading: &str) -> bool {
    OURS.iter().any(|ours| heading.eq_ignore_ascii_case(ours))
}

/// The object that a line was; where it was none, one that holds its text.
fn object(original: &Original) -> Map<String, Value> {
    let Original::Json(text) = original else { return Map::new() };
    match json::parse(text.as_bytes()) {
        Ok(Value::Object(object)) => object,
        _ => Map::from_iter([("row".to_owned(), Value::String(text.clone()))]),
    }
}

/// A cell as it may be opened in a spreadsheet.
pub fn disarmed(cell: &str) -> String {
    if is_armed(cell) { format!("'{cell}") } else { cell.to_owned() }
}

/// The cell that [`disarmed`] was given.
pub(super) fn armed(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_armed(rest)).unwrap_or(cell)
}

/// Whether a spreadsheet would run it, or [`armed`] take something off it.
fn is_armed(cell: &str) -> bool {
    let inner = cell.trim_start_matches('\'');
    match inner.chars().next() {
        Some('=' | '@' | '\t' | '\r' | '\n') => true,
        Some('+' | '-') => inner.len() < cell.len() || !is_number(&inner[1..]),
        _ => false,
    }
}

/// What follows a sign in numbers, dates and phone numbers: nothing that names a function or a cell.
fn is_number(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '.' | ',' | '(' | ')' | '-' | '/' | '\u{a0}'))
}
