//! `/studio/api/session`: who is signed in, signing in with a password, and signing out.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::{
    Studio,
    access::{self, From, Viewer},
    blocking,
    books::{Deed, Session, What},
    cookie,
    extract::Object,
    password,
    problem::{Kind, Problem},
    role::Role,
};
use crate::clock::now;

/// A name and a password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Who one is.
    name: String,
    /// What nobody else knows.
    password: String,
}

/// Who is signed in.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Whose {
    /// Who.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they have a password here, which they can change.
    pub password: bool,
}

impl std::convert::From<Session> for Whose {
    fn from(Session { name, role, password }: Session) -> Self {
        Self { name, role, password }
    }
}

/// Another password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The one until now.
    current: String,
    /// The one from now on.
    new: String,
}

/// Who is signed in. Signed out: a problem that tells how one can sign in (`local`, `oidc`).
#[utoipa::path(get, path = "/studio/api/session", tag = "session",
    responses((status = 200, body = Whose), (status = 401, body = super::api::Problem)))]
pub async fn whose(Viewer(session): Viewer) -> Json<Whose> {
    Json(session.into())
}

/// Signs in. The answer sets a cookie.
#[utoipa::path(post, path = "/studio/api/session", tag = "session", request_body = Credentials,
    responses((status = 200, body = Whose), (status = "4XX", body = super::api::Problem)))]
pub async fn begin(
    State(studio): State<Arc<Studio>>,
    From(from): From,
    Object(Credentials { name, password }): Object<Credentials>,
) -> Result<Response, Problem> {
    if !studio.settings.passwords {
        return Err(Problem::new(Kind::NotConfigured, "sign in with the institution's account"));
    }
    studio.attempts.count_address(from)?;
    studio.attempts.count_name(&name)?;
    let name = name.trim().to_lowercase();
    let hash = studio.books.password(&name)?;
    let is_user = hash.is_some();
    let is_right = check(&studio, password, hash).await?;
    // People type passwords where names belong: what is no user's name is not kept.
    let who = if is_user { name.clone() } else { "somebody".to_owned() };
    let deed = Deed { who, what: What::SignIn, on: "password".to_owned() };
    if !is_right {
        studio.books.note_done(&deed, "refused: wrong-password", now())?;
        return Err(Problem::new(Kind::WrongPassword, "try again; an admin can set another password"));
    }
    studio.books.note_done(&deed, "done", now())?;
    open(&studio, &name)
}

/// Signs out.
#[utoipa::path(delete, path = "/studio/api/session", tag = "session", responses((status = 204)))]
pub async fn end(State(studio): State<Arc<Studio>>, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(session) = access::session(&studio, &headers)?
        && let Some(token) = cookie::read(&headers, studio.session_cookie())
    {
        studio.books.end_session(token)?;
        let deed = Deed { who: session.name, what: What::SignOut, on: String::new() };
        studio.books.note_done(&deed, "done", now())?;
    }
    let gone = cookie::SESSION.set("", 0, studio.settings.is_secure());
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}

/// Changes one's own password. All sessions end, and the answer begins a new one.
#[utoipa::path(post, path = "/studio/api/session/password", tag = "session", request_body = NewPassword,
    responses((status = 200, body = Whose), (status = "4XX", body = super::api::Problem)))]
pub async fn change_password(
    State(studio): State<Arc<Studio>>,
    Viewer(session): Viewer,
    Object(NewPassword { current, new }): Object<NewPassword>,
) -> Result<Response, Problem> {
    studio.attempts.count_name(&session.name)?;
    let hash = studio.books.password(&session.name)?;
    let name = session.name.clone();
    let deed = Deed { who: session.name.clone(), what: What::ChangeUser, on: format!("{name}: password") };
    let acting = studio.clone();
    let changing = async move {
        if !check(&acting, current, hash).await? {
            return Err(Problem::new(Kind::WrongPassword, "the current password is another one"));
        }
        let hash = blocking(move || Ok(password::hash(&new)?)).await?;
        acting.books.set_password(&name, &hash)?;
        Ok(())
    };
    studio.logged(deed, changing).await?;
    open(&studio, &session.name)
}

async fn check(studio: &Studio, password: String, hash: Option<String>) -> Result<bool, Problem> {
    let _place = studio.attempts.place().await;
    blocking(move || Ok(password::is_right(&password, hash.as_deref()))).await
}

/// Begins a session of somebody who has shown who they are.
pub(super) fn open(studio: &Studio, name: &str) -> Result<Response, Problem> {
    let (token, user) = (studio.books.begin_session(name, now())?, studio.books.user(name)?);
    let cookie = cookie::SESSION.set(&token, studio.lifetime().all, studio.settings.is_secure());
    let whose = Whose { name: user.name, role: user.role, password: user.password };
    Ok(([(header::SET_COOKIE, cookie)], Json(whose)).into_response())
}
