//! Signing keys, from files only: never from a command line, never into a log.

use std::{
    fmt, fs,
    io::Read,
    path::{Path, PathBuf},
};

use alloy::{primitives::hex, signers::local::PrivateKeySigner};
use eth_keystore::{EthKeystore, KdfparamsType, KeystoreError};
use serde::Deserialize;
use testamur_core::Address;
use zeroize::Zeroizing;

use crate::{Error, contract::from_alloy};

/// A key file has 66 characters, a keystore some hundred.
const LONGEST_FILE: u64 = 64 << 10;
/// The memory that a keystore may ask scrypt for; the usual ones ask for 256 MiB.
const MOST_MEMORY: u64 = 1 << 30;

/// Where a signing key is. In a configuration file one of
/// `keystore = { file = "…", password_file = "…" }` and `key_file = "…"`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum KeySource {
    /// An encrypted keystore (Web3 Secret Storage, version 3).
    Keystore {
        /// The keystore. It is encrypted, so any mode will do.
        file: PathBuf,
        /// The password, up to an optional line end. Nobody but the owner may read it.
        password_file: PathBuf,
    },
    /// The private key itself: 64 hex digits, with or without `0x`. Nobody but the owner may read it.
    KeyFile(PathBuf),
}

/// A signing key. It is wiped from memory when dropped, and prints as its address.
pub struct Key(PrivateKeySigner);

impl Key {
    /// The account that it signs for.
    pub fn address(&self) -> Address {
        from_alloy(self.0.address())
    }

    pub(crate) fn signer(&self) -> &PrivateKeySigner {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.address())
    }
}

impl KeySource {
    /// Reads the key; [`Error::KeyFile`] says what is wrong with which file. A keystore takes up to seconds to decrypt.
    pub fn load(&self) -> Result<Key, Error> {
        match self {
            Self::Keystore { file, password_file } => {
                let password = read_secret(password_file)?;
                decrypt(file, password.trim_end_matches(['\r', '\n']))
            }
            Self::KeyFile(file) => {
                let text = read_secret(file)?;
                let mut bytes = Zeroizing::new([0; 32]);
                hex::decode_to_slice(text.trim(), bytes.as_mut())
                    .map_err(|_| fault(file, "a key file holds one private key of 64 hex digits"))?;
                key(file, bytes.as_ref())
            }
        }
    }
}

fn key(file: &Path, bytes: &[u8]) -> Result<Key, Error> {
    // Zero, the group order and above: no key of secp256k1. Of other lengths alloy would accept some.
    let signer = (bytes.len() == 32).then(|| PrivateKeySigner::from_slice(bytes).ok()).flatten();
    signer.map(Key).ok_or_else(|| fault(file, "holds no valid secp256k1 private key"))
}

fn decrypt(file: &Path, password: &str) -> Result<Key, Error> {
    let mut json = Zeroizing::new(String::new());
    read_to_string(file, open(file)?, &mut json)?;
    let keystore: EthKeystore =
        serde_json::from_str(&json).map_err(|error| fault(file, format!("not a version 3 keystore: {error}")))?;
    check(&keystore).map_err(|what| fault(file, format!("not a keystore that can be read: {what}")))?;
    let secret = eth_keystore::decrypt_key(file, password).map_err(|error| match error {
        KeystoreError::MacMismatch => fault(file, "the password is wrong, or the keystore was altered"),
        error => fault(file, error.to_string()),
    })?;
    key(file, &Zeroizing::new(secret))
}

