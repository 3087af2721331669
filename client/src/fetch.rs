//! Getting what a credential names: DID documents, keys, status lists, lists of issuers.
//!
//! A credential is hostile input, and so is every host that it names. Asked are public hosts over TLS only, at addresses
//! that were looked at before they were connected to ([`address`]); what is configured to be private stands in
//! [`AllowedHost`]. An answer is bounded in time and size while it comes, is never inflated, and redirects are followed
//! by hand, each as strictly as the first. No request tells more than the URL: no cookies, no referrer, no proxy.
//!
//! What could not be had is [`Missing`], with the reason: never a fault of the credential.

pub mod address;
mod allowed;
mod names;

use std::{sync::Arc, time::Duration};

use reqwest::{Certificate, Client, Response, StatusCode, Url, header, redirect};
use testamur_chain::causes;
use testamur_core::checked::Missing;
use testamur_credentials::Supplied;
use tokio::sync::Semaphore;

pub use allowed::AllowedHost;
pub use names::{Names, SystemNames};
use names::{NotPublic, Public, Unfiltered};

use crate::clock;

/// A whole answer, with all that it is redirected to, comes within this.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A connection, TLS included, stands within this.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest DID document: the largest in use list some hundred keys in 100 kB.
const LONGEST_DID_DOCUMENT: usize = 1 << 20;
/// The longest of anything else: a status list of 100 million incompressible bits in base64 fits.
const LONGEST_DOCUMENT: usize = 16 << 20;
/// Redirects that are followed, but for DID documents: a did:web names the one place where its document stands.
const MOST_REDIRECTS: usize = 3;
/// Requests under way at a time.
const AT_ONCE: usize = 8;
/// Longer than any URL in use.
const LONGEST_URL: usize = 4096;

/// What a user may configure.
#[derive(Clone, Debug, Default)]
pub struct FetchSettings {
    /// Hosts that may be private, or asked without TLS.
    pub allow_hosts: Vec<AllowedHost>,
    /// Authorities that are trusted beside the system's: certificates in PEM.
    pub authorities: Vec<Certificate>,
    /// How long an answer may take in all. `None`: 10 s.
    pub timeout: Option<Duration>,
}

/// Gets documents from the public web.
pub struct Fetcher {
    /// Connects to public addresses only.
    public: Client,
    /// Connects wherever it is told: for [`AllowedHost`]s.
    any: Client,
    allow_hosts: Vec<AllowedHost>,
    timeout: Duration,
    at_once: Semaphore,
}

impl Fetcher {
    /// One that finds hosts as the system does.
    pub fn new(settings: &FetchSettings) -> Result<Self, reqwest::Error> {
        Self::with_names(settings, Arc::new(SystemNames))
    }

