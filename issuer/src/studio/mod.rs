//! The web studio: issuing for people who do not use a terminal. A server for staff, inside the institution: JSON below
//! `/studio/api`, and the pages of `web/studio`.
//!
//! Reading order: [`role`] and [`access`] (who may do what) → [`books`] (what is kept) → `session` and `oidc` (signing in)
//! → `templates`, `rosters` → `runs` with `queue` and `turn` (issuing in the background) → `credentials`, `changes` (what was
//! issued, and taking it back) → `users`, `audit`. `api` describes all of it; `problem` has every refusal.
//!
//! Every write is in the audit log before it is done ([`Studio::logged`]), and is finished though its client goes away.

pub mod access;
pub mod api;
mod attempts;
mod audit;
pub mod books;
mod changes;
mod cookie;
mod credentials;
mod extract;
mod invitations;
mod issuer;
mod oidc;
mod pages;
pub mod password;
mod problem;
mod queue;
pub mod role;
mod rosters;
mod run_view;
mod runs;
mod session;
mod settings;
mod templates;
#[cfg(test)]
mod tests;
mod turn;
mod upload;
mod users;

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::Response,
    routing::{any, get, patch, post},
};
use tokio_util::sync::CancellationToken;

use self::{
    attempts::Attempts,
    books::{Books, BooksError, Deed, Lifetime},
    problem::{Kind, Problem},
    queue::Queue,
};
use crate::{
    clock::now,
    config::{self, SettingsError},
    store::{Store, StoreError},
};

pub use settings::{Oidc, RoleNames, Settings};

/// Bytes of a body, but for rosters.
const MAX_BODY: usize = 4 << 20;
const HOUR: u64 = 3_600;
/// The studio's own files in the data folder: rosters that wait, and rows that failed.
const FOLDER: &str = "studio";

/// Why the studio does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudioError {
    /// There is no table `[studio]`.
    #[error("the configuration has no table [studio]: add one, empty if the defaults are right")]
    NotConfigured,
    /// The configuration.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The studio's books.
    #[error(transparent)]
    Books(#[from] BooksError),
    /// The issuer's store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A folder.
    #[error("{}: {error}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The provider of accounts.
    #[error("studio.oidc: {0}")]
    Oidc(String),
}

/// What requests are answered from.
pub struct Studio {
    config: config::Settings,
    settings: Settings,
    origin: String,
    books: Books,
    store: Mutex<Store>,
    folder: PathBuf,
    queue: Queue,
    attempts: Attempts,
    oidc: Option<oidc::Provider>,
    shutdown: CancellationToken,
}

impl Studio {
    /// Opens what is on disk. Nothing is asked of others yet. Runs go on with [`Studio::work`].
    pub fn open(config: config::Settings, shutdown: CancellationToken) -> Result<Arc<Self>, StudioError> {
        let settings = config.studio.clone().ok_or(StudioError::NotConfigured)?;
        let (store, data) = (config.store()?, config.data()?);
        let folder = data.join(FOLDER);
        for part in [upload::ROSTERS, upload::FAILED] {
            let path = folder.join(part);
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
            made.map_err(|error| StudioError::Folder { path, error })?;
        }
        let secret = |path: &Path| {
            let path = config.path(path);
            fs::read_to_string(&path).map_err(|error| StudioError::Folder { path, error })
        };
        let oidc =
            settings.oidc.clone().map(|oidc| oidc::Provider::new(oidc, &settings.origin(), secret)).transpose()?;
        let studio = Arc::new(Self {
            origin: settings.origin(),
            books: Books::open(&data.join(books::FILE))?,
            store: Mutex::new(Store::open(&store)?),
            queue: Queue::default(),
            attempts: Attempts::default(),
            config,
            settings,
            folder,
            oidc,
            shutdown,
        });
        studio.remove_broken_rosters();
        Ok(studio)
    }

