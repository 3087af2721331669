//! What its owner does with a page.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior::Immediate, params};
use serde::Serialize;
use testamur_core::UnixSeconds;
use testamur_credentials::sealed::SealedId;

use super::{
    Gone, Hashed, Kind, Lines, Part, ShareError, ShareStore, absent, claim::parts, is_used, keep_part, public::lines,
    remove,
};

/// A page as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Page {
    /// What is on it.
    #[schema(value_type = String)]
    pub kind: Kind,
    /// Whether everybody with the link may read it.
    pub published: bool,
    /// How often it was opened.
    pub views: u64,
    /// When it was made, in seconds since 1970.
    #[schema(value_type = u64)]
    pub created: UnixSeconds,
    /// The names of its parts.
    pub parts: Vec<String>,
    /// What social sites may show of it.
    #[schema(value_type = Option<Object>)]
    pub preview: Option<Lines>,
}

/// A further page of a learner's.
#[derive(Clone, Debug)]
pub struct NewPage {
    /// The page.
    pub id: SealedId,
    /// Whose it is: the same secret as the claimed page's, or another one.
    pub owner: Hashed,
    /// What is on it.
    pub kind: Kind,
    /// It, sealed.
    pub sealed: Vec<u8>,
}

/// What the further pages of a claimed page may be at most, together.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// How many.
    pub pages: u64,
    /// How large.
    pub bytes: u64,
}

impl ShareStore {
    /// The page, for its owner.
    pub fn page(&self, id: &SealedId, owner: &Hashed) -> Result<Page, ShareError> {
        check_owner(&self.connection, id, owner)?;
        read(&self.connection, id)
    }

    /// A part of the page, for its owner.
    pub fn part(&self, id: &SealedId, owner: &Hashed, part: &str) -> Result<Vec<u8>, ShareError> {
        check_owner(&self.connection, id, owner)?;
        let mut select = self.connection.prepare_cached("SELECT sealed FROM parts WHERE page = ? AND part = ?")?;
        let sealed = select.query_row(params![id.as_bytes(), part], |row| row.get(0)).optional()?;
        sealed.ok_or(ShareError::NoPart("such part"))
    }

    /// Shows it to everybody with the link, or to nobody.
    pub fn publish(&mut self, id: &SealedId, owner: &Hashed, published: bool) -> Result<Page, ShareError> {
        self.change(id, owner, |changing| {
            changing.execute("UPDATE pages SET published = ? WHERE id = ?", params![published, id.as_bytes()])
        })
    }

    /// Other content for a portfolio. Its link stays the same.
    pub fn rewrite(&mut self, id: &SealedId, owner: &Hashed, sealed: &[u8]) -> Result<Page, ShareError> {
        let portfolio = Kind::Portfolio.name();
        self.part(id, owner, portfolio)?;
        let page = self.change(id, owner, |changing| {
            let update = "UPDATE parts SET sealed = ? WHERE page = ? AND part = ?";
            changing.execute(update, params![sealed, id.as_bytes(), portfolio])
        })?;
        self.wipe()?;
        Ok(page)
    }

    /// What social sites may show of it from now on: the lines, and the picture of them.
    pub fn set_preview(
        &mut self,
        id: &SealedId,
        owner: &Hashed,
        lines: &Lines,
        png: &[u8],
    ) -> Result<Page, ShareError> {
        let text = serde_json::to_string(lines).expect("four texts");
        let page = self.change(id, owner, |changing| {
            let set = "INSERT OR REPLACE INTO previews (page, lines, png) VALUES (?, ?, ?)";
            changing.execute(set, params![id.as_bytes(), text, png])
        })?;
        self.wipe()?;
        Ok(page)
    }

    /// Social sites may show nothing of it.
    pub fn drop_preview(&mut self, id: &SealedId, owner: &Hashed) -> Result<Page, ShareError> {
        let page = self
            .change(id, owner, |changing| changing.execute("DELETE FROM previews WHERE page = ?", [id.as_bytes()]))?;
        self.wipe()?;
        Ok(page)
    }

    /// The content goes, and the id is never used again.
    pub fn delete(&mut self, id: &SealedId, owner: &Hashed) -> Result<(), ShareError> {
        let deleting = self.connection.transaction_with_behavior(Immediate)?;
        check_owner(&deleting, id, owner)?;
        remove(&deleting, id, Gone::Deleted)?;
        deleting.commit()?;
        Ok(self.wipe()?)
    }

