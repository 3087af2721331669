//! Who did what, when, on what, and what came of it. Entries are added, and none is changed or removed: triggers in the
//! file see to it, and no route leads there.

use rusqlite::{Row, params};
use serde::Serialize;
use testamur_core::UnixSeconds;

use super::{Books, BooksError, number, seconds};

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// Signing in.
    SignIn,
    /// Signing out.
    SignOut,
    /// Writing a template.
    SaveTemplate,
    /// Removing one.
    RemoveTemplate,
    /// Handing in a roster.
    UploadRoster,
    /// Asking for a run.
    AskRun,
    /// What came of a run.
    Run,
    /// Revoking.
    Revoke,
    /// Replacing a credential by a corrected one.
    Reissue,
    /// Inviting learners to claim.
    Invite,
    /// Adding a user.
    AddUser,
    /// Changing a user's role or password.
    ChangeUser,
    /// Removing a user.
    RemoveUser,
    /// A write that the role does not allow, or that came from another site.
    Refused,
}

impl What {
    /// Its name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::SignOut => "sign-out",
            Self::SaveTemplate => "template.save",
            Self::RemoveTemplate => "template.remove",
            Self::UploadRoster => "roster.upload",
            Self::AskRun => "run.ask",
            Self::Run => "run",
            Self::Revoke => "credential.revoke",
            Self::Reissue => "credential.reissue",
            Self::Invite => "credential.invite",
            Self::AddUser => "user.add",
            Self::ChangeUser => "user.change",
            Self::RemoveUser => "user.remove",
            Self::Refused => "refused",
        }
    }
}

/// Something that somebody does.
#[derive(Clone, Debug)]
pub struct Deed {
    /// Who.
    pub who: String,
    /// What.
    pub what: What,
    /// On what: a template's name, a run's number, credentials' ids.
    pub on: String,
}

/// The number of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryId(i64);

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Entry {
    /// Its number. Later entries have higher ones.
    pub id: i64,
    /// When.
    #[serde(serialize_with = "super::as_text")]
    #[schema(value_type = String)]
    pub at: UnixSeconds,
    /// Who: a user's name, or `command line`.
    pub who: String,
    /// What was done: `credential.revoke`, `template.save` and so on.
    pub what: String,
    /// On what.
    pub on: String,
    /// What came of it: `done`, or why not. `null`: not known, because the program ended first, or it goes on.
    pub outcome: Option<String>,
}

impl Books {
    /// Notes that something is about to be done.
    pub fn note(&self, deed: &Deed, now: UnixSeconds) -> Result<EntryId, BooksError> {
        let books = self.lock();
        let insert = "INSERT INTO audit (at, who, what, subject) VALUES (?, ?, ?, ?)";
        books.execute(insert, params![number(now), deed.who, deed.what.name(), deed.on])?;
        Ok(EntryId(books.last_insert_rowid()))
    }

    /// Notes what came of it, once.
    pub fn note_outcome(&self, EntryId(id): EntryId, outcome: &str) -> Result<(), BooksError> {
        self.lock().execute("UPDATE audit SET outcome = ? WHERE id = ?", params![outcome, id])?;
        Ok(())
    }

    /// Notes something that is over already.
    pub fn note_done(&self, deed: &Deed, outcome: &str, now: UnixSeconds) -> Result<(), BooksError> {
        let insert = "INSERT INTO audit (at, who, what, subject, outcome) VALUES (?, ?, ?, ?, ?)";
        let values = params![number(now), deed.who, deed.what.name(), deed.on, outcome];
        self.lock().execute(insert, values)?;
        Ok(())
    }

    /// Entries, the newest first: those before a number, about something.
    pub fn entries(&self, before: Option<i64>, about: Option<&str>, most: usize) -> Result<Vec<Entry>, BooksError> {
        let books = self.lock();
        let mut select = books.prepare_cached(
            "SELECT id, at, who, what, subject, outcome FROM audit
             WHERE (?1 IS NULL OR id < ?1) AND (?2 IS NULL OR instr(subject, ?2) > 0) ORDER BY id DESC LIMIT ?3",
        )?;
        let entries = select.query_map(params![before, about, most as i64], read)?.collect::<Result<_, _>>()?;
        Ok(entries)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        id: row.get(0)?,
        at: seconds(row, 1)?,
        who: row.get(2)?,
        what: row.get(3)?,
        on: row.get(4)?,
        outcome: row.get(5)?,
    })
}
