//! What everybody with the link sees, while the page is published.

use rusqlite::{Connection, OptionalExtension as _};
use testamur_credentials::sealed::SealedId;

use super::{CREDENTIAL, Lines, ShareError, ShareStore, absent};

/// A preview as everybody gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// What it says.
    pub lines: Lines,
    /// The same as a picture.
    pub png: Vec<u8>,
}

impl ShareStore {
    /// The sealed credential or portfolio.
    pub fn sealed(&self, id: &SealedId) -> Result<Vec<u8>, ShareError> {
        check_published(&self.connection, id)?;
        sealed(&self.connection, id)
    }

    /// Somebody opened it.
    pub fn view(&mut self, id: &SealedId) -> Result<(), ShareError> {
        check_published(&self.connection, id)?;
        self.connection.execute("UPDATE pages SET views = views + 1 WHERE id = ?", [id.as_bytes()])?;
        Ok(())
    }

    /// What social sites may show of it.
    pub fn preview(&self, id: &SealedId) -> Result<Preview, ShareError> {
        check_published(&self.connection, id)?;
        let lines = lines(&self.connection, id)?.ok_or(ShareError::NoPart("preview"))?;
        let png = "SELECT png FROM previews WHERE page = ?";
        Ok(Preview { lines, png: self.connection.query_row(png, [id.as_bytes()], |row| row.get(0))? })
    }
}

fn check_published(connection: &Connection, id: &SealedId) -> Result<(), ShareError> {
    let mut select = connection.prepare_cached("SELECT published FROM pages WHERE id = ?")?;
    match select.query_row([id.as_bytes()], |row| row.get(0)).optional()? {
        Some(true) => Ok(()),
        Some(false) => Err(ShareError::NotPublished),
        None => Err(absent(connection, id)),
    }
}

pub(super) fn sealed(connection: &Connection, id: &SealedId) -> Result<Vec<u8>, ShareError> {
    let mut select =
        connection.prepare_cached("SELECT sealed FROM parts JOIN pages ON id = page WHERE page = ? AND part = kind")?;
    let sealed = select.query_row([id.as_bytes()], |row| row.get(0)).optional()?;
    sealed.ok_or(ShareError::NoPart(CREDENTIAL))
}

/// Lines that cannot be read are none: nothing is shown that the learner might not have meant.
pub(super) fn lines(connection: &Connection, id: &SealedId) -> Result<Option<Lines>, ShareError> {
    let mut select = connection.prepare_cached("SELECT lines FROM previews WHERE page = ?")?;
    let text: Option<String> = select.query_row([id.as_bytes()], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}
