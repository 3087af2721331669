//! `mail.sqlite`: invitations, and mails until they are sent. A mail is on disk before it is tried, and its link is gone
//! from there once it was sent or given up.
//!
//! A mail is sent at least once, and nearly always once: only a process that is killed between the mail server's *250*
//! and the note of it here sends it again, under the same `Message-ID`.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior::Immediate, params};
use serde::Serialize;
use testamur_core::UnixSeconds;
use testamur_credentials::sealed::SealedId;
use zeroize::Zeroizing;

use crate::{certificate::Language, sqlite, store::StoreError};

/// The file's name in the data folder.
pub const FILE: &str = "mail.sqlite";
/// Each brings the file from the version before (its place from 0) to the next one.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];
/// How long somebody who took a mail has for sending it, before another one may. No mail server takes so long.
const LEASE: u64 = 900;
/// After which time a mail that was put off is tried again; after the last one it is given up. In all three days.
const AGAIN: [u64; 9] = [60, 300, 900, 3_600, 10_800, 21_600, 43_200, 86_400, 86_400];

/// The store of invitations and mails.
pub struct Outbox {
    connection: Connection,
}

/// Somebody is invited to a page.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// The page.
    pub page: SealedId,
    /// The credential's own `id`.
    pub credential: String,
    /// The mail that tells it; `None` where the issuer tells it otherwise.
    pub letter: Option<Letter>,
}

/// What a mail says, and to whom.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The page.
    pub page: SealedId,
    /// Whose it is: the roster's key.
    pub learner: String,
    /// The learner's name.
    pub name: Option<String>,
    /// Where it goes.
    pub email: String,
    /// What for.
    pub achievement: String,
    /// In which language.
    pub language: Language,
    /// Until when the page can be claimed.
    pub expires: UnixSeconds,
    /// The claim link.
    pub link: Zeroizing<String>,
}

/// A mail that did not arrive (yet).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Undelivered {
    /// Whose it was: the roster's key.
    pub learner: String,
    /// Where it went.
    pub email: String,
    /// The credential's own `id`.
    pub credential: String,
    /// What the mail server said last.
    pub why: Option<String>,
}

/// How many mails there are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// To be sent, now or later.
    pub waiting: u64,
    /// A mail server took them.
    pub sent: u64,
    /// A mail server refused them for good, or put them off for three days.
    pub refused: u64,
}

