//! To the disk: each credential with its anchor in a file of its own. Names appear when the file is whole; the store
//! calls it written when it would outlive a power cut.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use testamur::files;

use super::{IssueError, Step};
use crate::store::{Anchored, Finished, Store};

/// The folder, made where there is none, by its whole path: it is found again from anywhere.
pub(super) fn folder(path: &Path) -> Result<PathBuf, IssueError> {
    let made = fs::create_dir_all(path).and_then(|()| fs::canonicalize(path));
    made.map_err(|error| IssueError::Write { path: path.to_owned(), error })
}

/// Writes every file that is due, and tells how many.
pub(super) fn write(store: &mut Store, at_once: usize, tell: &mut dyn FnMut(Step<'_>)) -> Result<u64, IssueError> {
    let _alone = store.alone()?;
    let mut count = 0;
    loop {
        let credentials = store.unwritten(at_once)?;
        if credentials.is_empty() {
            return Ok(count);
        }
        let folders: BTreeSet<&Path> = credentials.iter().map(|credential| credential.folder.as_path()).collect();
        folders.iter().try_for_each(|path| folder(path).map(drop))?;
        credentials.par_iter().try_for_each(write_one)?;
        folders.iter().try_for_each(|path| sync(path))?;
        store.note_written(&credentials)?;
        count += credentials.len() as u64;
        tell(Step::Written(credentials.len()));
    }
}

/// What a killed run left half written is replaced by the next one: it has the same name. A token's receipt comes
/// first: whoever finds the token finds its anchor.
fn write_one(credential: &Anchored) -> Result<(), IssueError> {
    let Finished { bytes, receipt } = credential.finish()?;
    let target = credential.folder.join(&credential.file);
    if let Some(receipt) = receipt {
        put(&files::receipt_path(&target), &receipt)?;
    }
    put(&target, &bytes)
}

fn put(target: &Path, bytes: &[u8]) -> Result<(), IssueError> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let part = target.with_file_name(format!(".{name}.part"));
    let written = fs::write(&part, bytes).and_then(|()| fs::rename(&part, target));
    written.map_err(|error| IssueError::Write { path: target.to_owned(), error })
}

/// Everything written into a folder is on disk. One call for thousands of files.
fn sync(folder: &Path) -> Result<(), IssueError> {
    let synced = File::open(folder).and_then(|folder| sync_file_system(&folder));
    synced.map_err(|error| IssueError::Write { path: folder.to_owned(), error })
}

#[cfg(target_os = "linux")]
fn sync_file_system(folder: &File) -> io::Result<()> {
    Ok(rustix::fs::syncfs(folder)?)
}

/// Elsewhere there is only the call for everything; it does not tell of errors.
#[cfg(not(target_os = "linux"))]
fn sync_file_system(_: &File) -> io::Result<()> {
    rustix::fs::sync();
    Ok(())
}
