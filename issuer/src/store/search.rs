//! Looking for credentials.

use rusqlite::{OptionalExtension as _, Row, named_params, params};
use testamur_core::{Digest, Hash, UnixSeconds};

use super::{
    Anchored, Issued, Listed, Standing, Store, StoreError,
    steps::{ANCHORED, anchored, seconds, status_index},
};

const COLUMNS: &str = "c.id, c.uri, c.template, c.learner, c.name, c.email, c.period, c.valid_from, c.valid_until,
    c.state, c.revoked, c.suspended, s.uri, r.folder, c.file, c.digest, c.status_index";
/// A credential with its run, and the one that took its place.
const FROM: &str = "credentials c JOIN runs r ON r.id = c.run LEFT JOIN credentials s ON s.id = c.superseded_by";

/// What is looked for; all of it together.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// A part of an id, key, name, e-mail or template, in any case.
    pub text: Option<String>,
    /// Under this template.
    pub template: Option<String>,
    /// What ends before then.
    pub ends_before: Option<UnixSeconds>,
    /// What stands like this at this moment.
    pub standing: Option<(Standing, UnixSeconds)>,
    /// What has a lower number: the next page.
    pub before: Option<i64>,
    /// How many at most, the newest; with an end, those that end first.
    pub most: Option<usize>,
}

impl Store {
    /// Credentials, the newest first; where an end is asked for, those that end first.
    pub fn list(&self, wanted: &Wanted) -> Result<Vec<Listed>, StoreError> {
        let order = if wanted.ends_before.is_some() { "c.valid_until, c.id" } else { "c.id DESC" };
        let mut select = self.connection.prepare(&format!(
            "SELECT {COLUMNS} FROM {FROM}
             WHERE (:ends IS NULL OR c.valid_until < :ends) AND (:template IS NULL OR c.template = :template)
             AND (:before IS NULL OR c.id < :before)
             ORDER BY {order}"
        ))?;
        let mut rows = select.query(named_params! {
            ":ends": wanted.ends_before.map(|time| time.0 as i64),
            ":template": wanted.template,
            ":before": wanted.before,
        })?;
        let (mut found, text) = (Vec::new(), wanted.text.as_ref().map(|text| text.to_lowercase()));
        while found.len() < wanted.most.unwrap_or(usize::MAX) {
            let Some(row) = rows.next()? else { break };
            let listed = listed(row)?;
            let stands = wanted.standing.is_none_or(|(standing, at)| listed.standing(at) == standing);
            // Here, because SQLite knows capital letters of English only.
            if stands && text.as_ref().is_none_or(|text| listed.mentions(text)) {
                found.push(listed);
            }
        }
        Ok(found)
    }

    /// The credential with this `id`, or with this digest.
    pub fn find(&self, name: &str) -> Result<Option<Listed>, StoreError> {
        let mut select =
            self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM {FROM} WHERE c.uri = ? OR c.digest = ?"))?;
        let digest: Option<Digest> = name.parse().ok();
        let mut rows = select.query(params![name, digest.map(|digest| digest.0)])?;
        rows.next()?.map(listed).transpose()
    }

    /// All that is known of the credential with this `id`, or with this digest.
    pub fn issued(&self, name: &str) -> Result<Option<Issued>, StoreError> {
        let Some(listed) = self.find(name)? else { return Ok(None) };
        let (content, document, award): (_, _, Vec<u8>) = self.connection.query_row(
            "SELECT c.content, d.document, d.award FROM credentials c JOIN documents d ON d.credential = c.id
             WHERE c.id = ?",
            [listed.number],
            |row| Ok((Hash(row.get(0)?), row.get(1)?, row.get(2)?)),
        )?;
        let damaged = |_| StoreError::Damaged { what: "award", uri: listed.id.clone() };
        let award = serde_json::from_slice(&award).map_err(damaged)?;
        Ok(Some(Issued { content, document, award, anchored: self.anchored(listed.number)?, listed }))
    }

    fn anchored(&self, number: i64) -> Result<Option<Anchored>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!("{ANCHORED} WHERE c.id = ?"))?;
        Ok(select.query_row([number], anchored).optional()?)
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
    let folder: String = row.get(13)?;
    let file: String = row.get(14)?;
    Ok(Listed {
        number: row.get(0)?,
        id: row.get(1)?,
        template: row.get(2)?,
        learner: row.get(3)?,
        name: row.get(4)?,
        email: row.get(5)?,
        period: row.get(6)?,
        valid_from: seconds(row, 7)?.unwrap_or_default(),
        valid_until: seconds(row, 8)?,
        state: row.get(9)?,
        revoked: seconds(row, 10)?,
        suspended: seconds(row, 11)?,
        superseded_by: row.get(12)?,
        file: format!("{folder}/{file}"),
        digest: Digest(row.get(15)?),
        status_index: status_index(row, 16, 1)?,
    })
}
