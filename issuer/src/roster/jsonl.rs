//! A roster as JSON lines: one object per line, whose keys are what headings are in a table.

use std::io;

use serde_json::{Map, Value};
use testamur_core::json;

use super::{
    Original, RosterOptions, Row,
    award::Award,
    columns::Columns,
    encoding::Encoding,
    fault::{Fault, Note, RosterFault, RowFault},
    given::{self, Defaults, Given},
    lines::{LONGEST_ROW, Line, Lines},
};

/// Of the keys that nobody knows, so many are told.
const MOST_NOTES: usize = 100;

/// Objects, line by line.
pub(super) struct JsonLines {
    lines: Lines,
    encoding: Encoding,
    options: RosterOptions,
    /// What the keys of the row before meant: rows are mostly alike.
    columns: Columns,
}

impl JsonLines {
    pub fn new(lines: Lines, encoding: Encoding, options: &RosterOptions) -> Self {
        Self { lines, encoding, options: options.clone(), columns: Columns::default() }
    }

    /// The next row.
    pub fn read(&mut self, notes: &mut Vec<Note>) -> io::Result<Option<Row>> {
        while let Some(line) = self.lines.read()? {
            let number = line.number;
            if !line.ends {
                self.skip(line)?;
                let fault = Fault::TooLong { limit: LONGEST_ROW };
                return Ok(Some(Row { line: number, original: Original::Lost, award: Err(fault.into()) }));
            }
            if line.text().trim_ascii().is_empty() {
                continue;
            }
            return Ok(Some(self.row(&line, notes)));
        }
        Ok(None)
    }

    /// To the end of a line that is too long.
    fn skip(&mut self, mut line: Line) -> io::Result<()> {
        while !line.ends {
            match self.lines.read()? {
                Some(next) => line = next,
                None => break,
            }
        }
        Ok(())
    }

    fn row(&mut self, line: &Line, notes: &mut Vec<Note>) -> Row {
        let decoded = self.encoding.decode(line.text());
        let text = decoded.clone().unwrap_or_else(|| super::encoding::lossy(line.text()));
        let award = match decoded {
            None => Err(Fault::Encoding(self.encoding).into()),
            Some(text) => self.award(&text, notes),
        };
        Row { line: line.number, original: Original::Json(text), award }
    }

    fn award(&mut self, text: &str, notes: &mut Vec<Note>) -> Result<Award, RowFault> {
        let Value::Object(object) = json::parse(text.as_bytes()).map_err(|_| Fault::Json)? else {
            return Err(Fault::NotAnObject.into());
        };
        self.recognise(&object, notes)?;
        let columns = self.columns.fields.iter().zip(object);
        let given = columns.filter_map(|(field, (key, value))| Some((field.as_ref()?, key, value))).collect::<Vec<_>>();
        let given = given.iter().map(|(field, column, value)| Given { field, column, value: value.clone() });
        let defaults = Defaults { dates: self.options.dates, period: &self.options.period };
        given::award(given.collect(), defaults)
    }

    /// Learns what the keys mean.
    fn recognise(&mut self, object: &Map<String, Value>, notes: &mut Vec<Note>) -> Result<(), Fault> {
        if object.keys().eq(&self.columns.headings) {
            return Ok(());
        }
        let keys: Vec<_> = object.keys().cloned().collect();
        let is_here = |heading: &String| keys.contains(heading);
        let map: Vec<_> = self.options.map.iter().filter(|(_, heading)| is_here(heading)).cloned().collect();
        let (columns, found) = Columns::new(keys, &map).map_err(|fault| match fault {
            RosterFault::DoubleColumn { heading } => Fault::DoubleKey { key: heading },
            _ => Fault::NoLearner,
        })?;
        self.columns = columns;
        for note in found {
            if notes.len() < MOST_NOTES && !notes.contains(&note) {
                notes.push(note);
            }
        }
        Ok(())
    }
}
