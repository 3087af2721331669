//! Runs that were asked for: one is worked on at a time, in their order.

use rusqlite::{
    OptionalExtension as _, Row, ToSql, params,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use serde::Serialize;
use testamur_core::UnixSeconds;

use super::{Books, BooksError, maybe_seconds, number, seconds};
use crate::store::RunId;

const COLUMNS: &str = "id, who, template, text, roster, options, state, rows, drafted, submitted, anchored, written,
    summary, error, asked, began, ended";

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Others go before it.
    Queued,
    /// It is worked on.
    Running,
    /// The node keeps it waiting: `error` says why. It goes on by itself.
    Held,
    /// It came to its end.
    Done,
    /// It cannot go on: `error` says why.
    Failed,
}

impl RunState {
    const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Held, Self::Done, Self::Failed];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Held => "held",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing follows.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

impl ToSql for RunState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

impl FromSql for RunState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        Self::ALL.into_iter().find(|state| state.name() == name).ok_or(FromSqlError::InvalidType)
    }
}

/// What a run is asked for with.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who asks.
    pub who: String,
    /// The template's name.
    pub template: String,
    /// The template, as it is now.
    pub text: String,
    /// The roster's id.
    pub roster: String,
    /// How its columns are meant, and the like: JSON.
    pub options: String,
    /// Rows of the roster.
    pub rows: u64,
}

/// Credentials of a run, by how far they have come: each counts for the steps before as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Counts {
    /// Signed and stored.
    pub drafted: u64,
    /// With the node.
    pub submitted: u64,
    /// Their receipts are here.
    pub anchored: u64,
    /// Their files are on disk.
    pub written: u64,
}

/// A run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// What it was asked for with.
    pub asked: Asked,
    /// How it stands.
    pub state: RunState,
    /// How far its credentials had come when that was last written down.
    pub counts: Counts,
    /// What came of it: JSON.
    pub summary: Option<String>,
    /// What keeps it from going on.
    pub error: Option<String>,
    /// When it was asked for.
    pub at: UnixSeconds,
    /// When it was first worked on.
    pub began: Option<UnixSeconds>,
    /// When it came to its end.
    pub ended: Option<UnixSeconds>,
}

/// A row that got no new credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PassedRow {
    /// The line at which it begins.
    pub line: u64,
    /// `fault`, `differs`, `revoked` or `already`.
    pub kind: String,
    /// Why.
    pub why: String,
}

impl Books {
    /// Puts a run at the end of the queue. `None` where another one has the roster already.
    pub fn ask_run(&self, asked: &Asked, now: UnixSeconds) -> Result<Option<i64>, BooksError> {
        let mut books = self.lock();
        let asking = books.transaction()?;
        let taken = "SELECT count(*) FROM runs WHERE roster = ?";
        if asking.query_row(taken, [&asked.roster], |row| row.get::<_, i64>(0))? > 0 {
            return Ok(None);
        }
        let Asked { who, template, text, roster, options, rows } = asked;
        asking.execute(
            "INSERT INTO runs (who, template, text, roster, options, state, rows, asked) VALUES (?, ?, ?, ?, ?, 'queued', ?, ?)",
            params![who, template, text, roster, options, *rows as i64, number(now)],
        )?;
        let id = asking.last_insert_rowid();
        asking.commit()?;
        Ok(Some(id))
    }

