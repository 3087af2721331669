//! The learners' pages and the mails of one configuration, put together for `serve`.

use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    certificate::Fonts,
    clock::now,
    config::{self, SettingsError},
    keys::did_document,
    mail::{Courier, Outbox, post::Post},
    pages::{self, Pages},
    store::StoreError,
};

/// Why the learners' pages cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SharingError {
    /// The configuration has no `[share]`.
    #[error("the configuration has no table [share]")]
    NotConfigured,
    /// The configuration, or a file that it names.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What serves the learners' pages, and sends mails where that is configured.
pub struct Sharing {
    /// The pages.
    pub pages: pages::Shared,
    courier: Option<(Courier, Outbox)>,
}

impl Sharing {
    /// Opens the stores. Nothing is sent or served yet.
    pub fn open(config: &config::Settings) -> Result<Self, SharingError> {
        let settings = config.share.as_ref().ok_or(SharingError::NotConfigured)?;
        let folder = config.data()?;
        let parts = pages::Parts {
            issuer_name: config.profile.name.clone(),
            did: did(config),
            clock: Box::new(now),
            fonts: Fonts::built_in(),
        };
        let pages = Pages::open(&folder, settings, parts)?;
        let courier = match courier(config)? {
            Some(courier) => Some((courier, Outbox::open(&folder)?)),
            None => None,
        };
        Ok(Self { pages, courier })
    }

    /// Serves and sends until shutdown.
    pub async fn run(self, listener: TcpListener, shutdown: CancellationToken) {
        let Self { pages, courier } = self;
        let sending = async {
            if let Some((courier, outbox)) = courier {
                courier.run(outbox, &shutdown).await;
            }
        };
        tokio::join!(pages::run(listener, pages, shutdown.clone()), sending);
    }
}

/// Who sends mails, if they are configured.
pub fn courier(config: &config::Settings) -> Result<Option<Courier>, SettingsError> {
    let Some(settings) = &config.mail else { return Ok(None) };
    let post = Post::new(settings, config)?;
    Ok(Some(Courier::new(post, config.profile.name.clone(), Box::new(now))))
}

/// The issuer's document as its keys are at that moment: a new key is published without a new start.
fn did(config: &config::Settings) -> Box<dyn Fn() -> Option<Value> + Send + Sync> {
    let config = config.clone();
    Box::new(move || {
        let ring = config.keys().inspect_err(|error| tracing::error!(%error, "the keys cannot be read")).ok()?;
        did_document(&config.profile.id, ring.keys(), &config.signing.accounts).ok()
    })
}
