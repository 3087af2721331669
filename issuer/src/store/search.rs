//! Looking for credentials.

use rusqlite::{Row, named_params};
use testamur_core::{Digest, UnixSeconds};

use super::{
    Listed, Store, StoreError,
    steps::{seconds, status_index},
};

const COLUMNS: &str = "c.uri, c.template, c.learner, c.name, c.email, c.period, c.valid_from, c.valid_until, c.state,
    c.revoked, c.superseded_by, r.folder, c.file, c.digest, c.status_index";

/// What is looked for; all of it together.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// A part of an id, key, name, e-mail or template, in any case.
    pub text: Option<String>,
    /// What is good now and ends before then.
    pub ends_before: Option<UnixSeconds>,
    /// What is good now: neither revoked, nor superseded, nor ended at this moment.
    pub good_at: Option<UnixSeconds>,
    /// How many at most, the newest; with an end, those that end first.
    pub most: Option<usize>,
}

impl Store {
    /// Credentials, the newest first; where an end is asked for, those that end first.
    pub fn list(&self, wanted: &Wanted) -> Result<Vec<Listed>, StoreError> {
        let order = if wanted.ends_before.is_some() { "c.valid_until, c.id" } else { "c.id DESC" };
        let mut select = self.connection.prepare(&format!(
            "SELECT {COLUMNS} FROM credentials c JOIN runs r ON r.id = c.run
             WHERE (:before IS NULL OR c.valid_until < :before)
             AND (:good IS NULL OR (c.revoked IS NULL AND c.superseded_by IS NULL
                 AND (c.valid_until IS NULL OR c.valid_until > :good)))
             ORDER BY {order}"
        ))?;
        let number = |time: UnixSeconds| time.0 as i64;
        let mut rows = select.query(named_params! {
            ":before": wanted.ends_before.map(number),
            ":good": wanted.good_at.map(number),
        })?;
        let (mut found, text) = (Vec::new(), wanted.text.as_ref().map(|text| text.to_lowercase()));
        while found.len() < wanted.most.unwrap_or(usize::MAX) {
            let Some(row) = rows.next()? else { break };
            let listed = listed(row)?;
            // Here, because SQLite knows capital letters of English only.
            if text.as_ref().is_none_or(|text| listed.mentions(text)) {
                found.push(listed);
            }
        }
        Ok(found)
    }

    /// The credential with this `id`, or with this digest.
    pub fn find(&self, name: &str) -> Result<Option<Listed>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM credentials c JOIN runs r ON r.id = c.run WHERE c.uri = ? OR c.digest = ?"
        ))?;
        let digest: Option<Digest> = name.parse().ok();
        let mut rows = select.query(rusqlite::params![name, digest.map(|digest| digest.0)])?;
        rows.next()?.map(listed).transpose()
    }

    /// These were revoked.
    pub fn note_revoked<'a>(
        &mut self,
        digests: impl IntoIterator<Item = &'a Digest>,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let noting = self.connection.transaction()?;
        let mut update =
            noting.prepare_cached("UPDATE credentials SET revoked = ? WHERE digest = ? AND revoked IS NULL")?;
        for digest in digests {
            update.execute(rusqlite::params![now.0 as i64, digest.0])?;
        }
        drop(update);
        Ok(noting.commit()?)
    }
}

impl Listed {
    /// Whether a text in lower case is part of its id, key, name, e-mail or template.
    fn mentions(&self, text: &str) -> bool {
        let always = [&self.id, &self.learner, &self.template];
        let all = always.into_iter().chain(&self.name).chain(&self.email);
        all.into_iter().any(|part| part.to_lowercase().contains(text))
    }
}

fn listed(row: &Row<'_>) -> Result<Listed, StoreError> {
    let folder: String = row.get(11)?;
    let file: String = row.get(12)?;
    Ok(Listed {
        id: row.get(0)?,
        template: row.get(1)?,
        learner: row.get(2)?,
        name: row.get(3)?,
        email: row.get(4)?,
        period: row.get(5)?,
        valid_from: seconds(row, 6)?.unwrap_or_default(),
        valid_until: seconds(row, 7)?,
        state: row.get(8)?,
        revoked: seconds(row, 9)?,
        superseded: row.get::<_, Option<i64>>(10)?.is_some(),
        file: format!("{folder}/{file}"),
        digest: Digest(row.get(13)?),
        status_index: status_index(row, 14, 0)?,
    })
}
