//! What became of some runs: for those who watch them, and for taking them up again.

use std::collections::{BTreeMap, HashSet};

use super::{RunId, State, Store, StoreError};

impl Store {
    /// How many credentials of these runs have come how far.
    pub fn tally(&self, runs: &[RunId]) -> Result<BTreeMap<State, u64>, StoreError> {
        let mut select =
            self.connection.prepare_cached("SELECT state, count(*) FROM credentials WHERE run = ? GROUP BY state")?;
        let mut tally = BTreeMap::new();
        for run in runs {
            let mut rows = select.query([run.0])?;
            while let Some(row) = rows.next()? {
                *tally.entry(row.get(0)?).or_default() += row.get::<_, i64>(1)? as u64;
            }
        }
        Ok(tally)
    }

    /// The ids of the credentials of these runs.
    pub fn ids_of(&self, runs: &[RunId]) -> Result<HashSet<String>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT uri FROM credentials WHERE run = ?")?;
        let mut ids = HashSet::new();
        for run in runs {
            let mut rows = select.query([run.0])?;
            while let Some(row) = rows.next()? {
                ids.insert(row.get(0)?);
            }
        }
        Ok(ids)
    }
}
