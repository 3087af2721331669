//! What the store holds of a credential.

use std::path::PathBuf;

use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use testamur_core::{
    Digest, Document, Hash, Receipt, StatusIndex, UnixSeconds, json,
    proof::{AnchorProof, ProofConfig},
};

use super::StoreError;
use crate::{credential::Superseded, roster::Award};

/// The number of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RunId(pub i64);

/// How far a credential has come. Each state is on disk before the next step is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Signed; nobody else knows of it.
    Drafted,
    /// The node has its digest, and promised that it is durable there.
    Submitted,
    /// Its receipt is here, and was checked.
    Anchored,
    /// Its file is on disk.
    Written,
}

impl State {
    const ALL: [Self; 4] = [Self::Drafted, Self::Submitted, Self::Anchored, Self::Written];

    /// Its name, in the store and for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drafted => "drafted",
            Self::Submitted => "submitted",
            Self::Anchored => "anchored",
            Self::Written => "written",
        }
    }
}

impl ToSql for State {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

impl FromSql for State {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        Self::ALL.into_iter().find(|state| state.name() == name).ok_or(FromSqlError::InvalidType)
    }
}

/// A credential that is signed, with all that its anchor is made from.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The credential's own `id`.
    pub uri: String,
    /// Whose it is, for which period, and for what.
    pub award: Award,
    /// What it says, whenever it is said: the hash that tells whether a roster says something else now.
    pub content: Hash,
    /// From when on it is valid.
    pub valid_from: UnixSeconds,
    /// Until when, if it ends.
    pub valid_until: Option<UnixSeconds>,
    /// The signed credential, as it will be written but for its anchor.
    pub document: Vec<u8>,
    /// The configuration of its anchor.
    pub config: ProofConfig,
    /// What the registry will see.
    pub digest: Digest,
    /// The place of its status bits.
    pub status_index: StatusIndex,
    /// The name of its file.
    pub file: String,
    /// The credential that it takes the place of.
    pub supersedes: Option<Predecessor>,
}

/// A credential that another one takes the place of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predecessor {
    /// Its `id`.
    pub id: String,
    /// The issuer's code for its revocation, if it is to be revoked once its successor is written.
    pub revoke: Option<u8>,
}

/// What is there already for a learner, template and period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub(super) id: i64,
    /// The credential's own `id`.
    pub uri: String,
    /// What it says.
    pub content: Hash,
    /// How far it has come.
    pub state: State,
    /// The name of its file.
    pub file: String,
    /// When it was revoked, if it was.
    pub revoked: Option<UnixSeconds>,
}

/// A credential whose file is to be written. Its parts are read from the store as they stand there; [`Self::finish`]
/// puts them together, which is work for many threads.
#[derive(Clone, Debug)]
pub struct Anchored {
    pub(super) id: i64,
    pub(super) uri: String,
    pub(super) document: Vec<u8>,
    pub(super) config: Vec<u8>,
    pub(super) receipt: Vec<u8>,
    pub(super) digest: Digest,
    /// The folder of its run.
    pub folder: PathBuf,
    /// The name of its file there.
    pub file: String,
}

/// A credential as it leaves the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Its file: JSON with the anchor inside, or a token.
    pub bytes: Vec<u8>,
    /// A token's anchor (JSON), which stands in a file beside it: `<file>.receipt.json`.
    pub receipt: Option<Vec<u8>>,
}

impl Anchored {
    /// The credential with its anchor, as it is to be written.
    ///
    /// What leaves the store must verify as it stands, whatever has happened to the disk: otherwise
    /// [`StoreError::Damaged`].
    pub fn finish(&self) -> Result<Finished, StoreError> {
        let finished = if is_token(&self.document) { self.beside() } else { self.inside() };
        let finished = finished.ok_or_else(|| self.damaged("document, configuration or receipt"))?;
        let written = match &finished.receipt {
            None => Document::from_credential(&finished.bytes),
            Some(receipt) => Document::from_file(&finished.bytes, receipt),
        };
        let digest = written.ok().and_then(|document| document.digest());
        if digest == Some(self.digest) { Ok(finished) } else { Err(self.damaged("document")) }
    }