impl Outbox {
    /// Opens the store in this folder, or makes it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self { connection: sqlite::open(&folder.join(FILE), &MIGRATIONS)? })
    }

    /// The page of a credential's newest invitation.
    pub fn invited(&self, credential: &str) -> Result<Option<SealedId>, StoreError> {
        let select = "SELECT page FROM invitations WHERE credential = ? AND replaced IS NULL";
        let mut select = self.connection.prepare_cached(select)?;
        Ok(select.query_row([credential], |row| row.get(0).map(SealedId::new)).optional()?)
    }

    /// Notes invitations, and puts their mails into the box; all or none. They take the place of older ones of the same
    /// credentials, whose mails are not sent any more.
    pub fn put(&mut self, invitations: &[Invitation], now: UnixSeconds) -> Result<(), StoreError> {
        let putting = self.connection.transaction_with_behavior(Immediate)?;
        for Invitation { page, credential, letter } in invitations {
            withdraw(&putting, credential, now)?;
            let insert = "INSERT INTO invitations (page, credential, made) VALUES (?, ?, ?)";
            putting.prepare_cached(insert)?.execute(params![page.as_bytes(), credential, now.0 as i64])?;
            letter.iter().try_for_each(|letter| insert_letter(&putting, letter, now))?;
        }
        Ok(putting.commit()?)
    }

    /// The next mails that are due. Nobody else is given them for a quarter of an hour.
    pub fn take(&mut self, most: usize, now: UnixSeconds) -> Result<Vec<Letter>, StoreError> {
        let take = "UPDATE outbox SET due = ?2 WHERE page IN
            (SELECT page FROM outbox WHERE state = 'waiting' AND due <= ?1 ORDER BY due LIMIT ?3)
            RETURNING page, learner, name, email, achievement, language, expires, link";
        let mut take = self.connection.prepare_cached(take)?;
        let lease = now.0 + LEASE;
        let letters = take.query_map(params![now.0 as i64, lease as i64, most as i64], letter)?;
        Ok(letters.collect::<Result<_, _>>()?)
    }

    /// A mail server took it. Its link is wiped with the next [`Self::wipe`].
    pub fn note_sent(&self, letter: &Letter, now: UnixSeconds) -> Result<(), StoreError> {
        self.end(letter, "sent", None, now)
    }

    /// A mail server will never take it.
    pub fn note_refused(&self, letter: &Letter, why: &str, now: UnixSeconds) -> Result<(), StoreError> {
        self.end(letter, "refused", Some(why), now)
    }

    /// It is to be tried later, or is given up if that has gone on for three days.
    pub fn put_off(&self, letter: &Letter, why: &str, now: UnixSeconds) -> Result<(), StoreError> {
        let count = "UPDATE outbox SET attempts = attempts + 1, why = ? WHERE page = ? RETURNING attempts";
        let attempts: i64 = self.connection.query_row(count, params![why, letter.page.as_bytes()], |row| row.get(0))?;
        match usize::try_from(attempts - 1).ok().and_then(|n| AGAIN.get(n)) {
            Some(after) => self.give_back(letter, Some(why), UnixSeconds(now.0 + after)),
            None => self.note_refused(letter, &format!("put off for three days, last with: {why}"), now),
        }
    }

    /// It was not its turn: the mail server could not be used, or sending was stopped. That is no attempt.
    pub fn give_back(&self, letter: &Letter, why: Option<&str>, due: UnixSeconds) -> Result<(), StoreError> {
        let back = "UPDATE outbox SET due = ?, why = coalesce(?, why) WHERE page = ? AND state = 'waiting'";
        self.connection.execute(back, params![due.0 as i64, why, letter.page.as_bytes()])?;
        Ok(())
    }

    /// Tries all that wait at once, whatever they wait for.
    pub fn hurry(&self, now: UnixSeconds) -> Result<(), StoreError> {
        self.connection.execute("UPDATE outbox SET due = ?1 WHERE state = 'waiting' AND due > ?1", [now.0 as i64])?;
        Ok(())
    }

    /// The links of mails that are done leave the file and its log.
    pub fn wipe(&self) -> Result<(), StoreError> {
        // Whoever reads at this moment hinders it; the next round does it.
        sqlite::wipe(&self.connection).map(drop)
    }

    /// When the next mail is due.
    pub fn next_due(&self) -> Result<Option<UnixSeconds>, StoreError> {
        let select = "SELECT min(due) FROM outbox WHERE state = 'waiting'";
        let due: Option<i64> = self.connection.query_row(select, [], |row| row.get(0))?;
        Ok(due.map(|due| UnixSeconds(due.unsigned_abs())))
    }

    /// How many there are.
    pub fn counts(&self) -> Result<Counts, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT state, count(*) FROM outbox GROUP BY state")?;
        let rows = select.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
        let mut counts = Counts::default();
        for row in rows {
            match row? {
                (state, n) if state == "waiting" => counts.waiting = n,
                (state, n) if state == "sent" => counts.sent = n,
                (state, n) if state == "refused" => counts.refused = n,
                _ => {}
            }
        }
        Ok(counts)
    }

    /// The mails that were refused for good since then.
    pub fn refused_since(&self, since: UnixSeconds) -> Result<Vec<Undelivered>, StoreError> {
        self.undelivered("state = 'refused' AND ended >= ?", since)
    }

    /// The mails that were put off and wait.
    pub fn delayed(&self) -> Result<Vec<Undelivered>, StoreError> {
        self.undelivered("state = 'waiting' AND why IS NOT NULL AND ? IS NOT NULL", UnixSeconds(0))
    }

    fn undelivered(&self, which: &str, since: UnixSeconds) -> Result<Vec<Undelivered>, StoreError> {
        let select = format!(
            "SELECT learner, email, credential, why FROM outbox JOIN invitations USING (page) WHERE {which} ORDER BY learner"
        );
        let mut select = self.connection.prepare_cached(&select)?;
        let row = |row: &Row<'_>| {
            Ok(Undelivered { learner: row.get(0)?, email: row.get(1)?, credential: row.get(2)?, why: row.get(3)? })
        };
        Ok(select.query_map([since.0 as i64], row)?.collect::<Result<_, _>>()?)
    }

    /// What is done keeps no link. `secure_delete` overwrites it.
    fn end(&self, letter: &Letter, state: &str, why: Option<&str>, now: UnixSeconds) -> Result<(), StoreError> {
        let end = "UPDATE outbox SET state = ?, link = NULL, why = ?, ended = ? WHERE page = ? AND state = 'waiting'";
        self.connection.execute(end, params![state, why, now.0 as i64, letter.page.as_bytes()])?;
        Ok(())
    }
}

