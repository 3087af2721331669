//! Many documents at once: what a folder, an archive or a table of links means, and the table of verdicts.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use testamur_core::verify::{Check, CheckKind, Fact, Outcome, Verdict};

use crate::{
    files,
    source::{Archive, LoadError, Source, read_links},
    verify::Verified,
};

/// The columns of the table of verdicts.
const COLUMNS: [&str; 17] = [
    "document",
    "verdict",
    "reason",
    "issuer",
    "issuer_name",
    "title",
    "account",
    "anchored",
    "status_as_of",
    "integrity",
    "inclusion",
    "anchor",
    "tied",
    "signature",
    "status",
    "validity",
    "sha256",
];

/// The documents that an argument means: the files of a folder and its subfolders, a zip archive's members (told by its content), the links of
/// a `.csv`, `.tsv` or `.txt` table, or the file itself.
pub fn sources(path: &Path) -> Result<Vec<Source>, LoadError> {
    if path.is_dir() {
        return Ok(files_below(path)?.into_iter().map(Source::File).collect());
    }
    if is_zip(path)? {
        let archive = Arc::new(Archive::open(path)?);
        return Ok(archive.documents().map(|index| Source::Member(archive.clone(), index)).collect());
    }
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    if matches!(ending.as_deref(), Some("csv" | "tsv" | "txt")) {
        return Ok(read_links(path)?.into_iter().map(Source::Link).collect());
    }
    Ok(vec![Source::File(path.to_owned())])
}

/// All files in a folder and its subfolders, by name: what an archive of it would hold.
fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = files::expand(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        // The type of a link is not that of a folder: one that leads back up is not followed.
        if entry.file_type()?.is_dir() && !is_hidden {
            found.extend(files_below(&entry.path())?);
        }
    }
    found.sort();
    Ok(found)
}

fn is_zip(path: &Path) -> io::Result<bool> {
    let mut magic = [0; 4];
    let (file, _) = files::open(path)?;
    let count = io::Read::read(&mut io::Read::take(file, 4), &mut magic)?;
    Ok(matches!(&magic[..count], b"PK\x03\x04" | b"PK\x05\x06"))
}

/// The table of verdicts: one row for each document, whatever became of it.
pub struct Table<W: Write> {
    csv: csv::Writer<W>,
}

impl<W: Write> Table<W> {
    /// Begins a table with its heading.
    pub fn new(out: W) -> csv::Result<Self> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(COLUMNS)?;
        Ok(Self { csv })
    }

    /// Adds a row.
    pub fn add(&mut self, verified: &Verified) -> csv::Result<()> {
        let mut row: Vec<String> = vec![verified.source.to_string()];
        match &verified.report {
            Ok(report) => {
                let outcome = |kind| report.outcome(kind).map_or("", Outcome::name).to_owned();
                let fact = |kind| match report.outcome(kind) {
                    Some(Outcome::Pass(fact)) => Some(fact),
                    _ => None,
                };
                row.push(report.verdict().to_string());
                row.push(report.decisive().map(reason).unwrap_or_default());
                row.extend(self::named(verified));
                row.push(verified.receipt.as_ref().map(|receipt| receipt.issuer.to_string()).unwrap_or_default());
                row.push(match fact(CheckKind::Anchor) {
                    Some(Fact::Anchored { time, .. }) => time.to_string(),
                    _ => String::new(),
                });
                row.push(match fact(CheckKind::Status) {
                    Some(Fact::Good { time, .. } | Fact::ListsClear { as_of: time, .. }) => time.to_string(),
                    _ => String::new(),
                });
                row.extend(CheckKind::ALL.map(outcome));
            }
            Err(error) => {
                row.push(Verdict::Unverifiable.to_string());
                row.push(error.to_string());
                row.resize(COLUMNS.len() - 1, String::new());
            }
        }
        row.push(verified.hash.map(|hash| hash.to_string()).unwrap_or_default());
        self.csv.write_record(row.iter().map(|cell| inert(cell)))
    }

    /// Writes what is left.
    pub fn finish(mut self) -> io::Result<()> {
        self.csv.flush()
    }
}

fn reason(check: &Check) -> String {
    format!("{}: {}", check.kind, check.outcome)
}

fn named(verified: &Verified) -> [String; 3] {
    [&verified.issuer, &verified.issuer_name, &verified.title].map(|text| text.clone().unwrap_or_default())
}

/// A cell that no spreadsheet takes for a formula, and that stays on its line.
fn inert(cell: &str) -> String {
    let flat: String = cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if flat.starts_with(['=', '+', '-', '@']) { format!("'{flat}") } else { flat }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_document_says_stays_text_in_a_spreadsheet() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)"] {
            assert!(inert(formula).starts_with('\''), "{formula}");
        }
        assert_eq!(inert("two\nlines\t"), "two lines ");
        assert_eq!(inert("did:web:example.edu"), "did:web:example.edu");
    }

    #[test]
    fn an_argument_means_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        write("a.json", b"{}");
        write("links.csv", b"url\nhttps://a.example/1\nhttps://a.example/2\n");
        write("empty.zip", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        fs::create_dir_all(folder.path().join("class/deeper")).unwrap();
        fs::create_dir(folder.path().join(".hidden")).unwrap();
        write("class/deeper/b.json", b"{}");
        write(".hidden/c.json", b"{}");
        std::os::unix::fs::symlink(folder.path(), folder.path().join("class/up")).unwrap();
        let count = |name: &str| sources(&folder.path().join(name)).map(|sources| sources.len());
        assert_eq!(count("").unwrap(), 4);
        assert_eq!(count("a.json").unwrap(), 1);
        assert_eq!(count("links.csv").unwrap(), 2);
        assert_eq!(count("empty.zip").unwrap(), 0);
        assert!(count("absent").is_err());
    }
}
