//! A new account: a fresh private key in a file that only its owner can read.

use std::{fs, io, path::Path};

use eth_keystore::KeystoreError;
use rand::{TryRngCore, rngs::OsRng};
use testamur_chain::{Key, KeySource};
use zeroize::Zeroizing;

use crate::{files, testimony::Witness};

/// Why there is no new key.
#[derive(Debug, thiserror::Error)]
pub enum NewKeyError {
    /// A file of that name is there; it may hold a key, so it is not replaced.
    #[error("{0} exists already: choose another name")]
    Exists(String),
    /// The disk.
    #[error("the key cannot be written: {0}")]
    Write(#[from] io::Error),
    /// The password cannot be read.
    #[error("{file}: {error}")]
    Password {
        /// The file.
        file: String,
        /// Why not.
        error: io::Error,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Randomness(#[source] rand::rand_core::OsError),
    /// The encryption.
    #[error("the key cannot be encrypted: {0}")]
    Encrypt(#[from] KeystoreError),
    /// What was written cannot be read back.
    #[error(transparent)]
    Key(#[from] testamur_chain::Error),
}

/// Makes a new key and reads it back: as it stands in a file of mode 0600, or encrypted with a password.
pub fn create(source: &KeySource) -> Result<Key, NewKeyError> {
    let secret = random()?;
    let (path, content) = match source {
        KeySource::KeyFile(path) => (path, digits(&secret)),
        KeySource::Keystore { file, password_file } => (file, encrypt(secret.as_ref(), password_file)?.into()),
    };
    write(path, &content)?;
    let key = source.load();
    if key.is_err() {
        // What cannot be read back is no key; nobody has used it.
        fs::remove_file(path)?;
    }
    Ok(key?)
}

/// Makes a new Ed25519 key that signs verification receipts, and reads it back.
pub fn create_witness(path: &Path) -> Result<Witness, NewKeyError> {
    let seed = random()?;
    write(path, &digits(&seed))?;
    Ok(Witness::load(path)?)
}

fn random() -> Result<Zeroizing<[u8; 32]>, NewKeyError> {
    let mut secret = Zeroizing::new([0; 32]);
    OsRng.try_fill_bytes(secret.as_mut()).map_err(NewKeyError::Randomness)?;
    Ok(secret)
}

fn digits(secret: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(format!("{}\n", hex::encode(secret)).into_bytes())
}

/// Writes a new file, for its owner only.
fn write(path: &Path, content: &[u8]) -> Result<(), NewKeyError> {
    files::create(path, content).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => NewKeyError::Exists(path.display().to_string()),
        _ => error.into(),
    })
}

/// The keystore (Web3 Secret Storage, version 3) of a key.
fn encrypt(secret: &[u8], password_file: &Path) -> Result<Vec<u8>, NewKeyError> {
    let unusable = |error| NewKeyError::Password { file: password_file.display().to_string(), error };
    let password = fs::read_to_string(password_file).map(Zeroizing::new).map_err(unusable)?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(unusable(io::Error::new(io::ErrorKind::InvalidData, "the password is empty")));
    }
    // The library writes a file of its own; this folder is ours alone.
    let folder = tempfile::tempdir()?;
    eth_keystore::encrypt_key(folder.path(), &mut rand_08::rngs::OsRng, secret, password, Some("key"))?;
    Ok(fs::read(folder.path().join("key"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_read_back_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let source = KeySource::KeyFile(folder.path().join("key"));
        let key = create(&source).unwrap();
        assert_eq!(source.load().unwrap().address(), key.address());
        assert!(matches!(create(&source), Err(NewKeyError::Exists(_))));
        assert_eq!(source.load().unwrap().address(), key.address());
    }

    #[test]
    fn a_keystore_opens_with_its_password() {
        let folder = tempfile::tempdir().unwrap();
        let password_file = folder.path().join("password");
        let source = KeySource::Keystore { file: folder.path().join("keystore"), password_file: password_file.clone() };
        assert!(matches!(create(&source), Err(NewKeyError::Password { .. })));
        files::create(&password_file, b"correct horse\n").unwrap();
        let key = create(&source).unwrap();
        assert_eq!(source.load().unwrap().address(), key.address());
        let text = fs::read_to_string(folder.path().join("keystore")).unwrap();
        assert!(text.contains("\"version\":3") && text.contains("scrypt"));
    }

    #[test]
    fn a_password_that_others_may_read_leaves_no_keystore() {
        let folder = tempfile::tempdir().unwrap();
        let password_file = folder.path().join("password");
        files::replace(&password_file, b"x").unwrap();
        let file = folder.path().join("keystore");
        let created = create(&KeySource::Keystore { file: file.clone(), password_file });
        assert!(created.unwrap_err().to_string().contains("chmod 600"));
        assert!(!file.exists());
    }
}