/// An older invitation of this credential is replaced, and its mail not sent any more.
fn withdraw(connection: &Connection, credential: &str, now: UnixSeconds) -> Result<(), rusqlite::Error> {
    let now = now.0 as i64;
    let outbox = "UPDATE outbox SET state = 'withdrawn', link = NULL, ended = ? WHERE state = 'waiting' AND page IN
        (SELECT page FROM invitations WHERE credential = ? AND replaced IS NULL)";
    connection.prepare_cached(outbox)?.execute(params![now, credential])?;
    let replaced = "UPDATE invitations SET replaced = ? WHERE credential = ? AND replaced IS NULL";
    connection.prepare_cached(replaced)?.execute(params![now, credential])?;
    Ok(())
}

fn insert_letter(connection: &Connection, letter: &Letter, now: UnixSeconds) -> Result<(), rusqlite::Error> {
    let Letter { page, learner, name, email, achievement, language, expires, link } = letter;
    let insert = "INSERT INTO outbox (page, learner, name, email, achievement, language, expires, link, due)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    connection.prepare_cached(insert)?.execute(params![
        page.as_bytes(),
        learner,
        name,
        email,
        achievement,
        language.code(),
        expires.0 as i64,
        link.as_str(),
        now.0 as i64
    ])?;
    Ok(())
}

