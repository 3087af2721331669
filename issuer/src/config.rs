//! The configuration: one TOML file, `issuer.toml`. Unknown keys are refused; secrets stand in files that it names.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use testamur::{
    Node, Token,
    node::{NodeError, Wait},
};
use testamur_chain::keys::read_secret;
use testamur_core::Address;
use testamur_credentials::sign::{Signer, SigningKey, Suite};
use zeroize::Zeroizing;

use crate::profile::Profile;

/// Where it is, unless stated.
pub const FILE: &str = "issuer.toml";
/// The name of the store in the data folder.
const STORE: &str = "issuer.sqlite";

/// Everything that can be configured. Paths are meant from the folder of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Who issues, as credentials name it.
    pub profile: Profile,
    /// How credentials are signed.
    pub signing: Signing,
    /// The node that anchors them.
    pub node: NodeSettings,
    /// The folder of the store. It holds people's data.
    #[serde(default = "default_data_dir")]
    pub data_dir: PathBuf,
    /// The folder of the templates that are called by their names.
    #[serde(default = "default_templates")]
    pub templates: PathBuf,
    /// The folder that all paths start from.
    #[serde(skip)]
    folder: PathBuf,
}

/// Table `[signing]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    /// The Ed25519 key: 64 hex digits in a file of mode 0600.
    pub key_file: PathBuf,
    /// The name under which verifiers find the key. Default: the key in the document of `profile.id`.
    pub method: Option<String>,
    /// `eddsa-jcs-2022`, or `eddsa-rdfc-2022` for readers that know nothing else.
    #[serde(default)]
    pub suite: Suite,
}

/// Table `[node]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSettings {
    /// Its URL.
    pub url: String,
    /// The file that holds its bearer token.
    pub token_file: PathBuf,
    /// The account that the token must speak for. Default: whichever it does.
    pub account: Option<Address>,
    /// How settled an anchor must be before a credential is written.
    #[serde(default)]
    pub wait: Settled,
}

/// How settled an anchor is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Settled {
    /// In a block, which may still be undone.
    Included,
    /// In a finalized block.
    #[default]
    Final,
}

impl From<Settled> for Wait {
    fn from(settled: Settled) -> Self {
        match settled {
            Settled::Included => Self::Included,
            Settled::Final => Self::Final,
        }
    }
}

/// What is wrong with the configuration, or with a file that it names.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// There is none.
    #[error("there is no {}: `testamur-issuer init` makes one, --config names another", .0.display())]
    Absent(PathBuf),
    /// A file cannot be read, or a folder not be made.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The file is not TOML, or a key is unknown, missing or of a wrong value.
    #[error("{}: {error}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// Where and why.
        error: Box<toml::de::Error>,
    },
    /// A key has a value that it cannot have.
    #[error("{key}: {reason}")]
    Key {
        /// The key.
        key: &'static str,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The signing key cannot be read.
    #[error(transparent)]
    Secret(#[from] testamur_chain::Error),
    /// The node's URL.
    #[error("node.url: {0}")]
    Node(#[from] NodeError),
}

/// The signing key and the name that verifiers find it by.
pub struct NamedKey {
    key: SigningKey,
    method: String,
}

impl NamedKey {
    /// What signs with it.
    pub fn signer(&self) -> Signer<'_> {
        Signer { key: &self.key, method: &self.method }
    }
}

impl Settings {
    /// Reads the file.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SettingsError::Absent(path.to_owned()));
            }
            text => text.map_err(|error| SettingsError::File { path: path.to_owned(), error })?,
        };
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let settings = Self::parse(&text, folder);
        settings.map_err(|error| SettingsError::Toml { path: path.to_owned(), error: Box::new(error) })?.checked()
    }

    fn parse(text: &str, folder: PathBuf) -> Result<Self, toml::de::Error> {
        Ok(Self { folder, ..toml::from_str(text)? })
    }

    /// What types do not say.
    fn checked(self) -> Result<Self, SettingsError> {
        let refuse = |key, reason: &str| Err(SettingsError::Key { key, reason: reason.to_owned() });
        let id = &self.profile.id;
        match self {
            _ if !id.starts_with("did:") && !id.starts_with("https://") => {
                refuse("profile.id", "a DID (`did:web:example.edu`, `did:key:…`) or an https:// URL is needed")
            }
            _ if self.profile.name.trim().is_empty() => refuse("profile.name", "what do people call the issuer?"),
            _ if self.signing.suite == Suite::VcJwt => refuse(
                "signing.suite",
                "a credential in a file has its proof inside: eddsa-jcs-2022 or eddsa-rdfc-2022",
            ),
            _ => Ok(self),
        }
    }

    /// A path of the file, from where the command stands.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// The store's file, in its folder, which is made where there is none.
    pub fn store(&self) -> Result<PathBuf, SettingsError> {
        use std::os::unix::fs::DirBuilderExt as _;
        let path = self.path(&self.data_dir);
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|error| SettingsError::File { path: path.clone(), error })?;
        Ok(path.join(STORE))
    }

    /// The node, with its token. No request is made.
    pub fn node(&self) -> Result<Node, SettingsError> {
        let path = self.path(&self.node.token_file);
        let text = fs::read_to_string(&path).map(Zeroizing::new);
        let text = text.map_err(|error| SettingsError::File { path, error })?;
        let token = Token::new(&text).ok_or_else(|| SettingsError::Key {
            key: "node.token_file",
            reason: "the file holds no token: one line of printable characters".to_owned(),
        })?;
        Ok(Node::new(&self.node.url, token)?)
    }

    /// The signing key.
    pub fn key(&self) -> Result<NamedKey, SettingsError> {
        let path = self.path(&self.signing.key_file);
        let text = read_secret(&path)?;
        let mut seed = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), seed.as_mut()).map_err(|_| SettingsError::Key {
            key: "signing.key_file",
            reason: format!(
                "{} holds no Ed25519 key of 64 hex digits; `testamur key new --kind ed25519 --out FILE` makes one",
                path.display()
            ),
        })?;
        let key = SigningKey::from_seed(&seed);
        let method = self.method(&key)?;
        Ok(NamedKey { key, method })
    }

    /// The name of the key: as stated, or where the document of the issuer's DID has it.
    fn method(&self, key: &SigningKey) -> Result<String, SettingsError> {
        let refuse = |key, reason: String| Err(SettingsError::Key { key, reason });
        let id = &self.profile.id;
        match &self.signing.method {
            Some(method) => Ok(method.clone()),
            None if id.starts_with("did:key:") && *id != key.did() => {
                refuse("profile.id", format!("it is another key than the one that signs, {}", key.did()))
            }
            None if id.starts_with("did:key:") => Ok(key.did_method()),
            None if id.starts_with("did:") => Ok(format!("{id}#{}", key.multikey())),
            None => refuse("signing.method", format!("{id} is no DID: name the URL at which verifiers find the key")),
        }
    }
}