    fn inside(&self) -> Option<Finished> {
        let mut credential = object(&self.document)?;
        self.proof(credential.get("@context"))?.embed(&mut credential).ok()?;
        Some(Finished { bytes: serde_json::to_vec(&credential).ok()?, receipt: None })
    }

    fn beside(&self) -> Option<Finished> {
        let receipt = serde_json::to_vec(&self.proof(None)?.to_detached()).ok()?;
        Some(Finished { bytes: self.document.clone(), receipt: Some(receipt) })
    }

    fn proof(&self, context: Option<&Value>) -> Option<AnchorProof> {
        let mut config = object(&self.config)?;
        config.extend(context.map(|context| ("@context".to_owned(), context.clone())));
        let config = ProofConfig::from_members(config).ok()?;
        Some(AnchorProof { config, receipt: Receipt::from_cbor(&self.receipt).ok()? })
    }

    fn damaged(&self, what: &'static str) -> StoreError {
        StoreError::Damaged { what, uri: self.uri.clone() }
    }
}

fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    match json::parse(bytes) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

/// Whether a document is a token, and no JSON object.
fn is_token(document: &[u8]) -> bool {
    document.first() != Some(&b'{')
}

/// All that the store holds of a credential, to be shown, shared, or made out anew.
#[derive(Clone, Debug)]
pub struct Issued {
    /// As lists have it.
    pub listed: Listed,
    /// What the roster said.
    pub award: Award,
    /// What it says, whenever it is said.
    pub content: Hash,
    /// It as it was signed, without its anchor.
    pub document: Vec<u8>,
    /// It with its anchor, once it has one.
    pub anchored: Option<Anchored>,
}

impl Issued {
    /// How a credential that takes its place names it.
    pub fn superseded(&self) -> Superseded {
        let id = self.listed.id.clone();
        match object(&self.document) {
            Some(credential) => Superseded::credential(id, &credential),
            None => Superseded::token(id, &self.document),
        }
    }
}

/// A credential in a list.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// Its number in the store: what comes later has a higher one.
    pub number: i64,
    /// The credential's own `id`.
    pub id: String,
    /// Under which template.
    pub template: String,
    /// Whose it is: the roster's key.
    pub learner: String,
    /// The learner's name, where the roster had one.
    pub name: Option<String>,
    /// The learner's e-mail, where the roster had one.
    pub email: Option<String>,
    /// For which period.
    pub period: String,
    /// From when on it is valid.
    pub valid_from: UnixSeconds,
    /// Until when, if it ends.
    pub valid_until: Option<UnixSeconds>,
    /// How far it has come.
    pub state: State,
    /// When it was revoked, if it was: the node has it.
    pub revoked: Option<UnixSeconds>,
    /// Since when it is suspended, if it is.
    pub suspended: Option<UnixSeconds>,
    /// Which one took its place, by its `id`.
    pub superseded_by: Option<String>,
    /// Where its file was written.
    pub file: String,
    /// What the registry knows it by.
    pub digest: Digest,
    /// The place of its status bits.
    pub status_index: StatusIndex,
}

/// How a credential stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Not on disk yet.
    Unfinished,
    /// Good.
    Good,
    /// Its end is past.
    Ended,
    /// Suspended.
    Suspended,
    /// Another one took its place.
    Superseded,
    /// Revoked.
    Revoked,
}

impl Listed {
    /// How it stands at a moment.
    pub fn standing(&self, now: UnixSeconds) -> Standing {
        match self {
            Self { revoked: Some(_), .. } => Standing::Revoked,
            Self { superseded_by: Some(_), .. } => Standing::Superseded,
            Self { suspended: Some(_), .. } => Standing::Suspended,
            Self { valid_until: Some(until), .. } if *until < now => Standing::Ended,
            Self { state: State::Written, .. } => Standing::Good,
            _ => Standing::Unfinished,
        }
    }
}
