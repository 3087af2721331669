//! Table `[studio]` of the configuration.

use std::{net::SocketAddr, path::PathBuf};

use serde::Deserialize;

use super::role::Role;
use crate::pages::Origin;

/// The studio: where it listens, and how staff sign in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where it listens. It is for staff: leave it on this machine, or in a network of the institution's own.
    pub listen: SocketAddr,
    /// The URL under which staff open it, without a path: `https://studio.university.example`. Needed for OpenID Connect,
    /// and where a proxy speaks TLS in front of it.
    pub public_url: Option<Origin>,
    /// Whether a proxy stands in front, whose `X-Forwarded-For` says where requests come from.
    pub behind_proxy: bool,
    /// The folder in which credentials are written, in a folder for each template.
    pub out: PathBuf,
    /// Whether people sign in with passwords that are kept here.
    pub passwords: bool,
    /// Hours without a request after which a session ends.
    pub idle_hours: u64,
    /// Hours after which a session ends, whatever happens in it.
    pub session_hours: u64,
    /// Sign-in with the institution's own accounts.
    pub oidc: Option<Oidc>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8650)),
            public_url: None,
            behind_proxy: false,
            out: "credentials".into(),
            passwords: true,
            idle_hours: 8,
            session_hours: 7 * 24,
            oidc: None,
        }
    }
}

/// Table `[studio.oidc]`: OpenID Connect Core 1.0, authorization code flow with PKCE.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// The provider's issuer URL, below which it publishes `/.well-known/openid-configuration`.
    pub issuer: String,
    /// How the provider knows the studio.
    pub client_id: String,
    /// The file that holds the client's secret. Without it the client is a public one, and PKCE alone protects it.
    pub client_secret_file: Option<PathBuf>,
    /// What is asked for beside `openid`.
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
    /// The claim by which people are called here. It must be one that people cannot choose for themselves.
    #[serde(default = "default_name_claim")]
    pub name_claim: String,
    /// The claim that says what people may do: a text, or a list of texts. Without it only those sign in who were added
    /// before.
    pub role_claim: Option<String>,
    /// Which values of that claim mean which role; the highest one counts.
    #[serde(default)]
    pub roles: RoleNames,
}

/// Table `[studio.oidc.roles]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoleNames {
    /// Who may do everything.
    pub admin: Vec<String>,
    /// Who issues and revokes.
    pub issuer: Vec<String>,
    /// Who looks.
    pub viewer: Vec<String>,
}

impl Default for RoleNames {
    /// Each role by its own name.
    fn default() -> Self {
        let named = |role: Role| vec![role.name().to_owned()];
        Self { admin: named(Role::Admin), issuer: named(Role::Issuer), viewer: named(Role::Viewer) }
    }
}

impl RoleNames {
    /// The highest role that one of these values means.
    pub fn role<'a>(&self, values: impl Iterator<Item = &'a str>) -> Option<Role> {
        values.filter_map(|value| self.meaning(value)).max()
    }

    fn meaning(&self, value: &str) -> Option<Role> {
        let all = [(Role::Admin, &self.admin), (Role::Issuer, &self.issuer), (Role::Viewer, &self.viewer)];
        all.into_iter().find(|(_, names)| names.iter().any(|name| name == value)).map(|(role, _)| role)
    }
}

fn default_scopes() -> Vec<String> {
    ["profile", "email"].map(str::to_owned).to_vec()
}

fn default_name_claim() -> String {
    "preferred_username".to_owned()
}

impl Settings {
    /// Whether staff reach it over TLS: then cookies are sent over nothing else.
    pub fn is_secure(&self) -> bool {
        self.public_url.as_ref().is_some_and(Origin::is_https)
    }

    /// Scheme, host and port under which staff open it.
    pub fn origin(&self) -> String {
        let url = self.public_url.as_ref().map(|url| url.as_str().to_owned());
        url.unwrap_or_else(|| format!("http://{}", self.listen))
    }

    /// What is wrong with it: the key, and what to do.
    pub fn fault(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self { oidc: Some(oidc), .. } if !is_encrypted(&oidc.issuer) => {
                Some(("studio.oidc.issuer", "write the provider's URL: https only, except on this machine"))
            }
            Self { public_url: None, oidc: Some(_), .. } => {
                Some(("studio.public_url", "OpenID Connect needs it: providers send people back there"))
            }
            Self { passwords: false, oidc: None, .. } => {
                Some(("studio.passwords", "without them and without [studio.oidc] nobody could sign in"))
            }
            Self { idle_hours: 0, .. } | Self { session_hours: 0, .. } => {
                Some(("studio.session_hours", "sessions would end before they begin: write hours, from 1"))
            }
            _ => None,
        }
    }
}

/// A web address that nobody reads along with on the way.
fn is_encrypted(url: &str) -> bool {
    let local = |host: &str| matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    url.parse::<reqwest::Url>().is_ok_and(|url| match url.scheme() {
        "https" => url.has_host(),
        "http" => url.host_str().is_some_and(local),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_role_that_is_meant_counts() {
        let names: RoleNames = toml::from_str("admin = [\"registrars\"]\nviewer = [\"staff\", \"tutors\"]").unwrap();
        let role = |values: &[&str]| names.role(values.iter().copied());
        assert_eq!(role(&["staff", "registrars"]), Some(Role::Admin));
        assert_eq!(role(&["tutors"]), Some(Role::Viewer));
        assert_eq!(role(&["issuer"]), Some(Role::Issuer));
        assert_eq!(role(&["students", "admin", "Registrars"]), None);
    }

    #[test]
    fn settings_that_would_lock_everybody_out_are_refused() {
        let fault = |text: &str| toml::from_str::<Settings>(text).unwrap().fault().map(|(key, _)| key);
        assert_eq!(fault(""), None);
        assert_eq!(fault("passwords = false"), Some("studio.passwords"));
        assert!(toml::from_str::<Settings>("public_url = \"https://a.example/studio\"").is_err());
        assert_eq!(fault("[oidc]\nissuer = \"http://a.example\"\nclient_id = \"s\""), Some("studio.oidc.issuer"));
        assert_eq!(fault("[oidc]\nissuer = \"https://a.example\"\nclient_id = \"s\""), Some("studio.public_url"));
        assert_eq!(fault("session_hours = 0"), Some("studio.session_hours"));
    }
}
