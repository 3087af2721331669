//! Which credentials are meant: files with their receipts, status indices, digests, or a list of those.

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
};

use testamur_core::{Digest, Document, Error, Receipt, StatusIndex, json::MAX_BYTES};

use super::Unfit;
use crate::{content::Content, content::ReadError, files, pending, verify};

/// The longest list that is read: some millions of digests.
const LONGEST_LIST: usize = 256 << 20;
/// Heads of columns that hold indices, and of those that hold digests.
const INDEX_COLUMNS: [&str; 4] = ["index", "statusindex", "status_index", "status index"];
const DIGEST_COLUMN: &str = "digest";

/// What people write for one credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The place of its status bits.
    Index(StatusIndex),
    /// What the registry saw of it.
    Digest(Digest),
    /// The file.
    File(PathBuf),
}

impl Entry {
    /// A number is an index and 64 hex digits are a digest; `None` for any other text.
    pub fn from_text(text: &str) -> Option<Self> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() < 2 * size_of::<Digest>() {
            return StatusIndex::new(text.parse().ok()?).ok().map(Self::Index);
        }
        text.parse().ok().map(Self::Digest)
    }

    /// The same where the text may name a file as well: `./7` is one in any case.
    pub fn from_argument(argument: &Path) -> Self {
        argument.to_str().and_then(Self::from_text).unwrap_or_else(|| Self::File(argument.to_owned()))
    }
}

/// A credential whose status is to change.
#[derive(Clone, Debug)]
pub struct Target {
    /// How it was named: a file, a number, or a line of a list.
    pub name: String,
    /// What the node knows it by, where a file or a digest says so.
    pub digest: Option<Digest>,
    /// The place of its status bits, where that is known.
    pub index: Option<StatusIndex>,
    /// What a file's index rests on.
    pub receipt: Option<Box<Receipt>>,
}

impl Target {
    /// Reads what an entry means. A receipt must prove its file; that its root is anchored is not looked at here.
    pub fn read(name: String, entry: Entry) -> Result<Self, Unfit> {
        let plain = |digest, index| Self { name: name.clone(), digest, index, receipt: None };
        match entry {
            Entry::Index(index) => Ok(plain(None, Some(index))),
            Entry::Digest(digest) => Ok(plain(Some(digest), None)),
            Entry::File(path) => match verify::read(&path)? {
                Ok(document) => Ok(Self::of_document(name, document)?),
                Err(Error::NoAnchor) => Ok(plain(Some(digest_under_way(&path)?.ok_or(Error::NoAnchor)?), None)),
                Err(error) => Err(error.into()),
            },
        }
    }

    fn of_document(name: String, document: Document) -> Result<Self, Error> {
        let digest = document.digest().ok_or(Error::NoAnchor)?;
        let receipt = document.into_anchor()?.receipt;
        receipt.check_inclusion(digest)?;
        Ok(Self { name, digest: Some(digest), index: Some(receipt.status_index), receipt: Some(Box::new(receipt)) })
    }
}

/// The digest of a file that was handed to a node and has no receipt yet; `None` where it was not.
fn digest_under_way(path: &Path) -> Result<Option<Digest>, Unfit> {
    let Some(config) = pending::resume(&files::pending_path(path))? else { return Ok(None) };
    let content = Content::read(path).map_err(|error| match error {
        ReadError::Io(error) => Unfit::Io(error),
        ReadError::Document(error) => Unfit::Document(error),
    })?;
    Ok(Some(content.digest(&config)))
}

/// Each credential once, in the order in which it was named first.
pub fn distinct(targets: &mut Vec<Target>) {
    let mut known = HashSet::new();
    targets.retain(|target| known.insert((target.digest, target.index)));
}

/// A line of a list: its number from 1, and what it says.
pub type Line = (u64, Result<Entry, Unfit>);

/// Reads a list: a table (comma, semicolon or tab) whose column is headed `index`, `statusIndex` or `digest`, or the
/// first column where nothing is; plain lines are a table of one column. Empty lines, and those after `#`, say nothing.
pub fn read_list(path: &Path) -> io::Result<Vec<Line>> {
    let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
    let bytes = files::read_up_to(path, LONGEST_LIST.max(MAX_BYTES))?.map_err(|error| invalid(error.to_string()))?;
    parse_list(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)).map_err(|error| invalid(error.to_string()))
}

