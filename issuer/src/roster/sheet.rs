//! A roster as a table: its headings, and its rows as awards.

use std::io;

use serde_json::Value;

use super::{
    Original, RosterOptions, Row,
    columns::{Columns, Field, known},
    encoding::{Encoding, lossy},
    failed::armed,
    fault::{CellFault, Fault, Note, RosterFault, RowFault},
    given::{self, Defaults, Given},
    lines::{Line, Lines},
    split::alone,
    table::{Broken, Record, Records},
};

/// What may stand between cells.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// A table whose headings are read.
pub(super) struct Sheet {
    records: Records,
    pub separator: u8,
    pub columns: Columns,
    encoding: Encoding,
}

impl Sheet {
    /// Reads the headings.
    pub fn open(
        mut lines: Lines,
        encoding: Encoding,
        options: &RosterOptions,
    ) -> Result<(Self, Vec<Note>), RosterFault> {
        let first = first_line(&mut lines)?;
        let separator = match (options.separator, said_separator(&first)) {
            (said, Some(written)) => said.unwrap_or(written),
            (Some(said), None) => {
                lines.put_back(first);
                said
            }
            (None, None) => {
                let found = likely_separator(&first, encoding);
                lines.put_back(first);
                found
            }
        };
        let mut records = Records::new(lines, separator);
        let Record { line, cells } = records.read()?.ok_or(RosterFault::Empty)?;
        let cells = cells.map_err(|broken| RosterFault::Headings { line, fault: broken.fault })?;
        let fault = || RosterFault::Headings { line, fault: Fault::Encoding(encoding) };
        let headings: Vec<_> = cells
            .iter()
            .map(|cell| encoding.decode(cell).map(|text| trimmed(&text)))
            .collect::<Option<_>>()
            .ok_or_else(fault)?;
        records.set_width(headings.len());
        let (columns, notes) = Columns::new(headings, &options.map)?;
        Ok((Self { records, separator, columns, encoding }, notes))
    }

    /// The next row that is not blank.
    pub fn read(&mut self, defaults: Defaults<'_>, notes: &mut Vec<Note>) -> io::Result<Option<Row>> {
        while let Some(Record { line, cells }) = self.records.read()? {
            let row = match cells {
                Err(Broken { fault, first_line }) => {
                    let original = self.roughly(&first_line);
                    Row { line, original, award: Err(fault.into()) }
                }
                Ok(cells) if cells.iter().all(|cell| cell.trim_ascii().is_empty()) => continue,
                Ok(cells) => self.row(line, cells, defaults),
            };
            if self.is_points_row(&row) {
                notes.push(Note::PointsRow { line });
                continue;
            }
            return Ok(Some(row));
        }
        Ok(None)
    }

    fn row(&self, line: u64, mut cells: Vec<Vec<u8>>, defaults: Defaults<'_>) -> Row {
        let wanted = self.columns.headings.len();
        while cells.len() > wanted && cells.last().is_some_and(|cell| cell.trim_ascii().is_empty()) {
            cells.pop();
        }
        let found = cells.len();
        let award =
            if found == wanted { self.award(&cells, defaults) } else { Err(Fault::Width { found, wanted }.into()) };
        let cells =
            cells.iter().map(|cell| armed(&self.encoding.decode(cell).unwrap_or_else(|| lossy(cell))).to_owned());
        Row { line, original: self.fitted(cells.collect()), award }
    }

    fn award(&self, cells: &[Vec<u8>], defaults: Defaults<'_>) -> Result<super::Award, RowFault> {
        let mut faults = Vec::new();
        let mut given = Vec::new();
        for ((column, field), cell) in self.columns.headings.iter().zip(&self.columns.fields).zip(cells) {
            match (self.encoding.decode(cell), field) {
                (Some(text), Some(field)) => {
                    given.push(Given { field, column, value: Value::String(armed(&text).to_owned()) });
                }
                (Some(_), None) => {}
                (None, _) => {
                    faults.push(CellFault { column: Some(column.clone()), fault: Fault::Encoding(self.encoding) });
                }
            }
        }
        if faults.is_empty() { given::award(given, defaults) } else { Err(RowFault { faults }) }
    }

    /// A row that is none: what its first line holds, for somebody to mend.
    fn roughly(&self, first_line: &[u8]) -> Original {
        if first_line.is_empty() {
            return Original::Lost;
        }
        self.fitted(first_line.split(|byte| *byte == self.separator).map(lossy).collect())
    }

    /// As many cells as there are headings; where there are more, all in the first.
    fn fitted(&self, mut cells: Vec<String>) -> Original {
        let wanted = self.columns.headings.len();
        if cells.len() > wanted {
            cells = vec![cells.join(&char::from(self.separator).to_string())];
        }
        cells.resize(wanted, String::new());
        Original::Cells(cells)
    }

    /// Below its headings, a Canvas gradebook has a row of the points that can be had.
    fn is_points_row(&self, row: &Row) -> bool {
        let Original::Cells(cells) = &row.original else { return false };
        let named = |fields: &[Field]| {
            let is_one = |field: &Option<Field>| field.as_ref().is_some_and(|field| fields.contains(field));
            self.columns
                .fields
                .iter()
                .zip(cells)
                .filter(move |(field, _)| is_one(field))
                .map(|(_, cell)| cell.trim())
                .collect()
        };
        let names: Vec<_> = named(&[Field::SortedName, Field::Name]);
        let ids: Vec<_> = named(&[Field::Id, Field::Email, Field::Did]);
        names.iter().any(|name| name.starts_with("Points Possible")) && ids.iter().all(|id| id.is_empty())
    }
}

/// The first line that is not blank.
fn first_line(lines: &mut Lines) -> Result<Line, RosterFault> {
    while let Some(line) = lines.read()? {
        if !line.text().trim_ascii().is_empty() {
            return Ok(line);
        }
    }
    Err(RosterFault::Empty)
}

/// What `sep=;` says, which some spreadsheets write above the headings.
fn said_separator(line: &Line) -> Option<u8> {
    match line.text() {
        [s, e, p, b'=', separator] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => Some(*separator),
        _ => None,
    }
}

/// The separator that makes the most known headings of a line, or else the most cells.
fn likely_separator(line: &Line, encoding: Encoding) -> u8 {
    let score = |separator: &u8| {
        // A heading may go on in the next line, or have a broken mark: then its first line still tells.
        let roughly = || line.text().split(|byte| byte == separator).map(<[u8]>::to_vec).collect();
        let cells: Vec<_> = alone(line.text(), *separator).unwrap_or_else(roughly);
        let headings: Vec<_> = cells.iter().filter_map(|cell| encoding.decode(cell)).collect();
        let marks = line.text().iter().filter(|byte| *byte == separator).count();
        (known(&headings), cells.len(), marks)
    };
    // Of equals the last one wins: the comma, by the order here.
    SEPARATORS.into_iter().rev().max_by_key(score).unwrap_or(b',')
}

fn trimmed(heading: &str) -> String {
    heading.split_whitespace().collect::<Vec<_>>().join(" ")
}