fn letter(row: &Row<'_>) -> rusqlite::Result<Letter> {
    let language: String = row.get(5)?;
    Ok(Letter {
        page: SealedId::new(row.get(0)?),
        learner: row.get(1)?,
        name: row.get(2)?,
        email: row.get(3)?,
        achievement: row.get(4)?,
        language: if language == Language::Spanish.code() { Language::Spanish } else { Language::English },
        expires: UnixSeconds(row.get::<_, i64>(6)?.unsigned_abs()),
        link: Zeroizing::new(row.get(7)?),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
    const LINK: &str = "https://badges.example/claim/ID#KEY.TOKEN-of-this-mail";

    fn later(seconds: u64) -> UnixSeconds {
        UnixSeconds(NOW.0 + seconds)
    }

    fn invitation(number: u8) -> Invitation {
        let page = SealedId::new([number; 16]);
        let letter = Letter {
            page,
            learner: format!("s-{number}"),
            name: Some("Ana".to_owned()),
            email: format!("s{number}@example.edu"),
            achievement: "Botany".to_owned(),
            language: Language::Spanish,
            expires: later(1_000_000),
            link: Zeroizing::new(LINK.to_owned()),
        };
        Invitation { page, credential: format!("urn:uuid:{}", number % 10), letter: Some(letter) }
    }

    fn outbox(numbers: &[u8]) -> (tempfile::TempDir, Outbox) {
        let folder = tempfile::tempdir().unwrap();
        let mut outbox = Outbox::open(folder.path()).unwrap();
        let invitations: Vec<_> = numbers.iter().map(|number| invitation(*number)).collect();
        outbox.put(&invitations, NOW).unwrap();
        (folder, outbox)
    }

    #[test]
    fn a_link_is_there_until_its_mail_is_sent_and_then_nowhere() {
        let (folder, mut outbox) = outbox(&[1, 2]);
        let is_there = || {
            let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
            files
                .flat_map(|path| fs::read(path).unwrap())
                .collect::<Vec<_>>()
                .windows(LINK.len())
                .any(|w| w == LINK.as_bytes())
        };
        let letters = outbox.take(10, NOW).unwrap();
        assert_eq!((letters.len(), letters[0].language, letters[0].link.as_str()), (2, Language::Spanish, LINK));
        outbox.note_sent(&letters[0], NOW).unwrap();
        outbox.wipe().unwrap();
        assert!(is_there());
        outbox.note_refused(&letters[1], "550 no such user", NOW).unwrap();
        outbox.wipe().unwrap();
        assert!(!is_there());
        assert_eq!(outbox.counts().unwrap(), Counts { waiting: 0, sent: 1, refused: 1 });
        let refused = outbox.refused_since(NOW).unwrap();
        assert_eq!(
            (refused[0].email.as_str(), refused[0].why.as_deref()),
            ("s2@example.edu", Some("550 no such user"))
        );
        assert!(outbox.refused_since(later(1)).unwrap().is_empty());
    }

    #[test]
    fn nobody_is_given_the_same_mail_at_the_same_time_but_after_a_crash_somebody_is() {
        let (folder, mut first) = outbox(&[1, 2, 3]);
        let mut second = Outbox::open(folder.path()).unwrap();
        assert_eq!((first.take(2, NOW).unwrap().len(), second.take(9, NOW).unwrap().len()), (2, 1));
        assert!(second.take(9, later(LEASE - 1)).unwrap().is_empty());
        drop(first);
        assert_eq!(second.take(9, later(LEASE)).unwrap().len(), 3);
    }

    #[test]
    fn what_is_put_off_is_tried_for_three_days() {
        let (_folder, mut outbox) = outbox(&[1]);
        let mut now = NOW;
        for after in AGAIN {
            let letters = outbox.take(1, now).unwrap();
            outbox.put_off(&letters[0], "451 try later", now).unwrap();
            assert_eq!(outbox.next_due().unwrap(), Some(UnixSeconds(now.0 + after)));
            assert_eq!(outbox.delayed().unwrap().len(), 1);
            now.0 += after;
        }
        let letters = outbox.take(1, now).unwrap();
        outbox.put_off(&letters[0], "451 try later", now).unwrap();
        assert_eq!(outbox.counts().unwrap().refused, 1);
        assert!(outbox.refused_since(now).unwrap()[0].why.as_deref().unwrap().contains("451"));
    }

    #[test]
    fn what_was_taken_and_not_tried_waits_for_its_turn() {
        let (_folder, mut outbox) = outbox(&[1]);
        let letters = outbox.take(1, NOW).unwrap();
        outbox.give_back(&letters[0], None, NOW).unwrap();
        assert!(outbox.delayed().unwrap().is_empty());
        assert_eq!(outbox.take(1, NOW).unwrap().len(), 1);
    }

    #[test]
    fn a_newer_invitation_takes_the_place_of_an_older_one() {
        let (_folder, mut outbox) = outbox(&[1]);
        outbox.put(&[invitation(11)], later(5)).unwrap();
        assert_eq!(outbox.invited("urn:uuid:1").unwrap(), Some(SealedId::new([11; 16])));
        let letters = outbox.take(9, later(5)).unwrap();
        assert_eq!((letters.len(), letters[0].learner.as_str()), (1, "s-11"));
        assert_eq!(outbox.invited("urn:uuid:2").unwrap(), None);
    }
}
