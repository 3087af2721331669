//! Links to credentials in a table: what a spreadsheet of applications holds.

use std::{fmt, io, path::Path};

use testamur_credentials::link::PREFIX;

use crate::files;

/// Longest table that is read, in bytes.
const LONGEST: usize = 256 << 20;
/// Longest link, in bytes: as long as browsers take.
const LONGEST_LINK: usize = 4 << 20;
/// What a column of links is called.
const NAMES: [&str; 5] = ["link", "url", "credential", "credential url", "certurl"];

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its line in the table, from 1; `None` for a link that stands alone.
    pub line: Option<u64>,
    /// The link, or why the row has none that can be used.
    pub target: Result<String, String>,
}

impl Link {
    pub(super) fn alone(url: &str) -> Self {
        Self { line: None, target: target(Some(url.as_bytes())) }
    }

    fn on(line: u64, target: Result<String, String>) -> Self {
        Self { line: Some(line), target }
    }
}

impl fmt::Display for Link {
    /// The line, and the link without its fragment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.target.as_ref().map_or("a link", |target| target.split('#').next().unwrap_or_default());
        match self.line {
            Some(line) => write!(f, "line {line}: {url}"),
            None => f.write_str(url),
        }
    }
}

/// Whether a link carries a credential in its fragment.
pub(super) fn carries_credential(link: &str) -> bool {
    link.split_once('#').is_some_and(|(_, fragment)| fragment.starts_with(PREFIX))
}

/// Reads a table (comma, semicolon or tab; UTF-8, with or without BOM) whose column is headed `link`, `url` or
/// `credential`; where none is, the column in which the first link stands. A row that cannot be used keeps its place with
/// the reason.
pub fn read_links(path: &Path) -> io::Result<Vec<Link>> {
    let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
    let bytes = files::read_up_to(path, LONGEST)?.map_err(|error| invalid(error.to_string()))?;
    Ok(parse(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)))
}

fn parse(bytes: &[u8]) -> Vec<Link> {
    let first_line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let delimiter = [b';', b'\t'].into_iter().find(|delimiter| first_line.contains(delimiter)).unwrap_or(b',');
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
    let mut column = None;
    let mut links = Vec::new();
    let mut record = csv::ByteRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_byte_record(&mut record) {
            Ok(false) => return links,
            Ok(true) => {}
            Err(error) => {
                links.push(Link::on(line, Err(format!("this row cannot be read: {error}"))));
                return links;
            }
        }
        let line = record.position().map_or(line, csv::Position::line);
        if column.is_none() {
            column = record.iter().position(is_heading);
            if column.is_some() {
                continue;
            }
            column = record.iter().position(is_link);
        }
        let place = column.unwrap_or(0);
        links.push(Link::on(line, target(record.get(place))));
    }
}

fn is_heading(cell: &[u8]) -> bool {
    NAMES.iter().any(|name| cell.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
}

fn is_link(cell: &[u8]) -> bool {
    target(Some(cell)).is_ok()
}

fn target(cell: Option<&[u8]>) -> Result<String, String> {
    let cell = cell.ok_or("this row has no such column")?.trim_ascii();
    let text = std::str::from_utf8(cell).map_err(|_| "this row is not UTF-8")?;
    match text {
        "" => Err("this row has no link".to_owned()),
        _ if text.len() > LONGEST_LINK => Err(format!("the link has more than {LONGEST_LINK} bytes")),
        _ if carries_credential(text) || text.starts_with("https://") => Ok(text.to_owned()),
        _ => Err("this is no https link".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(table: &[u8]) -> Vec<(u64, Option<String>)> {
        parse(table).into_iter().map(|link| (link.line.unwrap(), link.target.ok())).collect()
    }

    #[test]
    fn the_column_is_found_by_its_heading_or_by_its_links() {
        let a = Some("https://a.example/1".to_owned());
        assert_eq!(targets(b"name;Link\nAda;https://a.example/1\n"), [(2, a.clone())]);
        assert_eq!(targets(b"https://a.example/1,Ada\r\n"), [(1, a.clone())]);
        assert_eq!(targets(b"name,url\nAda\nEve,\n,https://a.example/1\n"), [(2, None), (3, None), (4, a.clone())]);
        assert_eq!(targets(b"url\n\"https://a.example/1\"\n"), [(2, a.clone())]);
        // A heading that nobody foresaw is a row without a link.
        assert_eq!(targets(b"name,badge\nAda,https://a.example/1\nEve,\n"), [(1, None), (2, a), (3, None)]);
        assert_eq!(targets(b""), []);
    }

    #[test]
    fn a_row_that_cannot_be_used_keeps_its_place() {
        let rows = targets(b"url\nhttp://a.example\njavascript:alert(1)\n\xff\xfe\nhttps://b.example/x\n");
        assert_eq!(rows, [(2, None), (3, None), (4, None), (5, Some("https://b.example/x".to_owned()))]);
    }

    #[test]
    fn a_credential_in_the_fragment_is_not_printed() {
        let link = Link { line: Some(7), target: Ok(format!("https://a.example/verify#{PREFIX}secret")) };
        assert_eq!(link.to_string(), "line 7: https://a.example/verify");
    }
}
