//! Who is signed in. A session is known by 32 random bytes in a cookie; their SHA-256 stands here.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{TryRngCore as _, rngs::OsRng};
use rusqlite::{OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};
use testamur_core::UnixSeconds;

use super::{Books, BooksError, number, seconds};
use crate::studio::role::Role;

/// That a session was used is noted at most so often, in seconds.
const NOTED_EVERY: u64 = 60;

/// How long sessions last, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Without a request.
    pub idle: u64,
    /// In all.
    pub all: u64,
}

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they came with a password of ours.
    pub password: bool,
}

impl Books {
    /// Begins a session and returns what its cookie holds, which is kept nowhere.
    pub fn begin_session(&self, user: &str, now: UnixSeconds) -> Result<String, BooksError> {
        let mut random = [0; 32];
        OsRng.try_fill_bytes(&mut random).expect("the system gives random bytes");
        let token = BASE64_URL_SAFE_NO_PAD.encode(random);
        let insert = "INSERT INTO sessions (token, user, began, used) VALUES (?, ?, ?, ?)";
        self.lock().execute(insert, params![hash(&token), user, number(now), number(now)])?;
        Ok(token)
    }

    /// Whose session this is, if it has not ended.
    pub fn session(&self, token: &str, lifetime: Lifetime, now: UnixSeconds) -> Result<Option<Session>, BooksError> {
        let books = self.lock();
        let mut select = books.prepare_cached(
            "SELECT u.name, u.role, u.password IS NOT NULL, s.began, s.used FROM sessions s JOIN users u ON u.name = s.user
             WHERE s.token = ?",
        )?;
        let token = hash(token);
        let found = select.query_row([token], |row| {
            let session = Session { name: row.get(0)?, role: row.get(1)?, password: row.get(2)? };
            Ok((session, seconds(row, 3)?, seconds(row, 4)?))
        });
        let Some((session, began, used)) = found.optional()? else { return Ok(None) };
        if now.0 >= began.0.saturating_add(lifetime.all) || now.0 >= used.0.saturating_add(lifetime.idle) {
            books.execute("DELETE FROM sessions WHERE token = ?", [token])?;
            return Ok(None);
        }
        if now.0 >= used.0.saturating_add(NOTED_EVERY) {
            books.execute("UPDATE sessions SET used = ? WHERE token = ?", params![number(now), token])?;
        }
        Ok(Some(session))
    }

    /// Ends a session.
    pub fn end_session(&self, token: &str) -> Result<(), BooksError> {
        self.lock().execute("DELETE FROM sessions WHERE token = ?", [hash(token)])?;
        Ok(())
    }

    /// Forgets sessions that nobody came back to.
    pub fn tidy_sessions(&self, lifetime: Lifetime, now: UnixSeconds) -> Result<(), BooksError> {
        let before = |seconds: u64| number(UnixSeconds(now.0.saturating_sub(seconds)));
        let delete = "DELETE FROM sessions WHERE began <= ? OR used <= ?";
        self.lock().execute(delete, params![before(lifetime.all), before(lifetime.idle)])?;
        Ok(())
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