    /// The run to be worked on: the first one that has not come to its end.
    pub fn next_run(&self) -> Result<Option<Run>, BooksError> {
        let books = self.lock();
        let mut select = books.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM runs WHERE state IN ('queued', 'running', 'held') ORDER BY id LIMIT 1"
        ))?;
        Ok(select.query_row([], read).optional()?)
    }

    /// One of them.
    pub fn run(&self, id: i64) -> Result<Option<Run>, BooksError> {
        let books = self.lock();
        let mut select = books.prepare_cached(&format!("SELECT {COLUMNS} FROM runs WHERE id = ?"))?;
        Ok(select.query_row([id], read).optional()?)
    }

    /// The newest ones.
    pub fn runs(&self, most: usize) -> Result<Vec<Run>, BooksError> {
        let books = self.lock();
        let mut select = books.prepare_cached(&format!("SELECT {COLUMNS} FROM runs ORDER BY id DESC LIMIT ?"))?;
        let runs = select.query_map([most as i64], read)?.collect::<Result<_, _>>()?;
        Ok(runs)
    }

    /// It is worked on now.
    pub fn begin_run(&self, id: i64, now: UnixSeconds) -> Result<(), BooksError> {
        let update = "UPDATE runs SET state = 'running', error = NULL, began = coalesce(began, ?) WHERE id = ?";
        self.lock().execute(update, params![number(now), id])?;
        Ok(())
    }

    /// It is worked on as this run of the issuer's store.
    pub fn note_turn(&self, id: i64, turn: RunId) -> Result<(), BooksError> {
        self.lock().execute("INSERT OR IGNORE INTO turns (run, turn) VALUES (?, ?)", params![id, turn.0])?;
        Ok(())
    }

    /// The runs of the issuer's store that it was worked on as, the first one first.
    pub fn turns(&self, id: i64) -> Result<Vec<RunId>, BooksError> {
        let books = self.lock();
        let mut select = books.prepare_cached("SELECT turn FROM turns WHERE run = ? ORDER BY turn")?;
        let turns = select.query_map([id], |row| row.get(0).map(RunId))?.collect::<Result<_, _>>()?;
        Ok(turns)
    }

    /// It waits, or goes on.
    pub fn set_run_error(&self, id: i64, error: Option<&str>) -> Result<(), BooksError> {
        let state = if error.is_some() { RunState::Held } else { RunState::Running };
        self.lock().execute("UPDATE runs SET state = ?, error = ? WHERE id = ?", params![state, error, id])?;
        Ok(())
    }

    /// How far its credentials have come.
    pub fn note_counts(&self, id: i64, counts: Counts) -> Result<(), BooksError> {
        let Counts { drafted, submitted, anchored, written } = counts;
        let [drafted, submitted, anchored, written] = [drafted, submitted, anchored, written].map(|count| count as i64);
        let update = "UPDATE runs SET drafted = ?, submitted = ?, anchored = ?, written = ? WHERE id = ?";
        self.lock().execute(update, params![drafted, submitted, anchored, written, id])?;
        Ok(())
    }

    /// It came to its end.
    pub fn end_run(
        &self,
        id: i64,
        counts: Counts,
        outcome: Result<&str, &str>,
        now: UnixSeconds,
    ) -> Result<(), BooksError> {
        let (state, summary, error) = match outcome {
            Ok(summary) => (RunState::Done, Some(summary), None),
            Err(error) => (RunState::Failed, None, Some(error)),
        };
        let Counts { drafted, submitted, anchored, written } = counts;
        let [drafted, submitted, anchored, written] = [drafted, submitted, anchored, written].map(|count| count as i64);
        self.lock().execute(
            "UPDATE runs SET state = ?, summary = ?, error = ?, drafted = ?, submitted = ?, anchored = ?, written = ?,
             ended = ? WHERE id = ?",
            params![state, summary, error, drafted, submitted, anchored, written, number(now), id],
        )?;
        Ok(())
    }

    /// Notes rows that got no new credential.
    pub fn note_passed(&self, run: i64, rows: &[PassedRow]) -> Result<(), BooksError> {
        let mut books = self.lock();
        let noting = books.transaction()?;
        {
            let mut insert =
                noting.prepare_cached("INSERT OR REPLACE INTO passed (run, line, kind, why) VALUES (?, ?, ?, ?)")?;
            for PassedRow { line, kind, why } in rows {
                insert.execute(params![run, *line as i64, kind, why])?;
            }
        }
        Ok(noting.commit()?)
    }

    /// Rows that got no new credential, the first ones.
    pub fn passed(&self, run: i64, most: usize) -> Result<Vec<PassedRow>, BooksError> {
        let books = self.lock();
        let mut select =
            books.prepare_cached("SELECT line, kind, why FROM passed WHERE run = ? ORDER BY line LIMIT ?")?;
        let read =
            |row: &Row<'_>| Ok(PassedRow { line: row.get::<_, i64>(0)? as u64, kind: row.get(1)?, why: row.get(2)? });
        let rows = select.query_map(params![run, most as i64], read)?.collect::<Result<_, _>>()?;
        Ok(rows)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Run> {
    let count = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)? as u64);
    Ok(Run {
        id: row.get(0)?,
        asked: Asked {
            who: row.get(1)?,
            template: row.get(2)?,
            text: row.get(3)?,
            roster: row.get(4)?,
            options: row.get(5)?,
            rows: count(7)?,
        },
        state: row.get(6)?,
        counts: Counts { drafted: count(8)?, submitted: count(9)?, anchored: count(10)?, written: count(11)? },
        summary: row.get(12)?,
        error: row.get(13)?,
        at: seconds(row, 14)?,
        began: maybe_seconds(row, 15)?,
        ended: maybe_seconds(row, 16)?,
    })
}