/// What the decryption takes for granted, and panics or runs out of memory without.
fn check(keystore: &EthKeystore) -> Result<(), &'static str> {
    let crypto = &keystore.crypto;
    let (key_length, memory) = match crypto.kdfparams {
        KdfparamsType::Pbkdf2 { dklen, .. } => (dklen, 0),
        KdfparamsType::Scrypt { dklen, n, r, .. } => (dklen, 128 * u64::from(n) * u64::from(r)),
    };
    match () {
        () if keystore.version != 3 => Err("its version is not 3"),
        () if crypto.cipher != "aes-128-ctr" => Err("its cipher is not aes-128-ctr"),
        () if key_length != 32 => Err("its derived key has not 32 bytes"),
        () if crypto.cipherparams.iv.len() != 16 => Err("its iv has not 16 bytes"),
        () if memory > MOST_MEMORY => Err("its scrypt parameters ask for more than 1 GiB"),
        () => Ok(()),
    }
}

/// Reads a file that nobody but its owner may read: a key, a password. [`Error::KeyFile`] says what is wrong with it.
pub fn read_secret(path: &Path) -> Result<Zeroizing<String>, Error> {
    let file = open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().map_err(|error| fault(path, error.to_string()))?.permissions().mode() & 0o777;
        if mode & 0o177 != 0 {
            let advice = format!("has mode {mode:04o}, so others may read it; run: chmod 600 '{}'", path.display());
            return Err(fault(path, advice));
        }
    }
    let mut text = Zeroizing::new(String::new());
    read_to_string(path, file, &mut text)?;
    Ok(text)
}

/// Opens a regular file, itself and no link to it: whoever may place a link would choose the key.
fn open(path: &Path) -> Result<fs::File, Error> {
    let failed = |error: std::io::Error| fault(path, error.to_string());
    let named = fs::symlink_metadata(path).map_err(failed)?;
    if named.is_symlink() {
        return Err(fault(path, "is a symbolic link; name the file that it leads to"));
    }
    if !named.is_file() {
        return Err(fault(path, "is not a file"));
    }
    let file = fs::File::open(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let opened = file.metadata().map_err(failed)?;
        if (opened.dev(), opened.ino()) != (named.dev(), named.ino()) {
            return Err(fault(path, "was replaced while it was opened"));
        }
    }
    Ok(file)
}

fn read_to_string(path: &Path, file: fs::File, text: &mut Zeroizing<String>) -> Result<(), Error> {
    // Room for all of it at once: a string that grows leaves copies behind.
    text.reserve_exact(LONGEST_FILE as usize + 1);
    let read = file.take(LONGEST_FILE + 1).read_to_string(text).map_err(|error| fault(path, error.to_string()))?;
    if read as u64 > LONGEST_FILE { Err(fault(path, "is too large for a key or password")) } else { Ok(()) }
}

