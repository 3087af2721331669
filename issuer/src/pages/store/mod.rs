//! `share.sqlite`: the pages. Whoever has it can count pages and views, and read nothing.
//!
//! Reading order: `schema.sql` (what a table holds) → `claim` (an invitation becomes a learner's page) → `owned` (what its
//! owner does) → `public` (what everybody sees) → `offers` (wallets).

mod claim;
mod offers;
mod owned;
mod public;

use std::path::Path;

use rusqlite::{
    Connection, OptionalExtension as _, ToSql, params,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use serde::{Deserialize, Serialize};
use testamur_core::UnixSeconds;
use testamur_credentials::sealed::SealedId;

use super::secret::Hashed;
use crate::{sqlite, store::StoreError};

pub use claim::Claimed;
pub use owned::{NewPage, Page, Quota};
pub use public::Preview;

/// What social sites may show of a page: only what its learner put here.
pub use crate::certificate::Lines;

/// Each brings the file from the version before (its place from 0) to the next one.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];
/// The part that everybody with the link may read while the page is published. A portfolio's is called `portfolio`.
pub const CREDENTIAL: &str = "credential";
/// The part with the certificate, for the learner alone.
pub const CERTIFICATE: &str = "certificate";

/// The store of the pages.
pub struct ShareStore {
    connection: Connection,
}

/// A part of a page: its name, and what is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// [`CREDENTIAL`] or [`CERTIFICATE`].
    pub name: &'static str,
    /// As `testamur_credentials::sealed` has it.
    pub sealed: Vec<u8>,
}

/// A page that somebody is to claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    /// The page.
    pub id: SealedId,
    /// Of the one-time token in the invitation.
    pub token: Hashed,
    /// Until when it can be claimed.
    pub expires: UnixSeconds,
    /// What is on it.
    pub parts: Vec<Part>,
}

/// What is on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A credential.
    Credential,
    /// A learner's selection of credentials.
    Portfolio,
}

/// Why a page is not there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// Its learner deleted it.
    Deleted,
    /// Nobody claimed it in time.
    Expired,
    /// The issuer sent another invitation.
    Replaced,
}

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShareError {
    /// There never was such a page here.
    #[error("there is no such page")]
    Unknown,
    /// The page is not there any more.
    #[error("the page is gone")]
    Gone(Gone),
    /// The page was not claimed in time.
    #[error("the invitation expired")]
    Expired,
    /// The invitation's token is another one.
    #[error("the token is wrong")]
    WrongToken,
    /// Somebody else claimed the page.
    #[error("the page was claimed before")]
    Claimed,
    /// The page is another owner's, or nobody's yet.
    #[error("the owner is another one")]
    WrongOwner,
    /// The learner shows it to nobody.
    #[error("the page is not published")]
    NotPublished,
    /// The page has no such part, or no preview.
    #[error("the page has no {0}")]
    NoPart(&'static str),
    /// There is a page of this id, or was one.
    #[error("the id is in use")]
    IdUsed,
    /// The claimed page has as many further pages as it may have.
    #[error("there are {0} pages already")]
    TooMany(u64),
    /// The further pages of the claimed page would be larger than they may be, together.
    #[error("more than {0} bytes")]
    TooLarge(u64),
    /// No such code, or it was used, or its time is over; likewise for access tokens.
    #[error("the code or token is not good")]
    NoOffer,
    /// The store itself.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for ShareError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl ShareStore {
    /// Opens the store in this file, or makes it; one of an older version is brought up to date.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { connection: sqlite::open(path, &MIGRATIONS)? })
    }

    /// Deletes what nobody claimed in time, and the offers that are over; takes what was deleted out of the file's log.
    pub fn tidy(&mut self, now: UnixSeconds) -> Result<(), StoreError> {
        let tidying = self.connection.transaction()?;
        let now = now.0 as i64;
        tidying.execute(
            "INSERT OR IGNORE INTO gone (id, why) SELECT id, 'expired' FROM pages WHERE owner IS NULL AND expires <= ?",
            [now],
        )?;
        tidying.execute("DELETE FROM pages WHERE owner IS NULL AND expires <= ?", [now])?;
        tidying.execute("DELETE FROM offers WHERE expires <= ?", [now])?;
        tidying.commit()?;
        self.wipe()
    }

    /// What was deleted is in no file afterwards. While another program reads the store, only the next [`Self::tidy`]
    /// can do it.
    fn wipe(&self) -> Result<(), StoreError> {
        if !sqlite::wipe(&self.connection)? {
            tracing::debug!("share.sqlite is being read: what was deleted leaves its log a little later");
        }
        Ok(())
    }
}

/// Why there is no such page.
fn absent(connection: &Connection, id: &SealedId) -> ShareError {
    let gone = connection
        .prepare_cached("SELECT why FROM gone WHERE id = ?")
        .and_then(|mut select| select.query_row([id.as_bytes()], |row| row.get(0)).optional());
    match gone {
        Ok(Some(why)) => ShareError::Gone(why),
        Ok(None) => ShareError::Unknown,
        Err(error) => error.into(),
    }
}

/// A page goes, and its id with it.
fn remove(connection: &Connection, id: &SealedId, why: Gone) -> Result<(), rusqlite::Error> {
    connection.execute("INSERT INTO gone (id, why) VALUES (?, ?)", params![id.as_bytes(), why])?;
    connection.execute("DELETE FROM pages WHERE id = ?", [id.as_bytes()])?;
    Ok(())
}

/// Whether an id is in use, or ever was.
fn is_used(connection: &Connection, id: &SealedId) -> Result<bool, rusqlite::Error> {
    let select = "SELECT EXISTS (SELECT 1 FROM pages WHERE id = ?1) OR EXISTS (SELECT 1 FROM gone WHERE id = ?1)";
    connection.query_row(select, [id.as_bytes()], |row| row.get(0))
}

fn keep_part(connection: &Connection, id: &SealedId, part: &Part) -> Result<(), rusqlite::Error> {
    let mut insert = connection.prepare_cached("INSERT INTO parts (page, part, sealed) VALUES (?, ?, ?)")?;
    insert.execute(params![id.as_bytes(), part.name, part.sealed])?;
    Ok(())
}

impl Kind {
    /// Its name; so is the part called that has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Credential => CREDENTIAL,
            Self::Portfolio => "portfolio",
        }
    }
}

impl ToSql for Kind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

impl FromSql for Kind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        [Self::Credential, Self::Portfolio]
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for Gone {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Deleted => "deleted",
            Self::Expired => "expired",
            Self::Replaced => "replaced",
        }
        .into())
    }
}

impl FromSql for Gone {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "deleted" => Ok(Self::Deleted),
            "expired" => Ok(Self::Expired),
            "replaced" => Ok(Self::Replaced),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

impl ToSql for Hashed {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_slice().into())
    }
}

impl FromSql for Hashed {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(Self)
    }
}
