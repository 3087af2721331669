//! Changes of status: decided here first, then with the node. So a decision outlives a crash, and the next run carries it
//! out.

use rusqlite::{Row, params};
use testamur::node::Place;
use testamur_core::{Digest, UnixSeconds};

use super::{Listed, State, Store, StoreError};

/// A revocation that the node does not have yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The credential's own `id`.
    pub id: String,
    /// What the node knows it by.
    pub digest: Digest,
    /// The issuer's own code.
    pub reason: u8,
}

impl Store {
    /// These are to be revoked, whatever else they waited for. Those that are revoked stay as they are.
    pub fn decide_revocation(&mut self, credentials: &[Listed], reason: u8) -> Result<(), StoreError> {
        let deciding = self.connection.transaction()?;
        let mut insert = deciding.prepare_cached(
            "INSERT INTO revocations (credential, reason)
             SELECT id, ? FROM credentials WHERE id = ? AND revoked IS NULL
             ON CONFLICT (credential) DO UPDATE SET reason = excluded.reason, waits_for = NULL",
        )?;
        for credential in credentials {
            insert.execute(params![reason, credential.number])?;
        }
        drop(insert);
        Ok(deciding.commit()?)
    }

    /// Revocations that can be carried out at this place: the node knows the credential, and what takes its place is
    /// written.
    pub fn due(&self, place: &Place) -> Result<Vec<Due>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT c.uri, c.digest, v.reason FROM revocations v JOIN credentials c ON c.id = v.credential
             JOIN runs r ON r.id = c.run LEFT JOIN credentials s ON s.id = v.waits_for
             WHERE c.state <> ? AND (s.state IS NULL OR s.state = ?)
             AND r.account = ? AND r.registry = ? AND r.chain = ?
             ORDER BY v.reason, c.id",
        )?;
        let Place { issuer, chain, registry } = place;
        let at = params![State::Drafted, State::Written, issuer.0, registry.0, chain.0 as i64];
        let due = |row: &Row<'_>| Ok(Due { id: row.get(0)?, digest: Digest(row.get(1)?), reason: row.get(2)? });
        Ok(select.query_map(at, due)?.collect::<Result<_, _>>()?)
    }

    /// How many revocations are decided, and not with the node.
    pub fn undone(&self) -> Result<u64, StoreError> {
        let count: i64 = self.connection.query_row("SELECT count(*) FROM revocations", [], |row| row.get(0))?;
        Ok(count as u64)
    }

    /// How many credentials and revocations have not come to their end, and belong to other places than this one.
    pub fn elsewhere(&self, place: &Place) -> Result<u64, StoreError> {
        let Place { issuer, chain, registry } = place;
        let count: i64 = self.connection.query_row(
            "SELECT count(*) FROM credentials c JOIN runs r ON r.id = c.run
             WHERE (c.state <> 'written' OR c.id IN (SELECT credential FROM revocations))
             AND NOT (r.account = ? AND r.registry = ? AND r.chain = ?)",
            params![issuer.0, registry.0, chain.0 as i64],
            |row| row.get(0),
        )?;
        Ok(count as u64)
    }

    /// The node has these revocations.
    pub fn note_revoked<'a>(
        &mut self,
        digests: impl IntoIterator<Item = &'a Digest>,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let noting = self.connection.transaction()?;
        let mut update =
            noting.prepare_cached("UPDATE credentials SET revoked = ? WHERE digest = ? AND revoked IS NULL")?;
        let mut done = noting.prepare_cached(
            "DELETE FROM revocations WHERE credential = (SELECT id FROM credentials WHERE digest = ?)",
        )?;
        for digest in digests {
            update.execute(params![now.0 as i64, digest.0])?;
            done.execute([digest.0])?;
        }
        drop((update, done));
        Ok(noting.commit()?)
    }

    /// The node has suspended these, or reinstated them (`None`).
    pub fn note_suspended<'a>(
        &mut self,
        digests: impl IntoIterator<Item = &'a Digest>,
        since: Option<UnixSeconds>,
    ) -> Result<(), StoreError> {
        let noting = self.connection.transaction()?;
        let mut update = noting.prepare_cached("UPDATE credentials SET suspended = ? WHERE digest = ?")?;
        for digest in digests {
            update.execute(params![since.map(|since| since.0 as i64), digest.0])?;
        }
        drop(update);
        Ok(noting.commit()?)
    }
}
