//! A zip archive of documents, read where it lies: nothing of it is ever written to disk.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use testamur_core::json::MAX_BYTES;
use zip::{ZipArchive, result::ZipError};

use super::{LoadError, Loaded};
use crate::files;

/// Members at most: an archive of more is split.
const MAX_MEMBERS: usize = 1_000_000;
/// How many times larger than packed a member may be beyond its first megabyte. Deflate reaches 1,032; text, 20.
const MAX_RATIO: u64 = 200;
/// Below this size, in bytes, the ratio does not matter.
const SMALL: u64 = 1 << 20;

/// An archive, and which of its members are documents.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    zip: ZipArchive<Shared>,
    names: Vec<String>,
    receipts: HashMap<String, usize>,
}

/// Why an archive, or a member, is not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// It is no zip archive, or a broken one.
    #[error("the archive cannot be read: {0}")]
    Broken(String),
    /// More members than are read at once.
    #[error("the archive has {found} members, at most {MAX_MEMBERS} are read; split it")]
    TooMany {
        /// How many it has.
        found: usize,
    },
    /// A name that would lead out of the folder in which somebody unpacks it.
    #[error("its name leads out of the archive")]
    Outside,
    /// A password is needed.
    #[error("it is encrypted")]
    Encrypted,
    /// It is a link to somewhere else.
    #[error("it is a symbolic link")]
    Symlink,
    /// More than is read of one document.
    #[error("it is larger than {limit} bytes when unpacked")]
    TooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// Packed as bombs are.
    #[error("it is packed more than {MAX_RATIO}-fold, as no document is")]
    Bomb,
}

impl Archive {
    /// Opens an archive and reads its table of contents.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        let (file, length) = files::open(path)?;
        let shared = Shared { file: Arc::new(file), length, place: 0 };
        let zip = ZipArchive::new(shared).map_err(broken)?;
        if zip.len() > MAX_MEMBERS {
            return Err(ArchiveError::TooMany { found: zip.len() }.into());
        }
        let name = |index| zip.name_for_index(index).and_then(Result::ok).map(|name| name.into_owned());
        let names: Vec<String> = (0..zip.len()).map(|index| name(index).unwrap_or_default()).collect();
        let is_companion = |name: &str| files::accompanied_file(Path::new(name)).is_some();
        let receipts = names.iter().enumerate().filter(|(_, name)| is_companion(name));
        let receipts = receipts.map(|(index, name)| (name.clone(), index)).collect();
        Ok(Self { path: path.to_owned(), zip, names, receipts })
    }

    /// The indices of its documents: not folders, hidden files, or receipts of others.
    pub fn documents(&self) -> impl Iterator<Item = usize> {
        self.names.iter().enumerate().filter(|(_, name)| self.is_document(name)).map(|(index, _)| index)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A member's name.
    pub fn name(&self, index: usize) -> &str {
        self.names.get(index).map_or("", String::as_str)
    }

    /// Bytes that a member says it has; more are not unpacked.
    pub(super) fn length(&self, index: usize) -> u64 {
        let mut zip = self.zip.clone();
        zip.by_index_raw(index).map_or(0, |member| member.size())
    }

    /// Unpacks a document, and the receipt beside it, into memory.
    pub(super) fn load(&self, index: usize) -> Result<Loaded, LoadError> {
        let mut zip = self.zip.clone(); // shares the table of contents and the file
        let bytes = unpack(&mut zip, index)?;
        let beside = files::receipt_path(Path::new(self.name(index)));
        let receipt = beside.to_str().and_then(|name| self.receipts.get(name));
        let receipt = receipt.map(|&index| unpack(&mut zip, index)).transpose()?;
        Ok(Loaded::of(bytes, receipt))
    }

    fn is_document(&self, name: &str) -> bool {
        let is_hidden = name.split('/').any(|part| part.starts_with('.') && part != ".." && part != ".");
        !name.ends_with('/') && !is_hidden && !name.starts_with("__MACOSX/") && !self.receipts.contains_key(name)
    }
}

