//! The public server of learners' pages: it keeps sealed content and cannot read it.
//!
//! Reading order: `settings` → `store` (`schema.sql` first) → `secret`, `access` (who may do what) → `claims`, `manage`
//! (the learner) → `show`, `preview` (everybody) → [`crate::wallet`] → [`router`], [`run`].

pub mod access;
mod api;
pub(crate) mod body;
mod claims;
mod manage;
mod preview;
pub mod problem;
pub mod secret;
mod settings;
mod show;
pub mod store;
#[cfg(test)]
pub(crate) mod tests;

use std::{
    panic::AssertUnwindSafe,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{Method, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post, put},
};
use futures::FutureExt as _;
use serde_json::Value;
use testamur_core::UnixSeconds;
use tokio::{net::TcpListener, sync::Semaphore, task::spawn_blocking, time::interval};
use tokio_util::sync::CancellationToken;
use tower_http::cors::{Any, CorsLayer};

use self::{
    access::{Counted, Rates},
    problem::{Kind, Problem},
    store::{ShareError, ShareStore},
};
use crate::{certificate::Fonts, server, store::StoreError, wallet, web};

pub use settings::{Limits, Origin, Recognised, Settings, Verify};

/// The store's name in the data folder.
pub const STORE: &str = "share.sqlite";
/// Requests that are answered at the same time.
const PLACES: usize = 256;
/// How often what is over is deleted.
const TIDY: Duration = Duration::from_secs(60);

/// What the learners' pages are answered from.
pub struct Pages {
    store: Mutex<ShareStore>,
    clock: Box<dyn Fn() -> UnixSeconds + Send + Sync>,
    did: Box<dyn Fn() -> Option<Value> + Send + Sync>,
    rates: Rates,
    places: Semaphore,
    public_url: Origin,
    issuer_name: String,
    verify: Verify,
    limits: Limits,
    fonts: &'static Fonts,
}

/// One for all requests.
pub type Shared = Arc<Pages>;

/// What the pages are made of, beside the settings.
pub struct Parts {
    /// What people call the issuer.
    pub issuer_name: String,
    /// The document with its keys and accounts, as it is at this moment; `None` where it has none, or none here.
    pub did: Box<dyn Fn() -> Option<Value> + Send + Sync>,
    /// The time.
    pub clock: Box<dyn Fn() -> UnixSeconds + Send + Sync>,
    /// What previews are set in.
    pub fonts: &'static Fonts,
}

impl Pages {
    /// Opens the store in this folder.
    pub fn open(folder: &Path, settings: &Settings, parts: Parts) -> Result<Shared, StoreError> {
        let Parts { issuer_name, did, clock, fonts } = parts;
        Ok(Arc::new(Self {
            store: Mutex::new(ShareStore::open(&folder.join(STORE))?),
            clock,
            did,
            rates: Rates::new(settings),
            places: Semaphore::new(PLACES),
            public_url: settings.public_url.clone(),
            issuer_name,
            verify: settings.verify.clone(),
            limits: settings.limits.clone(),
            fonts,
        }))
    }

    /// What browsers call this server.
    pub fn public_url(&self) -> &str {
        self.public_url.as_str()
    }

    /// What people call the issuer.
    pub fn issuer_name(&self) -> &str {
        &self.issuer_name
    }

    /// How often one address may ask.
    pub(crate) fn rates(&self) -> &Rates {
        &self.rates
    }

    /// The time.
    pub fn now(&self) -> UnixSeconds {
        (self.clock)()
    }

    /// Works with the store where it may wait for the disk.
    pub async fn with_store<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut ShareStore) -> Result<T, ShareError> + Send + 'static,
    ) -> Result<T, ShareError> {
        let shared = self.clone();
        let working = spawn_blocking(move || {
            // Each change is a transaction, so a panic left nothing half done.
            work(&mut shared.store.lock().unwrap_or_else(PoisonError::into_inner))
        });
        working.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }
}

