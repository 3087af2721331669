//! Files on disk: which are meant, how they are read within limits, and how they are replaced without a torn state.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use testamur_core::{Error, Hash};

/// What a detached receipt's name adds to the file's.
const RECEIPT: &str = ".receipt.json";
/// What the name of an anchoring under way adds to the file's.
const PENDING: &str = ".pending.json";

/// What the name of an archive of evidence adds to the file's, or the folder's.
const EVIDENCE: &str = ".evidence";

/// For whom the umask lets.
const SHARED: u32 = 0o666;
/// For the owner.
const PRIVATE: u32 = 0o600;

/// Where the detached receipt of a file stands.
pub fn receipt_path(file: &Path) -> PathBuf {
    beside(file, RECEIPT)
}

/// Where the evidence for a file, or for all of a folder, stands.
pub fn evidence_path(file: &Path) -> PathBuf {
    // `class/` is `class`.
    beside(&file.components().collect::<PathBuf>(), EVIDENCE)
}

/// Where the proof configuration of a file stands until its anchoring is done.
pub fn pending_path(file: &Path) -> PathBuf {
    beside(file, PENDING)
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    name.into()
}

/// The file that a receipt, evidence, or an anchoring under way stands beside, by its name; `None` for any other name.
pub fn accompanied_file(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let file = [RECEIPT, PENDING, EVIDENCE].iter().find_map(|suffix| name.strip_suffix(suffix))?;
    (!file.is_empty()).then(|| path.with_file_name(file))
}

/// The files that an argument means: the file itself, or all files of a folder by name, without our companions,
/// hidden files and subfolders.
pub fn expand(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let file = entry?.path();
        let is_hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if file.is_file() && !is_hidden && accompanied_file(&file).is_none() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Opens a regular file and tells its length in bytes. A pipe would block for ever, and a device might never end.
pub fn open(path: &Path) -> io::Result<(File, u64)> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

/// All bytes of a file, or the refusal of one that is larger than `limit`.
pub fn read_up_to(path: &Path, limit: usize) -> io::Result<Result<Vec<u8>, Error>> {
    let (file, length) = open(path)?;
    if length > limit as u64 {
        return Ok(Err(Error::TooLarge { found: length.try_into().unwrap_or(usize::MAX), limit }));
    }
    let mut bytes = Vec::with_capacity(length as usize);
    // It may grow while it is read.
    file.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(Ok(bytes))
}

/// SHA-256 of everything that a reader gives, 64 KiB at a time: files of any size are hashed in little memory.
pub fn hash(mut reader: impl Read) -> io::Result<Hash> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(Hash(hasher.finalize().into())),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes a file so that after a crash either the old content or the new one is there, whole.
///
/// A link is followed, so that it stays one; permissions are kept.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut temporary = temporary_beside(&path, SHARED)?;
    if let Ok(old) = fs::metadata(&path) {
        temporary.as_file().set_permissions(old.permissions())?;
    }
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist(&path).map_err(|error| error.error)?;
    sync_folder(&path)
}

/// Writes a file for its owner only (0600) that must not exist yet, whole or not at all;
/// [`io::ErrorKind::AlreadyExists`] where it does.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = temporary_beside(path, PRIVATE)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist_noclobber(path).map_err(|error| error.error)?;
    sync_folder(path)
}

/// Copies a file, whole or not at all.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let (mut source, _) = open(from)?;
    let mut temporary = temporary_beside(to, SHARED)?;
    io::copy(&mut source, &mut temporary)?;
    temporary.as_file().sync_all()?;
    temporary.persist(to).map_err(|error| error.error)?;
    sync_folder(to)
}

/// A temporary file in the folder of `path`: a rename is atomic only within one file system.
fn temporary_beside(path: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let permissions = fs::Permissions::from_mode(mode);
    tempfile::Builder::new().prefix(".testamur-").permissions(permissions).tempfile_in(folder(path))
}

/// A rename survives a power cut only once the folder is on disk too.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_means_its_own_files() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["b.pdf", "a.json", "a.json.pending.json", "b.pdf.receipt.json", ".hidden"];
        names.iter().for_each(|name| fs::write(folder.path().join(name), "x").unwrap());
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::write(folder.path().join("sub/c.pdf"), "x").unwrap();
        let expected = ["a.json", "b.pdf"].map(|name| folder.path().join(name));
        assert_eq!(expand(folder.path()).unwrap(), expected);
        // A file is taken at its word, and so is one that is not there: the error comes when it is read.
        assert_eq!(expand(Path::new("absent")).unwrap(), [Path::new("absent")]);
    }

    #[test]
    fn replacing_keeps_permissions_and_links_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn creating_is_private_and_never_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        create(&file, b"first").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(create(&file, b"second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&file).unwrap(), b"first");
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let absent = Path::new("/nonexistent/folder/file");
        assert!(replace(absent, b"x").is_err() && create(absent, b"x").is_err());
        assert!(open(Path::new("/dev/zero")).is_err());
        assert!(open(Path::new("/")).is_err());
    }

    #[test]
    fn hashing_in_pieces_is_hashing_the_whole() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
        assert_eq!(hash(&bytes[..]).unwrap(), testamur_core::digest::file_hash(&bytes));
    }

    #[test]
    fn a_companion_s_name_leads_to_its_file() {
        assert_eq!(accompanied_file(Path::new("d/a.pdf.receipt.json")), Some("d/a.pdf".into()));
        assert_eq!(accompanied_file(Path::new("a.pdf.pending.json")), Some("a.pdf".into()));
        assert_eq!(accompanied_file(&evidence_path(Path::new("d/a/"))), Some("d/a".into()));
        assert_eq!(accompanied_file(Path::new("d/a.pdf")), None);
        assert_eq!(accompanied_file(Path::new("d/.receipt.json")), None);
    }
}