fn unpack(zip: &mut ZipArchive<Shared>, index: usize) -> Result<Vec<u8>, LoadError> {
    let mut member = zip.by_index(index).map_err(|error| match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => ArchiveError::Encrypted.into(),
        error => broken(error),
    })?;
    if member.encrypted() {
        return Err(ArchiveError::Encrypted.into());
    }
    if member.is_symlink() {
        return Err(ArchiveError::Symlink.into());
    }
    if member.enclosed_name().is_none() {
        return Err(ArchiveError::Outside.into());
    }
    let (packed, stated) = (member.compressed_size(), member.size());
    let allowed = packed.saturating_mul(MAX_RATIO).max(SMALL).min(MAX_BYTES as u64);
    let mut bytes = Vec::new();
    // What the headers say of its size is not believed, but held against it.
    let read = member.by_ref().take(allowed + 1).read_to_end(&mut bytes);
    if bytes.len() > MAX_BYTES {
        return Err(ArchiveError::TooLarge { limit: MAX_BYTES }.into());
    }
    if bytes.len() as u64 > allowed {
        return Err(ArchiveError::Bomb.into());
    }
    read.map_err(|error| ArchiveError::Broken(error.to_string()))?;
    if bytes.len() as u64 > stated {
        return Err(ArchiveError::Broken("a member is longer than it says".to_owned()).into());
    }
    Ok(bytes)
}

fn broken(error: ZipError) -> LoadError {
    match error {
        ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => LoadError::Io(error),
        error => ArchiveError::Broken(error.to_string()).into(),
    }
}

/// A reader of its own over a file that others read as well.
#[derive(Clone, Debug)]
struct Shared {
    file: Arc<File>,
    length: u64,
    place: u64,
}

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.place)?;
        self.place += count as u64;
        Ok(count)
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.place.checked_add_signed(offset),
        };
        self.place =
            place.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "before the start of the file"))?;
        Ok(self.place)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use tempfile::TempDir;
    use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn archive(members: &[(&str, &[u8])]) -> (TempDir, Archive) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        for (name, bytes) in members {
            zip.start_file(*name, options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap();
        let archive = Archive::open(&path).unwrap();
        (folder, archive)
    }

    #[test]
    fn documents_come_with_the_receipt_beside_them() {
        let members: [(&str, &[u8]); 6] = [
            ("class/a.json", b"{}"),
            ("class/b.pdf", b"%PDF"),
            ("class/b.pdf.receipt.json", b"[1]"),
            (".hidden/c.json", b"{}"),
            ("__MACOSX/a.json", b"{}"),
            ("folder/", b""),
        ];
        let (_folder, archive) = archive(&members);
        let documents: Vec<usize> = archive.documents().collect();
        assert_eq!(documents, [0, 1]);
        let loaded = archive.load(1).unwrap();
        assert_eq!((loaded.bytes.as_deref(), loaded.receipt.as_deref()), (Some(&b"%PDF"[..]), Some(&b"[1]"[..])));
        assert!(archive.load(0).unwrap().receipt.is_none());
    }

    #[test]
    fn bombs_and_names_that_lead_outside_are_rows_not_the_end() {
        let (_folder, archive) =
            archive(&[("bomb.json", &vec![b' '; 8 << 20]), ("../../evil.json", b"{}"), ("ok", b"x")]);
        let error = |index| match archive.load(index).err() {
            Some(LoadError::Archive(error)) => Some(error),
            _ => None,
        };
        assert!(matches!(error(0), Some(ArchiveError::Bomb)));
        assert!(matches!(error(1), Some(ArchiveError::Outside)));
        assert!(archive.load(2).is_ok());
        assert!(archive.load(3).is_err());
    }

    #[test]
    fn a_member_is_not_longer_than_it_says() {
        let (_folder, honest) = archive(&[("a.json", &[b' '; 5_000])]);
        assert_eq!((honest.length(0), honest.length(1)), (5_000, 0));
        let mut bytes = fs::read(honest.path()).unwrap();
        let listed = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        bytes[listed + 24..listed + 28].copy_from_slice(&3_u32.to_le_bytes());
        fs::write(honest.path(), bytes).unwrap();
        let lying = Archive::open(honest.path()).unwrap();
        assert_eq!(lying.length(0), 3);
        assert!(matches!(lying.load(0), Err(LoadError::Archive(ArchiveError::Broken(_)))));
    }

    #[test]
    fn what_is_no_archive_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        for bytes in [&b""[..], b"PK\x03\x04", b"no zip at all"] {
            fs::write(&path, bytes).unwrap();
            assert!(matches!(Archive::open(&path), Err(LoadError::Archive(ArchiveError::Broken(_)))), "{bytes:?}");
        }
    }
}
