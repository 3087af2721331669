//! A credential's way: drafted, submitted, anchored, written. One transaction for thousands of them.

use std::path::PathBuf;

use rusqlite::{CachedStatement, OptionalExtension as _, Row, named_params, params};
use serde_json::Value;
use testamur::node::Place;
use testamur_core::{Digest, Entry, Hash, Receipt, StatusIndex, UnixSeconds};

use super::{Anchored, Draft, Known, Predecessor, RunId, State, Store, StoreError};

impl Store {
    /// What is there for learners and periods under a template, in their order.
    pub fn known<'a>(
        &self,
        template: &str,
        wanted: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Vec<Option<Known>>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT id, uri, content, state, file, revoked FROM credentials
             WHERE template = ? AND learner = ? AND period = ? AND superseded_by IS NULL",
        )?;
        let known = |row: &Row<'_>| {
            Ok(Known {
                id: row.get(0)?,
                uri: row.get(1)?,
                content: Hash(row.get(2)?),
                state: row.get(3)?,
                file: row.get(4)?,
                revoked: seconds(row, 5)?,
            })
        };
        let found = wanted
            .into_iter()
            .map(|(learner, period)| Ok(select.query_row(params![template, learner, period], known).optional()?));
        found.collect()
    }

    /// Keeps drafts, all or none. Tells of each whether it was taken: it is not where the learner has the same already.
    pub fn draft(&mut self, run: RunId, template: &str, drafts: &[Draft]) -> Result<Vec<bool>, StoreError> {
        let drafting = self.connection.transaction()?;
        let taken = {
            let mut insert = Insert::prepare(&drafting)?;
            drafts.iter().map(|draft| insert.one(run, template, draft)).collect::<Result<_, _>>()?
        };
        drafting.commit()?;
        Ok(taken)
    }

    /// Drafts that are to be anchored at this place and that the node was not given yet; those of the newest run first.
    pub fn unsubmitted(&self, place: &Place, most: usize) -> Result<Vec<Entry>, StoreError> {
        self.entries(State::Drafted, place, most)
    }

    /// The node promised that these are durable with it.
    pub fn note_submitted(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        let noting = self.connection.transaction()?;
        let mut update = noting
            .prepare_cached("UPDATE credentials SET state = 'submitted' WHERE digest = ? AND state = 'drafted'")?;
        for entry in entries {
            update.execute([entry.digest.0])?;
        }
        drop(update);
        Ok(noting.commit()?)
    }

    /// How many credentials of a place have no receipt yet, and some of them.
    pub fn awaiting(&self, place: &Place, most: usize) -> Result<(u64, Vec<Entry>), StoreError> {
        let count = "SELECT count(*) FROM credentials c JOIN runs r ON r.id = c.run
             WHERE c.state = 'submitted' AND r.account = ? AND r.registry = ? AND r.chain = ?";
        let Place { issuer, chain, registry } = place;
        let at = params![issuer.0, registry.0, chain.0 as i64];
        let count: i64 = self.connection.prepare_cached(count)?.query_row(at, |row| row.get(0))?;
        Ok((count as u64, self.entries(State::Submitted, place, most)?))
    }

    /// Entries of credentials that have come so far, at a place; those of the newest first.
    fn entries(&self, state: State, place: &Place, most: usize) -> Result<Vec<Entry>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT c.digest, c.status_index, c.uri FROM credentials c JOIN runs r ON r.id = c.run
             WHERE c.state = ? AND r.account = ? AND r.registry = ? AND r.chain = ? ORDER BY c.id DESC LIMIT ?",
        )?;
        let Place { issuer, chain, registry } = place;
        let mut rows = select.query(params![state, issuer.0, registry.0, chain.0 as i64, most as i64])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            entries.push(Entry { digest: Digest(row.get(0)?), status_index: status_index(row, 1, 2)? });
        }
        Ok(entries)
    }

    /// Keeps those of these receipts that are waited for, and tells how many those are. Each must have been checked
    /// against its digest; one with another status index than its credential names is not taken.
    pub fn keep_receipts(&mut self, receipts: &[(Digest, Receipt)]) -> Result<usize, StoreError> {
        let keeping = self.connection.transaction()?;
        let mut kept = 0;
        {
            let mut update = keeping.prepare_cached(
                "UPDATE credentials SET state = 'anchored' WHERE digest = ? AND status_index = ? AND state = 'submitted'
                 RETURNING id",
            )?;
            let mut insert = keeping.prepare_cached("INSERT INTO receipts (credential, receipt) VALUES (?, ?)")?;
            for (digest, receipt) in receipts {
                let wanted = params![digest.0, receipt.status_index.get() as i64];
                let id: Option<i64> = update.query_row(wanted, |row| row.get(0)).optional()?;
                if let Some(id) = id {
                    insert.execute(params![id, receipt.to_cbor()])?;
                    kept += 1;
                }
            }
        }
        keeping.commit()?;
        Ok(kept)
    }

    /// Credentials whose files are to be written, those of the newest run first.
    pub fn unwritten(&self, most: usize) -> Result<Vec<Anchored>, StoreError> {
        let mut select = self
            .connection
            .prepare_cached(&format!("{ANCHORED} WHERE c.state = 'anchored' ORDER BY c.run DESC, c.id LIMIT ?"))?;
        let rows = select.query_map([most as i64], anchored)?.collect::<Result<_, _>>()?;
        Ok(rows)
    }

    /// The files of these are on disk, synced.
    pub fn note_written(&mut self, written: &[Anchored]) -> Result<(), StoreError> {
        self.set_state(written.iter().map(|credential| credential.id), State::Written)
    }

    /// The files of these are to be written again, into the folder of this run, if they are anchored at its place.
    pub fn write_again(&mut self, run: RunId, known: &[Known]) -> Result<(), StoreError> {
        let moving = self.connection.transaction()?;
        let mut update = moving.prepare_cached(
            "UPDATE credentials SET state = 'anchored', run = ?1 WHERE id = ?2 AND state = 'written' AND EXISTS (
                 SELECT 1 FROM runs old JOIN runs new USING (account, registry, chain)
                 WHERE old.id = credentials.run AND new.id = ?1
             )",
        )?;
        for known in known {
            update.execute([run.0, known.id])?;
        }
        drop(update);
        Ok(moving.commit()?)
    }

    fn set_state(&mut self, ids: impl Iterator<Item = i64>, state: State) -> Result<(), StoreError> {
        let noting = self.connection.transaction()?;
        let mut update = noting.prepare_cached("UPDATE credentials SET state = ? WHERE id = ?")?;
        for id in ids {
            update.execute(params![state, id])?;
        }
        drop(update);
        Ok(noting.commit()?)
    }
}

