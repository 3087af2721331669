//! `/studio/api/oidc/…`: signing in with the institution's own accounts (OpenID Connect Core 1.0, 3.1: authorization code,
//! with PKCE, RFC 7636; nonce; and a state that is bound to the browser by a cookie). The provider's URL is the
//! operator's; nothing that a visitor sends leads to another server.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use futures::{FutureExt as _, future::BoxFuture};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IdTokenFields,
    IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    StandardErrorResponse, StandardTokenResponse, TokenResponse as _, UserInfoClaims,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreResponseType,
        CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq as _;

use super::{
    Oidc, Studio, StudioError,
    access::From,
    books::{BooksError, Deed, User, What},
    cookie,
    extract::Parameters,
    problem::{Kind, Problem},
    role::Role,
    session,
};
use crate::clock::now;

/// A way to the provider and back takes no longer.
const LONGEST_WAY: Duration = Duration::from_secs(600);
/// Ways at the same time.
const MOST_WAYS: usize = 1_000;
/// The provider answers within this.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer of the provider.
const LONGEST_ANSWER: usize = 1 << 20;

/// All claims that are not of the standard.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Further {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl AdditionalClaims for Further {}

type Fields = IdTokenFields<
    Further,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Client = openidconnect::Client<
    Further,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The provider of accounts, and who is on the way to it.
pub struct Provider {
    settings: Oidc,
    issuer: IssuerUrl,
    secret: Option<ClientSecret>,
    back: RedirectUrl,
    http: reqwest::Client,
    ways: Mutex<HashMap<String, Way>>,
}

/// Somebody on the way to the provider.
struct Way {
    client: Client,
    verifier: PkceCodeVerifier,
    nonce: Nonce,
    began: Instant,
}

/// Who came back, in the provider's words.
struct Arrival {
    subject: String,
    claims: Map<String, Value>,
}

/// Why nobody is signed in. The cause is logged; the page is told the kind.
#[derive(Debug, thiserror::Error)]
enum Lost {
    /// The provider, or the way there, is at fault.
    #[error("{0}")]
    Provider(String),
    /// Who it is is known, and they may not.
    #[error("{0}")]
    Unknown(&'static str),
    /// The books.
    #[error(transparent)]
    Books(#[from] BooksError),
}

impl Provider {
    /// A provider by its settings. No request is made. `secret` reads the file of that name.
    pub fn new(
        settings: Oidc,
        origin: &str,
        secret: impl Fn(&Path) -> Result<String, StudioError>,
    ) -> Result<Self, StudioError> {
        let wrong = |error: &dyn std::fmt::Display| StudioError::Oidc(error.to_string());
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|error| wrong(&error))?;
        let text = settings.client_secret_file.as_deref().map(secret).transpose()?;
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            // People sign in rarely: a connection that was kept would be closed at the other end.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| wrong(&error))?;
        Ok(Self {
            secret: text.map(|text| ClientSecret::new(text.trim().to_owned())),
            back: RedirectUrl::new(format!("{origin}/studio/api/oidc/callback")).map_err(|error| wrong(&error))?,
            issuer,
            settings,
            http,
            ways: Mutex::new(HashMap::new()),
        })
    }

    /// Where to send somebody, and the state that they must bring back.
    async fn depart(&self) -> Result<(String, String), Lost> {
        let http = caller(self.http.clone());
        let metadata = CoreProviderMetadata::discover_async(self.issuer.clone(), &http).await;
        let metadata = metadata.map_err(|error| lost("discovery", error))?;
        let id = ClientId::new(self.settings.client_id.clone());
        let client =
            Client::from_provider_metadata(metadata, id, self.secret.clone()).set_redirect_uri(self.back.clone());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let scopes = self.settings.scopes.iter().cloned().map(Scope::new);
        let (url, state, nonce) = client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .url();
        let way = Way { client, verifier, nonce, began: Instant::now() };
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        ways.retain(|_, way| way.began.elapsed() < LONGEST_WAY);
        if ways.len() >= MOST_WAYS {
            return Err(Lost::Provider("too many are on the way".to_owned()));
        }
        ways.insert(state.secret().clone(), way);
        Ok((url.into(), state.into_secret()))
    }

    /// The way of this state, once.
    fn way(&self, state: &str) -> Option<Way> {
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        ways.remove(state).filter(|way| way.began.elapsed() < LONGEST_WAY)
    }

    /// Who brings this code: their ID token, checked (Core, 3.1.3.7), and what the provider tells of them beside it.
    async fn arrive(&self, Way { client, verifier, nonce, .. }: Way, code: String) -> Result<Arrival, Lost> {
        let http = caller(self.http.clone());
        let request =
            client.exchange_code(AuthorizationCode::new(code)).map_err(|error| lost("the token endpoint", error))?;
        let tokens = request.set_pkce_verifier(verifier).request_async(&http).await;
        let tokens = tokens.map_err(|error| lost("the token endpoint", error))?;
        let token = tokens.id_token().ok_or_else(|| Lost::Provider("no ID token came".to_owned()))?;
        let checker = client.id_token_verifier();
        let claims = token.claims(&checker, &nonce).map_err(|error| lost("the ID token", error))?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = token.signing_alg().map_err(|error| lost("the ID token", error))?;
            let key = token.signing_key(&checker).map_err(|error| lost("the ID token", error))?;
            let hash = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
            if hash.map_err(|error| lost("the ID token", error))? != *expected {
                return Err(Lost::Provider("the access token is another one than the ID token names".to_owned()));
            }
        }
        let subject = claims.subject().clone();
        let mut all = members(claims);
        if let Ok(request) = client.user_info(tokens.access_token().clone(), Some(subject.clone())) {
            let told: UserInfoClaims<Further, CoreGenderClaim> =
                request.request_async(&http).await.map_err(|error| lost("the user info endpoint", error))?;
            for (name, value) in members(&told) {
                all.entry(name).or_insert(value);
            }
        }
        Ok(Arrival { subject: format!("{} {}", self.issuer.as_str(), subject.as_str()), claims: all })
    }
}

