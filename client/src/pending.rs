//! An anchoring under way, kept on disk: a run that was killed resumes with the same nonce, so the same digest,
//! and the registry, which anchors a digest once, is never asked for a second one.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use testamur_core::{Address, ChainId, Digest, json, proof::ProofConfig};

use crate::{content::Content, files};

/// What stands in `<file>.pending.json`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stored {
    digest: Digest,
    proof_config: Map<String, Value>,
}

/// Why an anchoring can neither be begun nor resumed.
#[derive(Debug, thiserror::Error)]
pub enum PendingError {
    /// The disk.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file was changed by somebody.
    #[error("{file} cannot be read: delete it, and the file is anchored anew")]
    Unreadable {
        /// The pending file.
        file: String,
    },
    /// It was begun for another issuer or on another chain.
    #[error("{file} was begun for {account} on {chain}: finish it with that issuer's node, or delete it to begin anew")]
    Elsewhere {
        /// The pending file.
        file: String,
        /// The account it was begun for.
        account: Address,
        /// The chain it was begun on.
        chain: ChainId,
    },
}

/// The configuration under which a file is anchored: the one that a run before this one stored, or `fresh`, stored
/// durably before it is returned.
///
/// A configuration stored for other content than the file has now is replaced: that digest is of a document that
/// is gone.
pub fn begin(pending: &Path, content: &Content, fresh: ProofConfig) -> Result<ProofConfig, PendingError> {
    let digest = content.digest(&fresh);
    let Value::Object(members) = fresh.to_json() else { unreachable!("a configuration prints as an object") };
    let stored = Stored { digest, proof_config: members };
    let bytes = serde_json::to_vec(&stored).expect("hashes and JSON values serialise");
    match files::create(pending, &bytes) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        created => return Ok(created.map(|()| fresh)?),
    }
    let (config, digest) = load(pending)?;
    if content.digest(&config) != digest {
        files::replace(pending, &bytes)?;
        return Ok(fresh);
    }
    if (config.chain, config.account) != (fresh.chain, fresh.account) {
        let file = pending.display().to_string();
        return Err(PendingError::Elsewhere { file, account: config.account, chain: config.chain });
    }
    Ok(config)
}

/// The configuration of an anchoring under way; `None` where there is none.
pub fn resume(pending: &Path) -> Result<Option<ProofConfig>, PendingError> {
    match load(pending) {
        Err(PendingError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        loaded => loaded.map(|(config, _)| Some(config)),
    }
}

fn load(pending: &Path) -> Result<(ProofConfig, Digest), PendingError> {
    let unreadable = || PendingError::Unreadable { file: pending.display().to_string() };
    let bytes = files::read_up_to(pending, json::MAX_BYTES)?.map_err(|_| unreadable())?;
    let value = json::parse(&bytes).map_err(|_| unreadable())?;
    let stored: Stored = serde_json::from_value(value).map_err(|_| unreadable())?;
    let config = ProofConfig::from_members(stored.proof_config).map_err(|_| unreadable())?;
    Ok((config, stored.digest))
}

/// Forgets an anchoring that is done. One that was never begun is fine.
pub fn end(pending: &Path) -> io::Result<()> {
    match fs::remove_file(pending) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use testamur_core::{Hash, UnixSeconds};

    use super::*;

    const CHAIN: ChainId = ChainId(31337);

    fn config(chain: ChainId, nonce: u8) -> ProofConfig {
        ProofConfig::new(None, chain, Address([7; 20]), UnixSeconds(1_800_000_000), [nonce; 32])
    }

    #[test]
    fn a_second_run_finds_the_first_one_s_nonce() {
        let folder = tempfile::tempdir().unwrap();
        let pending = folder.path().join("a.pdf.pending.json");
        let content = Content::File(Hash([1; 32]));
        let first = begin(&pending, &content, config(CHAIN, 1)).unwrap();
        assert_eq!(begin(&pending, &content, config(CHAIN, 2)).unwrap(), first);
        end(&pending).unwrap();
        end(&pending).unwrap();
        assert_eq!(begin(&pending, &content, config(CHAIN, 2)).unwrap(), config(CHAIN, 2));
    }

    #[test]
    fn other_content_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let pending = folder.path().join("a.pdf.pending.json");
        begin(&pending, &Content::File(Hash([1; 32])), config(CHAIN, 1)).unwrap();
        let changed = Content::File(Hash([2; 32]));
        assert_eq!(begin(&pending, &changed, config(CHAIN, 2)).unwrap(), config(CHAIN, 2));
        assert_eq!(begin(&pending, &changed, config(CHAIN, 3)).unwrap(), config(CHAIN, 2));
    }

    #[test]
    fn another_chain_or_a_spoilt_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let pending = folder.path().join("a.pdf.pending.json");
        let content = Content::File(Hash([1; 32]));
        begin(&pending, &content, config(CHAIN, 1)).unwrap();
        let other = begin(&pending, &content, config(ChainId(1), 2));
        assert!(matches!(other, Err(PendingError::Elsewhere { chain: CHAIN, .. })));
        fs::write(&pending, "{").unwrap();
        let spoilt = begin(&pending, &content, config(CHAIN, 1));
        assert!(matches!(spoilt, Err(PendingError::Unreadable { .. })));
    }
}