/// All routes.
pub fn router(shared: Shared) -> Router {
    let owner = Router::new()
        .route("/v1/claims/{id}", post(claims::claim))
        .route("/v1/pages", post(manage::add))
        .route("/v1/pages/{id}", get(manage::page).delete(manage::delete))
        .route("/v1/pages/{id}/parts/{part}", get(manage::part).put(manage::rewrite))
        .route("/v1/pages/{id}/published", put(manage::publish))
        .route("/v1/pages/{id}/preview", put(manage::set_preview).delete(manage::drop_preview))
        .route("/v1/pages/{id}/offers", post(manage::offer))
        .route("/v1/pages/{id}/views", post(show::view))
        .route("/claim/{id}", get(show::page))
        .route("/manage/{id}", get(show::page))
        .route("/c/{id}", get(show::shared_page))
        .route("/c/{id}/preview.png", get(preview::picture))
        .route("/p/{id}", get(show::page))
        .route("/", get(async || Redirect::temporary("/verify/")))
        .route("/verify", get(async || Redirect::permanent("/verify/")))
        .route("/verify/", get(async |headers| web::page("verify/index.html", web::VERIFY, &headers)))
        .route("/embed/", get(async |headers| web::page("embed/index.html", web::VERIFY, &headers)))
        .route("/openapi.json", get(api::openapi))
        .route("/healthz", get(async || "ok\n"));
    owner
        .merge(for_all_origins())
        .method_not_allowed_fallback(async || Problem::new(Kind::WrongMethod, "see docs/sharing.md for the methods"))
        .fallback(async || Problem::new(Kind::NoSuchPath, "see docs/sharing.md for the paths"))
        .layer(middleware::from_fn_with_state(shared.clone(), admit))
        .with_state(shared)
}

/// What pages of other hosts, wallets and verifiers in browsers may read: nothing here depends on who asks.
fn for_all_origins() -> Router<Shared> {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION])
        .vary([]);
    Router::new()
        .route("/v1/pages/{id}/sealed", get(show::sealed))
        .route("/.well-known/did.json", get(show::did))
        .route("/verify/config.json", get(show::verify_settings))
        .route("/embed/testamur-verify.js", get(async |headers| web::lasting("embed/testamur-verify.js", &headers)))
        .route("/assets/{*name}", get(web::asset))
        .merge(wallet::routes())
        .layer(cors)
}

/// Lets a request in if there is a place for it. Of an answer its method, route and status are told: neither the page
/// nor who asked.
async fn admit(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = answer(&shared, request, next).await;
    show::guard(&shared, &mut response);
    let (route, status) = (route.as_ref().map_or("", MatchedPath::as_str), response.status().as_u16());
    tracing::debug!(%method, route, status, "answered");
    response
}

async fn answer(shared: &Shared, request: Request, next: Next) -> Response {
    if let Err(refused) = shared.rates.count(Counted::Request, request.extensions(), request.headers()) {
        return refused.into_response();
    }
    let Ok(_place) = shared.places.try_acquire() else {
        return Problem::new(Kind::Busy, "try again in a moment").into_response();
    };
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.unwrap_or_else(|_| Problem::internal(&"a request panicked").into_response())
}

/// Serves the pages until shutdown.
pub async fn run(listener: TcpListener, shared: Shared, shutdown: CancellationToken) {
    let tidy = tokio::spawn(tidy(shared.clone()));
    server::serve(listener, router(shared), shutdown).await;
    tidy.abort();
}

async fn tidy(shared: Shared) {
    let mut ticks = interval(TIDY);
    loop {
        ticks.tick().await;
        shared.rates.tidy();
        let now = shared.now();
        if let Err(error) = shared.with_store(move |store| Ok(store.tidy(now)?)).await {
            tracing::error!(%error, "what is over could not be deleted");
        }
    }
}
