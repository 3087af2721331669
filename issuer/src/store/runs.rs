//! Runs, and the rows of their rosters that got no credential.

use std::{collections::BTreeMap, path::Path};

use rusqlite::params;
use testamur::node::Place;
use testamur_core::UnixSeconds;

use super::{RunId, Store, StoreError};

impl Store {
    /// A new run: credentials of this template, anchored at this place, go to this folder.
    pub fn begin_run(
        &mut self,
        template: &str,
        folder: &Path,
        place: &Place,
        now: UnixSeconds,
    ) -> Result<RunId, StoreError> {
        let Place { issuer, chain, registry } = place;
        let folder = folder.to_str().ok_or_else(|| StoreError::Name { path: folder.to_owned() })?;
        self.connection.execute(
            "INSERT INTO runs (template, folder, account, registry, chain, began) VALUES (?, ?, ?, ?, ?, ?)",
            params![template, folder, issuer.0, registry.0, chain.0 as i64, now.0 as i64],
        )?;
        Ok(RunId(self.connection.last_insert_rowid()))
    }

    /// Notes rows that got no credential: their lines, and why.
    pub fn note_faults(&mut self, run: RunId, faults: &[(u64, String)]) -> Result<(), StoreError> {
        let noting = self.connection.transaction()?;
        let mut insert = noting.prepare_cached("INSERT OR REPLACE INTO faults (run, line, fault) VALUES (?, ?, ?)")?;
        for (line, fault) in faults {
            insert.execute(params![run.0, *line as i64, fault])?;
        }
        drop(insert);
        Ok(noting.commit()?)
    }

    /// Rows that got no credential: why, by their lines.
    pub fn faults(&self, run: RunId) -> Result<BTreeMap<u64, String>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT line, fault FROM faults WHERE run = ?")?;
        let faults = select.query_map([run.0], |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?)))?;
        Ok(faults.collect::<Result<_, _>>()?)
    }

    /// A run came to its end.
    pub fn end_run(&mut self, run: RunId, now: UnixSeconds) -> Result<(), StoreError> {
        self.connection.execute("UPDATE runs SET ended = ? WHERE id = ?", params![now.0 as i64, run.0])?;
        Ok(())
    }
}