    /// Does something with the issuer's store, on a thread where it may take its time.
    async fn with_store<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Store) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let studio = self.clone();
        // A panic in between left no transaction open: it was rolled back when dropped.
        let locked = move || work(&mut studio.store.lock().unwrap_or_else(PoisonError::into_inner));
        blocking(locked).await
    }

    /// Does something that is to be in the audit log: noted before it is begun, and its outcome after it. It comes to its
    /// end though its client goes away meanwhile.
    async fn logged<T: Send + 'static>(
        self: &Arc<Self>,
        deed: Deed,
        act: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let entry = self.books.note(&deed, now())?;
        let studio = self.clone();
        let whole = tokio::spawn(async move {
            let done = act.await;
            let outcome = done.as_ref().map_or_else(Problem::outcome, |_| "done".to_owned());
            studio.books.note_outcome(entry, &outcome)?;
            done
        });
        whole.await.map_err(|panic| Problem::internal(&panic))?
    }

    /// Where it is to listen.
    pub fn listen(&self) -> SocketAddr {
        self.settings.listen
    }

    fn lifetime(&self) -> Lifetime {
        let Settings { idle_hours, session_hours, .. } = self.settings;
        Lifetime { idle: idle_hours.saturating_mul(HOUR), all: session_hours.saturating_mul(HOUR) }
    }

    fn session_cookie(&self) -> &'static str {
        cookie::SESSION.text(self.settings.is_secure())
    }

    /// The refusal of whoever is not signed in: it tells how one can.
    fn signed_out(&self) -> Problem {
        Problem::new(Kind::SignedOut, "sign in first")
            .with("local", self.settings.passwords)
            .with("oidc", self.oidc.is_some())
    }
}

/// Work that takes its time, on a thread for such.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|panic| Problem::internal(&panic))?
}

/// All routes.
pub fn router(studio: Arc<Studio>) -> Router {
    let api = Router::new()
        .route("/session", get(session::whose).post(session::begin).delete(session::end))
        .route("/session/password", post(session::change_password))
        .route("/oidc/start", get(oidc::start))
        .route("/oidc/callback", get(oidc::callback))
        .route("/issuer", get(issuer::issuer))
        .route("/templates", get(templates::list))
        .route("/templates/preview", post(templates::preview))
        .route("/templates/{name}", get(templates::one).put(templates::save).delete(templates::remove))
        .route("/rosters", post(rosters::upload).layer(DefaultBodyLimit::disable()))
        .route("/rosters/{roster}", get(rosters::look))
        .route("/runs", get(runs::list).post(runs::ask))
        .route("/runs/{run}", get(runs::one))
        .route("/runs/{run}/events", get(runs::events))
        .route("/runs/{run}/failed.csv", get(runs::failed))
        .route("/credentials", get(credentials::list))
        .route("/credentials/revoke", post(changes::revoke))
        .route("/credentials/invite", post(invitations::invite))
        .route("/credentials/{id}", get(credentials::one))
        .route("/credentials/{id}/file", get(credentials::file))
        .route("/credentials/{id}/reissue", post(changes::reissue))
        .route("/users", get(users::list).post(users::add))
        .route("/users/{name}", patch(users::change).delete(users::remove))
        .route("/audit", get(audit::list))
        .route("/openapi.json", get(api::openapi))
        // Not a fallback: the pages take whatever is below /studio and nobody else takes.
        .route("/{*path}", any(async || Problem::new(Kind::NoSuchPath, "see /studio/api/openapi.json for the paths")))
        .method_not_allowed_fallback(async || {
            Problem::new(Kind::WrongMethod, "see /studio/api/openapi.json for the methods")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(studio.clone(), access::same_site));
    let all = Router::new().nest("/studio/api", api).merge(pages::routes());
    all.layer(middleware::from_fn(guards)).with_state(studio)
}

/// What is said with every answer that does not say it itself: nobody keeps a copy, frames it, takes it for another type,
/// or hears where it was linked from. An answer of the API that is shown as a page may do nothing.
async fn guards(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
