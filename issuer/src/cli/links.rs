//! A file of claim links, for whoever tells learners otherwise than by mail.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use testamur_issuer::{invite::ClaimLink, roster::failed::disarmed};

const HEADINGS: [&str; 6] = ["learner", "name", "email", "credential", "until", "link"];

/// The file: CSV for spreadsheets, for its owner alone.
pub struct Links {
    file: File,
}

impl Links {
    /// A new file.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let mut links = Self { file };
        links.file.write_all(b"\xef\xbb\xbf")?;
        links.rows([HEADINGS.map(str::to_owned)])?;
        Ok(links)
    }

    /// Adds rows. They are on disk when it returns.
    pub fn write(&mut self, links: &[ClaimLink]) -> io::Result<()> {
        self.rows(links.iter().map(|ClaimLink { listed, link, expires }| {
            let text = |text: &Option<String>| disarmed(text.as_deref().unwrap_or_default());
            let learner = disarmed(&listed.learner);
            [learner, text(&listed.name), text(&listed.email), listed.id.clone(), expires.to_string(), link.to_string()]
        }))
    }

    fn rows(&mut self, rows: impl IntoIterator<Item = [String; 6]>) -> io::Result<()> {
        let terminator = csv::Terminator::CRLF;
        let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
        for row in rows {
            writer.write_record(row)?;
        }
        self.file.write_all(&writer.into_inner().map_err(csv::IntoInnerError::into_error)?)?;
        self.file.sync_all()
    }
}
