//! The list of keys: `keys.json` in a folder, beside one file for each secret. The list is public; the secrets are for
//! the owner's eyes (mode 0600), and nobody needs those of former keys any more.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rand::{TryRngCore as _, rngs::OsRng};
use serde::{Deserialize, Serialize};
use testamur::files;
use testamur_chain::keys::read_secret;
use testamur_core::UnixSeconds;
use testamur_credentials::{keys::parse_multikey, sign::SigningKey};
use zeroize::Zeroizing;

use super::KeysError;

/// The list's name.
const LIST: &str = "keys.json";
/// What keeps two programs from changing the list at once.
const LOCK: &str = ".lock";

/// The keys of an institution.
#[derive(Debug)]
pub struct KeyRing {
    folder: PathBuf,
    list: List,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    version: u32,
    keys: Vec<Key>,
    /// The key that signs.
    current: Option<String>,
}

/// A key as the list has it: its public half, and its story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The public key as a Multikey, `z6Mk…`. It is also its name, behind `#`: so verifiers can check what it signed
    /// though the document is out of reach, and only whose key it is remains open.
    pub name: String,
    /// When it was put on the list.
    pub listed: UnixSeconds,
    /// Since when somebody else may have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<UnixSeconds>,
}

impl KeyRing {
    /// The keys of a folder; none where there is no list yet.
    pub fn open(folder: &Path) -> Result<Self, KeysError> {
        let path = folder.join(LIST);
        let wrong = |reason: String| KeysError::List { path: path.clone(), reason };
        let list: List = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => List { version: 1, ..List::default() },
            Err(error) => return Err(KeysError::Disk { path, error }),
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?,
        };
        if list.version != 1 {
            return Err(wrong(format!("its version is {}, and this program knows 1", list.version)));
        }
        if let Some(key) = list.keys.iter().find(|key| parse_multikey(&key.name).is_err()) {
            return Err(wrong(format!("{} is no key", key.name)));
        }
        Ok(Self { folder: folder.to_owned(), list })
    }

    /// All keys, the oldest first.
    pub fn keys(&self) -> &[Key] {
        &self.list.keys
    }

    /// The key that signs.
    pub fn current(&self) -> Option<&Key> {
        self.list.keys.iter().find(|key| self.list.current.as_ref() == Some(&key.name))
    }

    /// Makes a new key, as [`Self::add`] takes it.
    pub fn create(&mut self, now: UnixSeconds) -> Result<String, KeysError> {
        let mut seed = Zeroizing::new([0; 32]);
        OsRng.try_fill_bytes(seed.as_mut()).map_err(KeysError::Randomness)?;
        self.add(&seed, now)
    }

    /// Takes a new key of these 32 random bytes, and returns its name. The first one signs at once; a later one does
    /// when it is told to ([`Self::use_key`]), which is to be after its document was published.
    pub fn add(&mut self, seed: &[u8; 32], now: UnixSeconds) -> Result<String, KeysError> {
        let key = SigningKey::from_seed(seed);
        let name = key.multikey().to_owned();
        self.change(|list, folder| {
            list.add(&name, now)?;
            list.current.get_or_insert_with(|| name.clone());
            let path = folder.join(&name);
            let digits = Zeroizing::new(format!("{}\n", *Zeroizing::new(hex::encode(seed))));
            // The secret first: a list that names a key which nobody has would be published.
            files::create(&path, digits.as_bytes()).map_err(|error| KeysError::Disk { path, error })
        })?;
        Ok(name)
    }

    /// Lists a key whose secret is not here, by its public half: one that signed on another platform, whose credentials
    /// are not to be orphaned.
    pub fn add_former(&mut self, multikey: &str, now: UnixSeconds) -> Result<(), KeysError> {
        if parse_multikey(multikey).is_err() {
            return Err(KeysError::NoMultikey { text: multikey.to_owned() });
        }
        self.change(|list, _| list.add(multikey, now))
    }

    /// From now on this key signs. Whichever did before stays in the document.
    pub fn use_key(&mut self, name: &str) -> Result<(), KeysError> {
        self.secret(name)?;
        self.change(|list, _| {
            match list.find(name)?.revoked {
                Some(since) => return Err(KeysError::Revoked { name: name.to_owned(), since }),
                None => list.current = Some(name.to_owned()),
            }
            Ok(())
        })
    }

    /// Somebody else may have this key since that moment. Once told it can become earlier, and never later. If it was the
    /// one that signs, none does until another is chosen.
    pub fn revoke(&mut self, name: &str, since: UnixSeconds) -> Result<(), KeysError> {
        self.change(|list, _| {
            let key = list.find(name)?;
            match key.revoked {
                Some(earlier) if earlier < since => {
                    return Err(KeysError::Revoked { name: name.to_owned(), since: earlier });
                }
                _ => key.revoked = Some(since),
            }
            list.current.take_if(|current| current == name);
            Ok(())
        })
    }

    /// Reads a key's file: 64 hex digits, mode 0600.
    pub(super) fn secret(&self, name: &str) -> Result<SigningKey, KeysError> {
        let known = self.list.keys.iter().any(|key| key.name == name);
        let path = known.then(|| self.folder.join(name)).ok_or_else(|| KeysError::Unknown { name: name.to_owned() })?;
        let key = read_key(&path)?;
        if key.multikey() != name {
            return Err(KeysError::Mixed { path, found: key.multikey().to_owned(), listed: name.to_owned() });
        }
        Ok(key)
    }

    /// Changes the newest list on disk, not the one in memory: another program may have changed it since.
    fn change(&mut self, change: impl FnOnce(&mut List, &Path) -> Result<(), KeysError>) -> Result<(), KeysError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            |error| KeysError::Disk { path, error }
        };
        fs::create_dir_all(&self.folder).map_err(failed(&self.folder))?;
        let lock = self.folder.join(LOCK);
        let guard = File::create(&lock).map_err(failed(&lock))?;
        guard.lock().map_err(failed(&lock))?;
        let mut list = Self::open(&self.folder)?.list;
        change(&mut list, &self.folder)?;
        let path = self.folder.join(LIST);
        let text = serde_json::to_string_pretty(&list).expect("texts and a number") + "\n";
        files::replace(&path, text.as_bytes()).map_err(failed(&path))?;
        self.list = list;
        Ok(())
    }
}

impl List {
    fn add(&mut self, name: &str, listed: UnixSeconds) -> Result<(), KeysError> {
        if self.find(name).is_ok() {
            return Err(KeysError::Known { name: name.to_owned() });
        }
        self.keys.push(Key { name: name.to_owned(), listed, revoked: None });
        Ok(())
    }

    fn find(&mut self, name: &str) -> Result<&mut Key, KeysError> {
        let found = self.keys.iter_mut().find(|key| key.name == name);
        found.ok_or_else(|| KeysError::Unknown { name: name.to_owned() })
    }
}

fn read_key(path: &Path) -> Result<SigningKey, testamur_chain::Error> {
    let text = read_secret(path)?;
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), seed.as_mut()).map_err(|_| testamur_chain::Error::KeyFile {
        path: path.to_owned(),
        fault: "holds no Ed25519 key of 64 hex digits; take it from a backup".to_owned(),
    })?;
    Ok(SigningKey::from_seed(&seed))
}