/// All that a credential's file is made from.
pub(super) const ANCHORED: &str = "SELECT c.id, c.uri, d.document, d.config, p.receipt, c.digest, r.folder, c.file
    FROM credentials c JOIN runs r ON r.id = c.run JOIN documents d ON d.credential = c.id
    JOIN receipts p ON p.credential = c.id";

pub(super) fn anchored(row: &Row<'_>) -> rusqlite::Result<Anchored> {
    Ok(Anchored {
        id: row.get(0)?,
        uri: row.get(1)?,
        document: row.get(2)?,
        config: row.get(3)?,
        receipt: row.get(4)?,
        digest: Digest(row.get(5)?),
        folder: PathBuf::from(row.get::<_, String>(6)?),
        file: row.get(7)?,
    })
}

/// What keeps a draft: the statements.
struct Insert<'a> {
    supersede: CachedStatement<'a>,
    restore: CachedStatement<'a>,
    credential: CachedStatement<'a>,
    document: CachedStatement<'a>,
    revocation: CachedStatement<'a>,
    next: i64,
}

impl<'a> Insert<'a> {
    fn prepare(connection: &'a rusqlite::Connection) -> Result<Self, StoreError> {
        let newest = "SELECT coalesce(max(id), 0) FROM credentials";
        Ok(Self {
            next: connection.query_row(newest, [], |row| row.get::<_, i64>(0))? + 1,
            supersede: connection.prepare_cached(
                "UPDATE credentials SET superseded_by = ? WHERE uri = ? AND superseded_by IS NULL",
            )?,
            restore: connection
                .prepare_cached("UPDATE credentials SET superseded_by = NULL WHERE superseded_by = ?")?,
            revocation: connection.prepare_cached(
                "INSERT INTO revocations (credential, reason, waits_for)
                 SELECT id, :reason, :successor FROM credentials WHERE uri = :uri AND revoked IS NULL
                 ON CONFLICT DO NOTHING",
            )?,
            credential: connection.prepare_cached(
                "INSERT INTO credentials (id, uri, run, template, learner, period, name, email, did, content, valid_from,
                 valid_until, digest, status_index, file, state) VALUES (:id, :uri, :run, :template, :learner, :period,
                 :name, :email, :did, :content, :from, :until, :digest, :index, :file, 'drafted')
                 ON CONFLICT (template, learner, period) WHERE superseded_by IS NULL DO NOTHING",
            )?,
            document: connection
                .prepare_cached("INSERT INTO documents (credential, document, config, award) VALUES (?, ?, ?, ?)")?,
        })
    }

    fn one(&mut self, run: RunId, template: &str, draft: &Draft) -> Result<bool, StoreError> {
        let id = self.next;
        if let Some(Predecessor { id: uri, .. }) = &draft.supersedes
            && self.supersede.execute(params![id, uri])? == 0
        {
            return Ok(false); // Another run was faster.
        }
        if !self.credential(run, template, draft)? {
            self.give_up(id)?;
            return Ok(false);
        }
        if let Some(Predecessor { id: uri, revoke: Some(reason) }) = &draft.supersedes {
            self.revocation.execute(named_params! { ":reason": reason, ":successor": id, ":uri": uri })?;
        }
        let Value::Object(mut config) = draft.config.to_json() else { unreachable!("a configuration is an object") };
        config.shift_remove("@context"); // the document has it
        let config = serde_json::to_vec(&config).expect("JSON values serialise");
        let award = serde_json::to_vec(&draft.award).expect("texts and finite numbers serialise");
        self.document.execute(params![id, draft.document, config, award])?;
        self.next += 1;
        Ok(true)
    }

    fn credential(&mut self, run: RunId, template: &str, draft: &Draft) -> Result<bool, StoreError> {
        let learner = &draft.award.learner;
        let taken = self.credential.execute(named_params! {
            ":id": self.next,
            ":uri": draft.uri,
            ":run": run.0,
            ":template": template,
            ":learner": learner.key,
            ":period": draft.award.period,
            ":name": learner.name,
            ":email": learner.email,
            ":did": learner.did,
            ":content": draft.content.0,
            ":from": draft.valid_from.0 as i64,
            ":until": draft.valid_until.map(|until| until.0 as i64),
            ":digest": draft.digest.0,
            ":index": draft.status_index.get() as i64,
            ":file": draft.file,
        })?;
        Ok(taken > 0)
    }

    /// What was to be superseded stays as it was: somebody has this key already.
    fn give_up(&mut self, id: i64) -> Result<(), StoreError> {
        self.restore.execute([id])?;
        Ok(())
    }
}

pub(super) fn seconds(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<UnixSeconds>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(|seconds| UnixSeconds(seconds as u64)))
}

/// The status index in a column, of the credential that another one names.
pub(super) fn status_index(row: &Row<'_>, column: usize, uri: usize) -> Result<StatusIndex, StoreError> {
    let index = StatusIndex::new(row.get::<_, i64>(column)? as u64);
    match index {
        Ok(index) => Ok(index),
        Err(_) => Err(StoreError::Damaged { what: "status index", uri: row.get(uri)? }),
    }
}
