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
use testamur_core::Address;
use testamur_credentials::sign::Suite;
use zeroize::Zeroizing;

use crate::{
    keys::{Account, IssuerKey, KeyRing, KeysError},
    mail, pages,
    profile::Profile,
    studio,
    template::TemplateFaults,
};

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
    #[serde(default)]
    pub signing: Signing,
    /// The node that anchors them.
    pub node: NodeSettings,
    /// The folder of the store. It holds people's data.
    #[serde(default = "default_data_dir")]
    pub data_dir: PathBuf,
    /// The folder of the templates that are called by their names.
    #[serde(default = "default_templates")]
    pub templates: PathBuf,
    /// The learners' pages, where there are any.
    pub share: Option<pages::Settings>,
    /// How mails to learners are sent, if they are.
    pub mail: Option<mail::Settings>,
    /// The web studio, where there is one.
    pub studio: Option<studio::Settings>,
    /// The folder that all paths start from.
    #[serde(skip)]
    folder: PathBuf,
}

/// Table `[signing]`. May be left out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signing {
    /// The folder of the keys: a [`KeyRing`].
    pub keys: PathBuf,
    /// How it is signed, unless a run says otherwise.
    pub suite: Suite,
    /// The issuer's accounts, now and formerly: for its document, or for statements where it has none.
    pub accounts: Vec<Account>,
}

impl Default for Signing {
    fn default() -> Self {
        Self { keys: "keys".into(), suite: Suite::default(), accounts: Vec::new() }
    }
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
    /// What is said of the issuer is nothing that Open Badges knows.
    #[error("{0}")]
    Profile(TemplateFaults),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The node's URL.
    #[error("node.url: {0}")]
    Node(#[from] NodeError),
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

    /// What types do not say; the logo is read.
    fn checked(self) -> Result<Self, SettingsError> {
        let refuse = |key, reason: &str| Err(SettingsError::Key { key, reason: reason.to_owned() });
        let id = &self.profile.id;
        if !id.starts_with("did:") && !id.starts_with("https://") {
            return refuse("profile.id", "a DID (`did:web:example.edu`, `did:key:…`) or an https:// URL is needed");
        }
        if self.profile.name.trim().is_empty() {
            return refuse("profile.name", "what do people call the issuer?");
        }
        if let Some((key, reason)) = self.studio.as_ref().and_then(studio::Settings::fault) {
            return refuse(key, reason);
        }
        let profile = self.profile.clone().checked(&self.folder).map_err(SettingsError::Profile)?;
        Ok(Self { profile, ..self })
    }

    /// A path of the file, from where the command stands.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// The store's file, in its folder, which is made where there is none.
    pub fn store(&self) -> Result<PathBuf, SettingsError> {
        Ok(self.data()?.join(STORE))
    }

    /// The folder of the stores, which is made where there is none.
    pub fn data(&self) -> Result<PathBuf, SettingsError> {
        use std::os::unix::fs::DirBuilderExt as _;
        let path = self.path(&self.data_dir);
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|error| SettingsError::File { path: path.clone(), error })?;
        Ok(path)
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

    /// All keys.
    pub fn keys(&self) -> Result<KeyRing, SettingsError> {
        Ok(KeyRing::open(&self.path(&self.signing.keys))?)
    }

    /// The key that signs.
    pub fn key(&self) -> Result<IssuerKey, SettingsError> {
        Ok(IssuerKey::load(&self.keys()?, &self.profile.id)?)
    }

    /// Where changes of status are kept until the node has answered.
    pub fn journals(&self) -> PathBuf {
        self.path(&self.data_dir).join("changes")
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
    use super::*;

    const TEXT: &str = r#"
        [profile]
        id = "did:web:university.example"
        name = "Example University"
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
        let accounts = format!("{TEXT}\n[signing]\naccounts = [{{ id = \"eip155:1:0x{}\" }}]", "ab".repeat(20));
        assert_eq!(load(&accounts).unwrap().signing.accounts.len(), 1);
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let told = |text: &str| load(text).unwrap_err().to_string();
        for (from, to, part) in [
            ("name =", "nam =", "unknown field `nam`"),
            ("[node]", "[nodes]", "unknown field `nodes`"),
            ("url =", "uri =", "unknown field `uri`"),
            ("did:web:university.example", "university.example", "profile.id"),
            ("did:web:university.example", "did:web:exa mple", "profile.id"),
            ("name = \"Example University\"", "name = \"a\"\nimage = \"../logo.png\"", "profile.image"),
            ("Example University", " ", "profile.name"),
            ("[node]", "[signing]\nsuite = \"RS256\"\n[node]", "suite"),
            ("[node]", "[signing]\naccounts = [{ id = \"0x1\" }]\n[node]", "is not like eip155:1:0x"),
            ("[node]", "[node]\nwait = \"never\"", "wait"),
        ] {
            let told = told(&TEXT.replace(from, to));
            assert!(told.contains(part), "{to}: {told}");
        }
        assert!(told("profile = [").contains("issuer.toml"));
        let absent = Settings::load(Path::new("/nonexistent/issuer.toml")).unwrap_err().to_string();
        assert!(absent.contains("testamur-issuer init"), "{absent}");
    }
}
