//! What the store holds of a credential.

use std::path::PathBuf;

use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use serde::Serialize;
use serde_json::Value;
use testamur_core::{
    Digest, Document, Hash, Receipt, StatusIndex, UnixSeconds, json,
    proof::{AnchorProof, ProofConfig},
};

use super::StoreError;
use crate::roster::Learner;

/// The number of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(pub(super) i64);

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
    /// Whose it is.
    pub learner: Learner,
    /// For which period.
    pub period: String,
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
    /// The credential that it takes the place of, by that one's `id`.
    pub supersedes: Option<String>,
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

impl Anchored {
    /// The credential with its anchor, as it is to be written.
    ///
    /// What leaves the store must verify as it stands, whatever has happened to the disk: otherwise
    /// [`StoreError::Damaged`].
    pub fn finish(&self) -> Result<Vec<u8>, StoreError> {
        let bytes = self.assemble().ok_or_else(|| self.damaged("document, configuration or receipt"))?;
        let written = Document::from_credential(&bytes).ok().and_then(|document| document.digest());
        if written == Some(self.digest) { Ok(bytes) } else { Err(self.damaged("document")) }
    }

    fn assemble(&self) -> Option<Vec<u8>> {
        let object = |bytes: &[u8]| match json::parse(bytes) {
            Ok(Value::Object(members)) => Some(members),
            _ => None,
        };
        let (mut credential, mut config) = (object(&self.document)?, object(&self.config)?);
        if let Some(context) = credential.get("@context") {
            config.insert("@context".to_owned(), context.clone());
        }
        let config = ProofConfig::from_members(config).ok()?;
        let receipt = Receipt::from_cbor(&self.receipt).ok()?;
        AnchorProof { config, receipt }.embed(&mut credential).ok()?;
        serde_json::to_vec(&credential).ok()
    }

    fn damaged(&self, what: &'static str) -> StoreError {
        StoreError::Damaged { what, uri: self.uri.clone() }
    }
}

/// A credential in a list.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
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
    /// When it was revoked, if it was.
    pub revoked: Option<UnixSeconds>,
    /// Whether another one took its place.
    pub superseded: bool,
    /// Where its file was written.
    pub file: String,
    /// What the registry knows it by.
    pub digest: Digest,
    /// The place of its status bits.
    pub status_index: StatusIndex,
}