    /// Keeps a further page of the learner who owns `parent`, which must have been claimed by invitation. The same page
    /// may be sent again: then it is there already.
    pub fn add(
        &mut self,
        parent: &SealedId,
        owner: &Hashed,
        new: &NewPage,
        quota: Quota,
        now: UnixSeconds,
    ) -> Result<Page, ShareError> {
        let adding = self.connection.transaction_with_behavior(Immediate)?;
        check_owner(&adding, parent, owner)?;
        if !is_same(&adding, parent, new)? {
            check_room(&adding, parent, new, quota)?;
            let insert = "INSERT INTO pages (id, kind, parent, owner, created, claimed) VALUES (?, ?, ?, ?, ?, ?)";
            let now = now.0 as i64;
            adding.execute(insert, params![new.id.as_bytes(), new.kind, parent.as_bytes(), new.owner, now, now])?;
            keep_part(&adding, &new.id, &Part { name: new.kind.name(), sealed: new.sealed.clone() })?;
        }
        let page = read(&adding, &new.id)?;
        adding.commit()?;
        Ok(page)
    }

    fn change(
        &mut self,
        id: &SealedId,
        owner: &Hashed,
        change: impl FnOnce(&Connection) -> rusqlite::Result<usize>,
    ) -> Result<Page, ShareError> {
        let changing = self.connection.transaction_with_behavior(Immediate)?;
        check_owner(&changing, id, owner)?;
        change(&changing)?;
        let page = read(&changing, id)?;
        changing.commit()?;
        Ok(page)
    }
}

/// Nobody's page has no owner, so nobody owns it.
pub(super) fn check_owner(connection: &Connection, id: &SealedId, owner: &Hashed) -> Result<(), ShareError> {
    let mut select = connection.prepare_cached("SELECT owner FROM pages WHERE id = ?")?;
    let found: Option<Option<Hashed>> = select.query_row([id.as_bytes()], |row| row.get(0)).optional()?;
    match found {
        None => Err(absent(connection, id)),
        Some(Some(known)) if known.is(owner) => Ok(()),
        Some(_) => Err(ShareError::WrongOwner),
    }
}

fn read(connection: &Connection, id: &SealedId) -> Result<Page, ShareError> {
    let mut select = connection.prepare_cached("SELECT kind, published, views, created FROM pages WHERE id = ?")?;
    let page = select.query_row([id.as_bytes()], |row| {
        Ok(Page {
            kind: row.get(0)?,
            published: row.get(1)?,
            views: row.get::<_, i64>(2)?.unsigned_abs(),
            created: UnixSeconds(row.get::<_, i64>(3)?.unsigned_abs()),
            parts: parts(connection, id)?,
            preview: None,
        })
    })?;
    Ok(Page { preview: lines(connection, id)?, ..page })
}

/// Whether this page is there already, as it is sent. Its id under anything else is in use.
fn is_same(connection: &Connection, parent: &SealedId, new: &NewPage) -> Result<bool, ShareError> {
    if !is_used(connection, &new.id)? {
        return Ok(false);
    }
    let select = "SELECT EXISTS (SELECT 1 FROM pages JOIN parts ON page = id
        WHERE id = ? AND parent = ? AND owner = ? AND kind = ? AND sealed = ?)";
    let sent = params![new.id.as_bytes(), parent.as_bytes(), new.owner, new.kind, new.sealed];
    let is_same = connection.query_row(select, sent, |row| row.get(0))?;
    if is_same { Ok(true) } else { Err(ShareError::IdUsed) }
}

/// Only a claimed page has further ones: what a learner made has none of its own.
fn check_room(connection: &Connection, parent: &SealedId, new: &NewPage, quota: Quota) -> Result<(), ShareError> {
    let made: bool =
        connection
            .query_row("SELECT parent IS NOT NULL FROM pages WHERE id = ?", [parent.as_bytes()], |row| row.get(0))?;
    if made {
        return Err(ShareError::WrongOwner);
    }
    let select = "SELECT count(DISTINCT id), coalesce(sum(length(sealed)), 0) FROM pages JOIN parts ON page = id
        WHERE parent = ?";
    let (pages, bytes): (i64, i64) =
        connection.query_row(select, [parent.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if pages.unsigned_abs() >= quota.pages {
        return Err(ShareError::TooMany(quota.pages));
    }
    if bytes.unsigned_abs() + new.sealed.len() as u64 > quota.bytes {
        return Err(ShareError::TooLarge(quota.bytes));
    }
    Ok(())
}
