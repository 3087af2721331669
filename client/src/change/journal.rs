//! A run under way, kept on disk until the node has answered: a run whose answer was lost, or that was killed, is
//! repeated under the same keys, so that the node takes it once.
//!
//! One small file for a run, found again by what the run is about: the same command leads to the same file.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use rand::{TryRngCore, rngs::OsRng};
use serde::{Deserialize, Serialize};
use testamur_core::{Hash, UnixSeconds};

use super::ChangeError;
use crate::files;

/// Seconds after which a run is begun anew. By then somebody may have changed back what it did, and the node's old
/// answer would hide that; doing a change twice does no harm.
const LONGEST_LIFE: u64 = 24 * 3600;
/// No journal of ours is longer.
const LONGEST: usize = 1000;

/// A run under way.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    stored: Stored,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// What the keys begin with: 128 random bits.
    key: String,
    created: UnixSeconds,
}

impl Journal {
    /// The run of this name: one that an earlier command left unanswered, or a new one, durable before this returns.
    pub fn begin(folder: &Path, name: Hash, now: UnixSeconds) -> Result<Self, ChangeError> {
        let path = folder.join(format!("{}.json", hex::encode(name.as_bytes())));
        let failed = |error| ChangeError::Journal { path: path.clone(), error };
        fs::create_dir_all(folder).map_err(failed)?;
        if let Some(stored) = load(&path).map_err(failed)?.filter(|stored| is_young(stored, now)) {
            return Ok(Self { path, stored });
        }
        let mut random = [0; 16];
        OsRng.try_fill_bytes(&mut random).map_err(ChangeError::Randomness)?;
        let stored = Stored { key: hex::encode(random), created: now };
        let bytes = serde_json::to_vec(&stored).expect("text and numbers serialise");
        files::replace(&path, &bytes).map_err(failed)?;
        Ok(Self { path, stored })
    }

    /// The idempotency key of one request of the run; `round` counts its attempts with fewer and fewer entries.
    pub fn key(&self, part: usize, round: usize) -> String {
        format!("{}-{part}-{round}", self.stored.key)
    }

    /// Where the run is kept.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Forgets a run that was answered.
    pub fn end(self) -> Result<(), ChangeError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ChangeError::Journal { path: self.path, error })
            }
            _ => Ok(()),
        }
    }
}

/// What an earlier run left; `None` where there is nothing that can be read.
fn load(path: &Path) -> io::Result<Option<Stored>> {
    match files::read_up_to(path, LONGEST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        bytes => Ok(bytes?.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())),
    }
}

fn is_young(stored: &Stored, now: UnixSeconds) -> bool {
    // A clock that went back is no reason to repeat anything.
    now.0.saturating_sub(stored.created.0) < LONGEST_LIFE
}

/// Where runs are kept: `testamur` in `$XDG_STATE_HOME`, else in `~/.local/state`, else in this folder.
pub fn default_folder() -> PathBuf {
    let named = |variable: &str| env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = named("XDG_STATE_HOME").or_else(|| named("HOME").map(|home| home.join(".local/state")));
    state.map_or_else(|| PathBuf::from(".testamur"), |state| state.join("testamur"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

    #[test]
    fn an_unanswered_run_keeps_its_key_for_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let begin = |name: u8, after: u64| {
            let now = UnixSeconds(NOW.0 + after);
            Journal::begin(&folder.path().join("state"), Hash([name; 32]), now).unwrap()
        };
        let first = begin(1, 0);
        assert_ne!(first.key(0, 0), first.key(0, 1));
        assert_eq!(begin(1, 3600).key(0, 0), first.key(0, 0));
        assert_ne!(begin(2, 0).key(0, 0), first.key(0, 0));
        let next_day = begin(1, LONGEST_LIFE);
        assert_ne!(next_day.key(0, 0), first.key(0, 0));
        next_day.end().unwrap();
        first.end().unwrap();
        assert!(!folder.path().join("state").join(format!("{}.json", "01".repeat(32))).exists());
    }

    #[test]
    fn a_spoilt_journal_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::begin(folder.path(), Hash([1; 32]), NOW).unwrap();
        fs::write(journal.path(), "{").unwrap();
        let anew = Journal::begin(folder.path(), Hash([1; 32]), NOW).unwrap();
        assert_ne!(anew.key(0, 0), journal.key(0, 0));
    }
}
