//! The server's own key for signing lists: Ed25519, made at its first start.
//!
//! Whoever reads it can sign lists in this server's name and no more: each list carries its path to the root on chain,
//! which no signature replaces.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use rand::RngCore;
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// What says "Ed25519 public key" in a did:key (multicodec 0xed, as a varint).
const ED25519_PUBLIC: [u8; 2] = [0xed, 0x01];
/// 64 hex digits, and room for a line end.
const LONGEST_FILE: u64 = 66;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListKeyError {
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what this code writes, or others may read it.
    #[error("{} {reason}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
}

/// A key for signing lists. It is wiped from memory when dropped.
pub struct ListKey {
    secret: SigningKey,
    did: String,
    method: String,
}

impl ListKey {
    /// The key of a data folder, in its file `list-key`: the seed, 64 hex digits, mode 0600. Made where there is none.
    pub fn open(data_dir: &Path) -> Result<Self, ListKeyError> {
        let path = data_dir.join("list-key");
        let seed = match read(&path) {
            Err(ListKeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                make(data_dir, &path).map_err(|source| ListKeyError::File { path, source })?
            }
            read => read?,
        };
        Ok(Self::from_seed(&seed))
    }

    /// The key of a seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let secret = SigningKey::from_bytes(seed);
        let public = [&ED25519_PUBLIC[..], secret.verifying_key().as_bytes()].concat();
        let multibase = format!("z{}", bs58::encode(public).into_string());
        let did = format!("did:key:{multibase}");
        Self { secret, method: format!("{did}#{multibase}"), did }
    }

    /// Who signs: the `did:key` of this key.
    pub fn did(&self) -> &str {
        &self.did
    }

    /// The name of the key itself: verification method in a Data Integrity proof, `kid` in JOSE and COSE.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The public key as a JSON Web Key (RFC 8037).
    pub fn jwk(&self) -> Value {
        let x = BASE64_URL_SAFE_NO_PAD.encode(self.secret.verifying_key().as_bytes());
        json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.method, "x": x })
    }

    /// Signs bytes: always the same signature for the same bytes (RFC 8032).
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }
}

fn read(path: &Path) -> Result<Zeroizing<[u8; 32]>, ListKeyError> {
    let failed = |source| ListKeyError::File { path: path.to_owned(), source };
    let refused = |reason: String| ListKeyError::Refused { path: path.to_owned(), reason };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o177 != 0 {
        let advice = format!("has mode {mode:04o}, so others may read it; run: chmod 600 '{}'", path.display());
        return Err(refused(advice));
    }
    let mut text = Zeroizing::new(Vec::with_capacity(LONGEST_FILE as usize + 1));
    file.take(LONGEST_FILE + 1).read_to_end(&mut text).map_err(failed)?;
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim_ascii_end(), seed.as_mut()).map_err(|_| {
        refused("does not hold a seed of 64 hex digits; take it from a backup, or move it away for a new key".into())
    })?;
    Ok(seed)
}

/// The file is whole on disk before it has its name.
fn make(data_dir: &Path, path: &Path) -> io::Result<Zeroizing<[u8; 32]>> {
    let mut seed = Zeroizing::new([0; 32]);
    rand::rng().fill_bytes(seed.as_mut());
    DirBuilder::new().recursive(true).mode(0o700).create(data_dir)?;
    let temporary = data_dir.join("list-key.new");
    let mut file = File::options().create(true).write(true).truncate(true).mode(0o600).open(&temporary)?;
    let text = Zeroizing::new(hex::encode(seed.as_ref()) + "\n");
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(data_dir)?.sync_all()?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        let made = ListKey::open(&data_dir).unwrap();
        assert_eq!(ListKey::open(&data_dir).unwrap().did(), made.did());
        let mode = fs::metadata(data_dir.join("list-key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!data_dir.join("list-key.new").exists());
    }

    #[test]
    fn a_file_that_others_read_or_that_holds_no_seed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list-key");
        let seed = "ab".repeat(32);
        let refusal = |text: &str, mode| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            ListKey::open(folder.path()).map(|key| key.did).map_err(|error| error.to_string())
        };
        assert!(refusal(&seed, 0o644).unwrap_err().contains("chmod 600"));
        for wrong in ["", &seed[1..], &format!("{seed}00"), &"zz".repeat(32), &"ab".repeat(4000)] {
            let told = refusal(wrong, 0o600).unwrap_err();
            assert!(told.contains("64 hex digits") && !told.contains("abab"), "{told}");
        }
        assert!(refusal(&format!("{seed}\n"), 0o600).is_ok());
    }

    /// The key of RFC 8037, appendix A.1.
    #[test]
    fn a_public_key_is_written_as_its_specifications_say() {
        let mut seed = [0; 32];
        hex::decode_to_slice("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", &mut seed).unwrap();
        let key = ListKey::from_seed(&seed);
        assert_eq!(key.jwk()["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert!(key.did().starts_with("did:key:z6Mk") && key.method() == format!("{}#{}", key.did(), &key.did()[8..]));
    }
}
