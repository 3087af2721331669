//! An invitation becomes a learner's page.

use rusqlite::{Connection, OptionalExtension as _, params};
use testamur_core::UnixSeconds;
use testamur_credentials::sealed::SealedId;

use super::{Gone, Hashed, Invited, Kind, ShareError, ShareStore, absent, is_used, keep_part, remove};
use crate::store::StoreError;

/// How far an invited page has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Nobody has claimed it, and somebody still can.
    Open,
    /// Its learner has it.
    Claimed,
    /// Its learner deleted it.
    Deleted,
    /// It is not there, or its time is over.
    Over,
}

struct Invitation {
    token: Option<Hashed>,
    owner: Option<Hashed>,
    expires: Option<i64>,
}

impl ShareStore {
    /// Keeps pages for learners to claim; all or none.
    pub fn invite(&mut self, pages: &[Invited], now: UnixSeconds) -> Result<(), ShareError> {
        let inviting = self.connection.transaction()?;
        for page in pages {
            if is_used(&inviting, &page.id)? {
                return Err(ShareError::IdUsed);
            }
            inviting
                .prepare_cached("INSERT INTO pages (id, kind, token, created, expires) VALUES (?, ?, ?, ?, ?)")?
                .execute(params![
                    page.id.as_bytes(),
                    Kind::Credential,
                    page.token,
                    now.0 as i64,
                    page.expires.0 as i64
                ])?;
            page.parts.iter().try_for_each(|part| keep_part(&inviting, &page.id, part))?;
        }
        Ok(inviting.commit()?)
    }

    /// The page becomes the owner's, once for all; the same owner may say it again. Returns the names of its parts.
    pub fn claim(
        &mut self,
        id: &SealedId,
        token: &Hashed,
        owner: &Hashed,
        now: UnixSeconds,
    ) -> Result<Vec<String>, ShareError> {
        let claiming = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let found = invitation(&claiming, id)?.ok_or_else(|| absent(&claiming, id))?;
        if !found.token.is_some_and(|known| known.is(token)) {
            return Err(ShareError::WrongToken);
        }
        match found.owner {
            Some(known) if known.is(owner) => {}
            Some(_) => return Err(ShareError::Claimed),
            None if found.expires.is_some_and(|expires| expires <= now.0 as i64) => return Err(ShareError::Expired),
            None => {
                let own = "UPDATE pages SET owner = ?, claimed = ? WHERE id = ?";
                claiming.execute(own, params![owner, now.0 as i64, id.as_bytes()])?;
            }
        }
        let parts = parts(&claiming, id)?;
        claiming.commit()?;
        Ok(parts)
    }

    /// How far an invited page has come.
    pub fn claimed(&self, id: &SealedId, now: UnixSeconds) -> Result<Claimed, ShareError> {
        Ok(match invitation(&self.connection, id)? {
            Some(Invitation { owner: Some(_), .. }) => Claimed::Claimed,
            Some(Invitation { expires: Some(expires), .. }) if expires > now.0 as i64 => Claimed::Open,
            Some(_) => Claimed::Over,
            None => match absent(&self.connection, id) {
                ShareError::Gone(Gone::Deleted) => Claimed::Deleted,
                ShareError::Gone(_) | ShareError::Unknown => Claimed::Over,
                error => return Err(error),
            },
        })
    }

    /// Takes an invitation back that nobody has claimed; `false` where it was claimed, or is not there.
    pub fn replace(&mut self, id: &SealedId) -> Result<bool, StoreError> {
        let replacing = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let is_open = matches!(invitation(&replacing, id)?, Some(Invitation { owner: None, .. }));
        if is_open {
            remove(&replacing, id, Gone::Replaced)?;
        }
        replacing.commit()?;
        Ok(is_open)
    }
}

fn invitation(connection: &Connection, id: &SealedId) -> Result<Option<Invitation>, rusqlite::Error> {
    let mut select = connection.prepare_cached("SELECT token, owner, expires FROM pages WHERE id = ?")?;
    let row = |row: &rusqlite::Row<'_>| Ok(Invitation { token: row.get(0)?, owner: row.get(1)?, expires: row.get(2)? });
    select.query_row([id.as_bytes()], row).optional()
}

/// The names of a page's parts.
pub(super) fn parts(connection: &Connection, id: &SealedId) -> Result<Vec<String>, rusqlite::Error> {
    let mut select = connection.prepare_cached("SELECT part FROM parts WHERE page = ? ORDER BY part")?;
    let parts = select.query_map([id.as_bytes()], |row| row.get(0))?;
    parts.collect()
}