/// What makes requests for those who know the protocol.
fn caller(client: reqwest::Client) -> impl Fn(HttpRequest) -> BoxFuture<'static, Result<HttpResponse, CallError>> {
    move |request| call(client.clone(), request).boxed()
}

async fn call(client: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, CallError> {
    let mut answer = client.execute(reqwest::Request::try_from(request)?).await?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(CallError::Long);
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = HttpResponse::new(body);
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}

/// Why the provider did not answer.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error("the answer is longer than {LONGEST_ANSWER} bytes")]
    Long,
}

fn lost(what: &str, error: impl std::error::Error + 'static) -> Lost {
    let mut told = format!("{what}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        told.push_str(&format!(": {error}"));
        cause = error.source();
    }
    Lost::Provider(told)
}

fn members(claims: &impl Serialize) -> Map<String, Value> {
    match json!(claims) {
        Value::Object(members) => members.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}

impl Arrival {
    /// What they are called here.
    fn name(&self, settings: &Oidc) -> Result<&str, Lost> {
        let claim = settings.name_claim.as_str();
        if claim == "email" && self.claims.get("email_verified") == Some(&Value::Bool(false)) {
            return Err(Lost::Unknown("the provider has not verified the e-mail address"));
        }
        let name = self.claims.get(claim).and_then(Value::as_str);
        name.ok_or(Lost::Unknown("the provider tells no name: is studio.oidc.name_claim right?"))
    }

    /// What the provider lets them do; `None` where it is not asked.
    fn role(&self, settings: &Oidc) -> Result<Option<Role>, Lost> {
        let Some(claim) = &settings.role_claim else { return Ok(None) };
        let values = match self.claims.get(claim) {
            Some(Value::Array(values)) => values.as_slice(),
            Some(value) => std::slice::from_ref(value),
            None => &[],
        };
        let role = settings.roles.role(values.iter().filter_map(Value::as_str));
        role.map(Some).ok_or(Lost::Unknown("the provider tells no role: see studio.oidc.role_claim and roles"))
    }
}

/// What a provider sends people back with.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Back {
    /// The authorization code.
    code: Option<String>,
    /// What they were sent away with.
    state: Option<String>,
    /// Why there is no code.
    error: Option<String>,
    /// The provider, as it calls itself (RFC 9207).
    iss: Option<String>,
}

/// Sends somebody to the provider of accounts.
#[utoipa::path(get, path = "/studio/api/oidc/start", tag = "session",
    responses((status = 303), (status = "4XX", body = super::api::Problem)))]
