//! Rosters that were handed in.

use rusqlite::{OptionalExtension as _, params};
use testamur_core::UnixSeconds;

use super::{Books, BooksError, number};

impl Books {
    /// A roster of so many rows is in its file.
    pub fn add_roster(&self, id: &str, rows: u64, now: UnixSeconds) -> Result<(), BooksError> {
        let insert = "INSERT INTO rosters (id, rows, added) VALUES (?, ?, ?)";
        self.lock().execute(insert, params![id, rows as i64, number(now)])?;
        Ok(())
    }

    /// How many rows a roster has, if it is there.
    pub fn roster(&self, id: &str) -> Result<Option<u64>, BooksError> {
        let select = "SELECT rows FROM rosters WHERE id = ?";
        let rows: Option<i64> = self.lock().query_row(select, [id], |row| row.get(0)).optional()?;
        Ok(rows.map(|rows| rows as u64))
    }

    /// It was read with other headings in mind.
    pub fn set_roster_rows(&self, id: &str, rows: u64) -> Result<(), BooksError> {
        self.lock().execute("UPDATE rosters SET rows = ? WHERE id = ?", params![rows as i64, id])?;
        Ok(())
    }

    /// Forgets a roster.
    pub fn remove_roster(&self, id: &str) -> Result<(), BooksError> {
        self.lock().execute("DELETE FROM rosters WHERE id = ?", [id])?;
        Ok(())
    }

    /// Rosters that no run needs: those whose run has ended, and those that came before a moment and got none.
    pub fn stale_rosters(&self, before: UnixSeconds) -> Result<Vec<String>, BooksError> {
        let books = self.lock();
        let mut select = books.prepare_cached(
            "SELECT id FROM rosters WHERE id NOT IN (SELECT roster FROM runs WHERE state IN ('queued', 'running', 'held'))
             AND (added < ? OR id IN (SELECT roster FROM runs))",
        )?;
        let ids = select.query_map([number(before)], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(ids)
    }
}