fn default_data_dir() -> PathBuf {
    "data".into()
}

fn default_templates() -> PathBuf {
    "templates".into()
}

#[cfg(test)]
mod tests {
    use testamur::newkey;

    use super::*;

    const TEXT: &str = r#"
        [profile]
        id = "did:web:university.example"
        name = "Example University"
        [signing]
        key_file = "issuer.key"
        [node]
        url = "https://node.example"
        token_file = "node.token"
    "#;

    fn load(text: &str) -> Result<Settings, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), text).unwrap();
        Settings::load(&folder.path().join(FILE))
    }

    #[test]
    fn what_is_not_stated_has_a_default() {
        let settings = load(TEXT).unwrap();
        assert_eq!((settings.signing.suite, settings.node.wait), (Suite::EddsaJcs2022, Settled::Final));
        assert!(settings.path(&settings.data_dir).ends_with("data"));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let told = |text: &str| load(text).unwrap_err().to_string();
        for (from, to, part) in [
            ("name =", "nam =", "unknown field `nam`"),
            ("[node]", "[nodes]", "unknown field `nodes`"),
            ("key_file = \"issuer.key\"", "", "missing field `key_file`"),
            ("did:web:university.example", "university.example", "profile.id"),
            ("Example University", " ", "profile.name"),
            ("[node]", "suite = \"RS256\"\n[node]", "suite"),
            ("[node]", "suite = \"vc-jwt\"\n[node]", "signing.suite"),
            ("[node]", "[node]\nwait = \"never\"", "wait"),
        ] {
            let told = told(&TEXT.replace(from, to));
            assert!(told.contains(part), "{to}: {told}");
        }
        assert!(told("profile = [").contains("issuer.toml"));
        let absent = Settings::load(Path::new("/nonexistent/issuer.toml")).unwrap_err().to_string();
        assert!(absent.contains("testamur-issuer init"), "{absent}");
    }

    #[test]
    fn a_key_has_the_name_that_its_issuer_s_document_gives_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("issuer.key");
        let did = newkey::create_witness(&file).unwrap().did();
        let multikey = did.strip_prefix("did:key:").unwrap().to_owned();
        let method = |id: &str| {
            let text = TEXT.replace("did:web:university.example", id);
            Settings::parse(&text, folder.path().to_owned()).unwrap().key().map(|key| key.method)
        };
        assert_eq!(method(&did).unwrap(), format!("{did}#{multikey}"));
        assert_eq!(method("did:web:a.example").unwrap(), format!("did:web:a.example#{multikey}"));
        assert!(method("did:key:z6MkOther").is_err_and(|told| told.to_string().contains(&did)));
        assert!(method("https://a.example").is_err_and(|told| told.to_string().contains("signing.method")));
        fs::write(&file, "no key").unwrap();
        assert!(method(&did).is_err());
    }
}