pub async fn start(State(studio): State<Arc<Studio>>, From(from): From) -> Result<Response, Problem> {
    studio.attempts.count_address(from)?;
    let provider = provider(&studio)?;
    match provider.depart().await {
        Ok((url, state)) => {
            let cookie = cookie::WAY.set(&state, LONGEST_WAY.as_secs(), studio.settings.is_secure());
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&url)).into_response())
        }
        Err(why) => Ok(tell(&why)),
    }
}

/// Takes somebody in who comes back from the provider: to the studio's page, signed in, or with `?sign-in=failed` (the
/// provider is at fault, or it took too long) or `?sign-in=unknown` (they may not sign in here).
#[utoipa::path(get, path = "/studio/api/oidc/callback", tag = "session", params(Back), responses((status = 303)))]
pub async fn callback(
    State(studio): State<Arc<Studio>>,
    headers: HeaderMap,
    Parameters(back): Parameters<Back>,
) -> Result<Response, Problem> {
    let state = cookie::read(&headers, cookie::WAY.text(studio.settings.is_secure()));
    let mut response = match take_in(&studio, back, state).await {
        Ok(user) => {
            let signed_in = session::open(&studio, &user.name)?;
            let cookies = signed_in.headers().get_all(header::SET_COOKIE).iter().cloned();
            let mut response = Redirect::to("/studio/").into_response();
            response.headers_mut().extend(cookies.map(|cookie| (header::SET_COOKIE, cookie)));
            response
        }
        Err(why) => tell(&why),
    };
    let gone: HeaderValue = cookie::WAY.set("", 0, studio.settings.is_secure());
    response.headers_mut().append(header::SET_COOKIE, gone);
    Ok(response)
}

async fn take_in(studio: &Studio, back: Back, cookie: Option<&str>) -> Result<User, Lost> {
    let provider = studio.oidc.as_ref().ok_or_else(|| Lost::Provider("there is none".to_owned()))?;
    let state = back.state.ok_or_else(|| Lost::Provider("they come back without a state".to_owned()))?;
    let is_theirs = cookie.is_some_and(|cookie| bool::from(cookie.as_bytes().ct_eq(state.as_bytes())));
    if !is_theirs {
        return Err(Lost::Provider("the state is not this browser's".to_owned()));
    }
    let way = provider.way(&state).ok_or_else(|| Lost::Provider("it took too long, or came twice".to_owned()))?;
    if let Some(iss) = back.iss.filter(|iss| *iss != provider.settings.issuer) {
        return Err(Lost::Provider(format!("another provider answers: {iss:?}")));
    }
    let code = match (back.code, back.error) {
        (Some(code), None) => code,
        (_, error) => return Err(Lost::Provider(format!("the provider says: {error:?}"))),
    };
    let arrival = provider.arrive(way, code).await?;
    let found = recognise(studio, &provider.settings, &arrival);
    let (who, outcome) = match &found {
        Ok(user) => (user.name.clone(), "done"),
        Err(_) => (format!("somebody ({})", arrival.subject), "refused: unknown"),
    };
    let deed = Deed { who, what: What::SignIn, on: "OpenID Connect".to_owned() };
    studio.books.note_done(&deed, outcome, now())?;
    found
}

/// Who they are here.
fn recognise(studio: &Studio, settings: &Oidc, arrival: &Arrival) -> Result<User, Lost> {
    let (name, role) = (arrival.name(settings)?, arrival.role(settings)?);
    let found = studio.books.user_of_subject(&arrival.subject, name, role, now())?;
    found.ok_or(Lost::Unknown("nobody added them, or their name is somebody else's"))
}

fn provider(studio: &Studio) -> Result<&Provider, Problem> {
    let none = || Problem::new(Kind::NotConfigured, "the configuration has no table [studio.oidc]");
    studio.oidc.as_ref().ok_or_else(none)
}

/// Somebody stands before a page, not an API.
fn tell(why: &Lost) -> Response {
    tracing::warn!(%why, "a sign-in with OpenID Connect did not come to its end");
    let how = if matches!(why, Lost::Unknown(_)) { "unknown" } else { "failed" };
    Redirect::to(&format!("/studio/?sign-in={how}")).into_response()
}
