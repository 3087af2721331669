//! One row of comma-separated values, byte by byte (RFC 4180, and what spreadsheets make of it).
//!
//! A quotation mark opens a quoted cell at its beginning (blanks before it are forgiven); anywhere else it is a letter. A
//! closing one must be followed by a separator or the end of the row (blanks between are forgiven): whatever else follows
//! shows that a mark is missing or too many, and no reader can tell which.

/// How far a row is after a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fed {
    /// It ended with this line.
    Whole,
    /// It goes on: in a quoted cell, or because only a piece of the line was fed.
    Open,
    /// Text follows a closing quotation mark.
    Stray,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Nothing but blanks yet.
    Start,
    /// In a cell without quotation marks.
    Bare,
    /// In a quoted cell.
    Quoted,
    /// Behind a mark in a quoted cell: its end, or the first of two that mean one.
    Mark,
    /// Behind the closing mark.
    Closed,
}

/// Splits one row into cells.
pub(super) struct Splitter {
    separator: u8,
    at: At,
    cell: Vec<u8>,
    cells: Vec<Vec<u8>>,
    /// Whether cells are kept: not those of a row that is too long already.
    keeps: bool,
}

impl Splitter {
    pub fn new(separator: u8) -> Self {
        Self { separator, at: At::Start, cell: Vec::new(), cells: Vec::new(), keeps: true }
    }

    /// From here on nothing is kept, and only the end of the row is looked for.
    pub fn forget(&mut self) {
        (self.keeps, self.cell, self.cells) = (false, Vec::new(), Vec::new());
    }

    /// The cells of a row that is whole.
    pub fn into_cells(self) -> Vec<Vec<u8>> {
        self.cells
    }

    /// Takes one line without its line break, or a piece of it.
    pub fn feed(&mut self, line: &[u8], ends: bool) -> Fed {
        for &byte in line {
            if !self.take(byte) {
                return Fed::Stray;
            }
        }
        match self.at {
            _ if !ends => return Fed::Open,
            At::Quoted => {
                self.push(b'\n');
                return Fed::Open;
            }
            _ => self.end_cell(),
        }
        Fed::Whole
    }

    /// Takes a byte; false where none may stand.
    fn take(&mut self, byte: u8) -> bool {
        let is_separator = byte == self.separator;
        match (self.at, byte) {
            (At::Quoted, b'"') => self.at = At::Mark,
            (At::Quoted, _) => self.push(byte),
            (At::Mark, b'"') => {
                self.push(byte);
                self.at = At::Quoted;
            }
            _ if is_separator => self.end_cell(),
            (At::Start, b'"') => {
                self.cell.clear();
                self.at = At::Quoted;
            }
            (At::Start, b' ') => self.push(byte),
            (At::Start | At::Bare, _) => {
                self.push(byte);
                self.at = At::Bare;
            }
            (At::Mark | At::Closed, b' ') => self.at = At::Closed,
            (At::Mark | At::Closed, _) => return false,
        }
        true
    }

    fn push(&mut self, byte: u8) {
        if self.keeps {
            self.cell.push(byte);
        }
    }

    fn end_cell(&mut self) {
        self.at = At::Start;
        let cell = std::mem::take(&mut self.cell);
        if self.keeps {
            self.cells.push(cell);
        }
    }
}

/// The cells of a line that is a whole row by itself.
pub(super) fn alone(line: &[u8], separator: u8) -> Option<Vec<Vec<u8>>> {
    let mut splitter = Splitter::new(separator);
    (splitter.feed(line, true) == Fed::Whole).then(|| splitter.into_cells())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(line: &str) -> Option<Vec<String>> {
        let text = |cell| String::from_utf8(cell).unwrap();
        Some(alone(line.as_bytes(), b',')?.into_iter().map(text).collect())
    }

    #[test]
    fn cells_end_where_spreadsheets_end_them() {
        for (line, wanted) in [
            ("", &[""][..]),
            ("a,b", &["a", "b"]),
            ("a,", &["a", ""]),
            (r#""a,b","c""d","#, &["a,b", "c\"d", ""]),
            (r#""a" , "b" "#, &["a", "b"]),
            (r#"5" disk, O"Neil"#, &["5\" disk", " O\"Neil"]),
            (r#""""#, &[""]),
            (r#""""""#, &["\""]),
        ] {
            assert_eq!(cells(line).unwrap(), wanted, "{line}");
        }
        for broken in [r#""a"b"#, r#""a,b"#, r#""a" b,c"#, r#"x,""""#] {
            assert_eq!(cells(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_quoted_cell_goes_on_in_the_next_line() {
        let mut splitter = Splitter::new(b';');
        let fed = ["a;\"b", "", "c;\";d"].map(|line| splitter.feed(line.as_bytes(), true));
        assert_eq!(fed, [Fed::Open, Fed::Open, Fed::Whole]);
        assert_eq!(splitter.into_cells(), [&b"a"[..], b"b\n\nc;", b"d"]);
    }
}