fn fault(path: &Path, what: impl Into<String>) -> Error {
    Error::KeyFile { path: path.to_owned(), fault: what.into() }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use serde_json::json;
    use tempfile::TempDir;

    use super::*;

    /// The first account of every development chain.
    const HEX: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    const ADDRESS: &str = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";

    fn file(dir: &TempDir, name: &str, content: &str, mode: u32) -> PathBuf {
        let path = dir.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn refusal(source: KeySource) -> String {
        source.load().unwrap_err().to_string()
    }

    #[test]
    fn a_key_file_gives_its_account_and_is_never_printed() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("a", HEX.to_owned()), ("b", format!("{}\n", &HEX[2..]))] {
            let key = KeySource::KeyFile(file(&dir, name, &text, 0o600)).load().unwrap();
            assert_eq!(format!("{key:?}"), format!("Key({ADDRESS})"));
        }
    }

    #[test]
    fn files_that_others_may_read_are_refused_with_the_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let path = file(&dir, "key", HEX, 0o644);
        let told = refusal(KeySource::KeyFile(path.clone()));
        assert!(told.contains("0644") && told.contains(&format!("chmod 600 '{}'", path.display())), "{told}");
        let password_file = file(&dir, "password", "x", 0o640);
        assert!(refusal(KeySource::Keystore { file: path, password_file }).contains("chmod 600"));
    }

    #[test]
    fn links_folders_and_wrong_contents_are_refused_without_repeating_them() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        symlink(file(&dir, "key", HEX, 0o600), &link).unwrap();
        assert!(refusal(KeySource::KeyFile(link)).contains("symbolic link"));
        assert!(refusal(KeySource::KeyFile(dir.path().to_owned())).contains("not a file"));
        assert!(refusal(KeySource::KeyFile(dir.path().join("none"))).contains("none"));
        for content in ["", "0x12", &HEX[..65], &"0".repeat(64), &"f".repeat(64), &"ab".repeat(40_000)] {
            let told = refusal(KeySource::KeyFile(file(&dir, "wrong", content, 0o600)));
            assert!(content.len() < 10 || !told.contains(&content[2..10]), "{told}");
        }
    }

    /// One of each kind, the password is `testpassword`. The second is the example of the Web3 Secret Storage
    /// Definition. The first holds the same key under geth's parameters, made with Python and openssl: the
    /// definition's own scrypt example breaks RFC 7914 (N is not below 2^(16 r)).
    fn keystores() -> [serde_json::Value; 2] {
        let store = |iv, ciphertext, kdf, kdfparams, mac| {
            json!({
                "crypto": {
                    "cipher": "aes-128-ctr", "cipherparams": { "iv": iv }, "ciphertext": ciphertext,
                    "kdf": kdf, "kdfparams": kdfparams, "mac": mac
                },
                "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
                "version": 3
            })
        };
        let scrypt_salt = "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19";
        let pbkdf2_salt = "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd";
        [
            store(
                "83dbcc02d8ccb40e466191a123791e0e",
                "b160ff7e6d855b53a3f8d65e4b2850584cfaa01751807f19d07c298de16f802d",
                "scrypt",
                json!({ "dklen": 32, "n": 262144, "p": 1, "r": 8, "salt": scrypt_salt }),
                "daeeba49ffae86381ae33f74c05dc0038888a7806267a04a1ae2183a7f2b7b17",
            ),
            store(
                "6087dab2f9fdbbfaddc31a909735c1e6",
                "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
                "pbkdf2",
                json!({ "c": 262144, "dklen": 32, "prf": "hmac-sha256", "salt": pbkdf2_salt }),
                "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
            ),
        ]
    }

    #[test]
    fn a_keystore_opens_with_its_password_only() {
        let dir = tempfile::tempdir().unwrap();
        let source = |json: &serde_json::Value, password: &str| KeySource::Keystore {
            file: file(&dir, "keystore", &json.to_string(), 0o644),
            password_file: file(&dir, "password", password, 0o600),
        };
        for keystore in keystores() {
            let key = source(&keystore, "testpassword\n").load().unwrap();
            assert_eq!(key.address().to_string(), "0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b");
        }
        let [scrypt, pbkdf2] = keystores();
        assert!(refusal(source(&pbkdf2, "testpasswor")).contains("password is wrong"));
        for (pointer, value) in [
            ("/version", json!(1)),
            ("/crypto/cipher", json!("aes-128-cbc")),
            ("/crypto/cipherparams/iv", json!("00")),
            ("/crypto/kdfparams/dklen", json!(16)),
            ("/crypto/kdfparams/n", json!(1 << 24)),
            ("/crypto/ciphertext", json!("")),
        ] {
            let mut wrong = scrypt.clone();
            *wrong.pointer_mut(pointer).unwrap() = value;
            assert!(source(&wrong, "testpassword").load().is_err(), "{pointer}");
        }
    }

    #[test]
    fn a_source_is_written_in_a_configuration_by_its_kind() {
        let parse = |value| serde_json::from_value::<KeySource>(value);
        assert_eq!(parse(json!({ "key_file": "k" })).unwrap(), KeySource::KeyFile("k".into()));
        let both = json!({ "keystore": { "file": "f", "password_file": "p" } });
        let (file, password_file) = ("f".into(), "p".into());
        assert_eq!(parse(both).unwrap(), KeySource::Keystore { file, password_file });
        assert!(parse(json!({ "private_key": HEX })).is_err());
    }
}