    /// One that is told by somebody else where hosts are. What it is told is checked all the same.
    pub fn with_names(settings: &FetchSettings, names: Arc<dyn Names>) -> Result<Self, reqwest::Error> {
        let client = || {
            Client::builder()
                .tls_certs_merge(settings.authorities.clone())
                .redirect(redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .user_agent("testamur")
                .referer(false)
                // A proxy would look up names for us, and connect where it likes.
                .no_proxy()
                // What is not inflated is no bomb; off even where another crate switches the feature on.
                .no_gzip()
                .no_brotli()
                .no_zstd()
                .no_deflate()
        };
        Ok(Self {
            public: client().dns_resolver(Public(names.clone())).build()?,
            any: client().dns_resolver(Unfiltered(names)).build()?,
            allow_hosts: settings.allow_hosts.clone(),
            timeout: settings.timeout.unwrap_or(TIMEOUT),
            at_once: Semaphore::new(AT_ONCE),
        })
    }

    /// The document at a URL, as it is served now.
    pub async fn get(&self, url: &str) -> Result<Supplied, Missing> {
        let Asked { limit, redirects } = Asked::at(url);
        let _turn = self.at_once.acquire().await.map_err(|error| unreachable(url, error.to_string()))?;
        let answer = tokio::time::timeout(self.timeout, self.follow(url, limit, redirects)).await;
        let late = |_| unreachable(url, format!("no whole answer within {} s", self.timeout.as_secs_f32()));
        let bytes = answer.map_err(late)??;
        Ok(Supplied { bytes: bytes.into(), as_of: clock::now() })
    }

    async fn follow(&self, what: &str, limit: usize, mut redirects: usize) -> Result<Vec<u8>, Missing> {
        let mut url: Url = match what.parse() {
            Ok(url) if what.len() <= LONGEST_URL => url,
            _ => return Err(refused(what, "it is no URL")),
        };
        loop {
            let client = self.client_for(&url).map_err(|reason| refused(what, &reason))?;
            let response = ask(client, &url).await.map_err(|error| failure(what, error))?;
            let Some(next) = redirect_of(&response, &url) else {
                return read(what, response, limit).await;
            };
            let next = next.map_err(|reason| refused(what, reason))?;
            redirects = redirects.checked_sub(1).ok_or_else(|| refused(what, &format!("it leads on to {next}")))?;
            url = next;
        }
    }

    /// Who may ask there; the reason where nobody may.
    fn client_for(&self, url: &Url) -> Result<&Client, String> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it holds a user's name or password".to_owned());
        }
        if !matches!(url.scheme(), "https" | "http") {
            return Err(format!("{}: only https is asked", url.scheme()));
        }
        if self.allow_hosts.iter().any(|allowed| allowed.covers(url)) {
            return Ok(&self.any);
        }
        if url.scheme() == "http" {
            return Err("http: only https is asked; allow_hosts in the policy makes exceptions".to_owned());
        }
        // Connecting to a literal address asks no resolver.
        let literal = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse().ok());
        match literal.filter(|literal| !address::is_public(*literal)) {
            Some(literal) => Err(NotPublic(vec![literal]).to_string()),
            None => Ok(&self.public),
        }
    }
}

/// How strictly a URL is asked.
struct Asked {
    limit: usize,
    redirects: usize,
}

impl Asked {
    fn at(url: &str) -> Self {
        if url.ends_with("/did.json") {
            Self { limit: LONGEST_DID_DOCUMENT, redirects: 0 }
        } else {
            Self { limit: LONGEST_DOCUMENT, redirects: MOST_REDIRECTS }
        }
    }
}

async fn ask(client: &Client, url: &Url) -> Result<Response, reqwest::Error> {
    let request = client.get(url.clone()).header(header::ACCEPT, "application/json, */*;q=0.8");
    request.header(header::ACCEPT_ENCODING, "identity").send().await
}

/// Where an answer leads on to; `None` where it is the end.
fn redirect_of(response: &Response, from: &Url) -> Option<Result<Url, &'static str>> {
    const SOMEWHERE_ELSE: [u16; 5] = [301, 302, 303, 307, 308];
    if !SOMEWHERE_ELSE.contains(&response.status().as_u16()) {
        return None;
    }
    let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    Some(location.and_then(|location| from.join(location).ok()).ok_or("it leads on to no URL"))
}

async fn read(what: &str, mut response: Response, limit: usize) -> Result<Vec<u8>, Missing> {
    let status = response.status();
    match status {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            return Err(Missing::NotFound { what: what.to_owned(), detail: format!("its host answers {status}") });
        }
        _ => return Err(unreachable(what, format!("its host answers {status}"))),
    }
    let encoding = response.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        let reason = "it comes compressed, which was not asked for".to_owned();
        return Err(Missing::Unreadable { what: what.to_owned(), reason });
    }
    let too_long = || refused(what, &format!("it is longer than {limit} bytes"));
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(what, error))? {
        if bytes.len() + chunk.len() > limit {
            return Err(too_long());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// What an error of the network means: somebody who may not be asked, or nobody who answers.
fn failure(what: &str, error: reqwest::Error) -> Missing {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(error) = cause {
        if let Some(not_public) = error.downcast_ref::<NotPublic>() {
            return refused(what, &not_public.to_string());
        }
        cause = error.source();
    }
    unreachable(what, causes(error))
}

fn refused(what: &str, reason: &str) -> Missing {
    Missing::Refused { what: what.to_owned(), reason: reason.to_owned() }
}

fn unreachable(what: &str, detail: String) -> Missing {
    Missing::Unreachable { what: what.to_owned(), detail }
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").field("allow_hosts", &self.allow_hosts).finish_non_exhaustive()
    }
}