fn parse_list(bytes: &[u8]) -> Result<Vec<Line>, csv::Error> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .delimiter(delimiter(bytes))
        .from_reader(bytes);
    let (mut lines, mut column, mut place) = (Vec::new(), None, Place { bytes, line: 1 });
    for record in reader.byte_records() {
        let record = record?;
        let start = record.position().map_or(0, csv::Position::byte) as usize;
        let number = place.line_of(bytes.get(start..).unwrap_or_default());
        let cell = |column: usize| record.get(column).and_then(|cell| std::str::from_utf8(cell).ok());
        if column.is_none() {
            column = headed(&record);
            if column.is_some() {
                continue;
            }
        }
        let text = cell(*column.get_or_insert(0)).unwrap_or_default();
        lines.push((number, Entry::from_text(text).ok_or(Unfit::Text)));
    }
    Ok(lines)
}

/// A place in a list, by what is left of it. The reader's own line numbers leave out what it passes over.
struct Place<'a> {
    bytes: &'a [u8],
    line: u64,
}

impl<'a> Place<'a> {
    /// The line of the record that `rest` begins with, after empty lines and remarks.
    fn line_of(&mut self, mut rest: &'a [u8]) -> u64 {
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let line = rest[..end].trim_ascii();
            if !line.is_empty() && line[0] != b'#' {
                break;
            }
            rest = &rest[end + 1..];
        }
        let passed = &self.bytes[..self.bytes.len() - rest.len()];
        self.line += passed.iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.bytes = rest;
        self.line
    }
}

/// What stands between the cells: whichever the first line has, most telling first.
fn delimiter(bytes: &[u8]) -> u8 {
    let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    *b"\t;,".iter().find(|delimiter| first.contains(delimiter)).unwrap_or(&b',')
}

/// The column that a table's head names. An index says more than a digest: any node takes it.
fn headed(head: &csv::ByteRecord) -> Option<usize> {
    let names: Vec<_> = head.iter().map(|cell| String::from_utf8_lossy(cell).to_lowercase()).collect();
    let place = |wanted: &dyn Fn(&str) -> bool| names.iter().position(|name| wanted(name));
    place(&|name| INDEX_COLUMNS.contains(&name)).or_else(|| place(&|name| name == DIGEST_COLUMN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(number: u64) -> Entry {
        Entry::Index(StatusIndex::new(number).unwrap())
    }

    fn list(text: &str) -> Vec<(u64, Option<Entry>)> {
        let lines = parse_list(text.as_bytes()).unwrap();
        lines.into_iter().map(|(number, entry)| (number, entry.ok())).collect()
    }

    #[test]
    fn a_text_is_an_index_a_digest_or_a_file() {
        assert_eq!(Entry::from_text("42"), Some(index(42)));
        assert_eq!(Entry::from_text(&"1".repeat(64)), Some(Entry::Digest(Digest([0x11; 32]))));
        for wrong in ["", "-1", "1099511627776", "0x12", "4 2", "a.json"] {
            assert_eq!(Entry::from_text(wrong), None, "{wrong}");
        }
        assert_eq!(Entry::from_argument(Path::new("./42")), Entry::File("./42".into()));
    }

    #[test]
    fn lists_are_read_as_people_write_them() {
        assert_eq!(list("7\n# a remark\n\n8\r\n"), [(1, Some(index(7))), (4, Some(index(8)))]);
        let digest = "ab".repeat(32);
        let table = format!("name,digest\n\"Doe, Jane\",{digest}\nAda,lost\n");
        assert_eq!(list(&table), [(2, Some(Entry::Digest(Digest([0xab; 32])))), (3, None)]);
        assert_eq!(list("digest;statusIndex\nx; 9 \ny\n"), [(2, Some(index(9))), (3, None)]);
        assert_eq!(list("7\tAda\nx\tBob\n"), [(1, Some(index(7))), (2, None)]);
        assert_eq!(list(""), []);
    }

    #[test]
    fn a_credential_named_twice_is_one() {
        let target = |name: &str, number| Target::read(name.to_owned(), index(number)).unwrap();
        let mut targets = vec![target("a", 1), target("b", 2), target("c", 1)];
        distinct(&mut targets);
        assert_eq!(targets.iter().map(|target| target.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }
}
