//! `/studio/api/users`: who may sign in. For admins.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};

use super::{
    Studio,
    access::Admin,
    blocking,
    books::{Deed, User, What, check_name},
    extract::{Object, Segments},
    password,
    problem::{Kind, Problem},
    role::Role,
};
use crate::clock::now;

/// All users.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Users {
    /// By their names.
    users: Vec<User>,
}

/// Somebody new.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// What they sign in as: with OpenID Connect, what the provider calls them.
    name: String,
    /// What they may do.
    role: Role,
    /// Their password. Without one they sign in through OpenID Connect.
    password: Option<String>,
}

/// What is to be otherwise.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What they may do from now on.
    role: Option<Role>,
    /// Their password from now on.
    password: Option<String>,
}

/// All users.
#[utoipa::path(get, path = "/studio/api/users", tag = "users",
    responses((status = 200, body = Users), (status = "4XX", body = super::api::Problem)))]
pub async fn list(State(studio): State<Arc<Studio>>, _: Admin) -> Result<Json<Users>, Problem> {
    Ok(Json(Users { users: studio.books.users()? }))
}

/// Adds somebody.
#[utoipa::path(post, path = "/studio/api/users", tag = "users", request_body = NewUser,
    responses((status = 201, body = User), (status = "4XX", body = super::api::Problem)))]
pub async fn add(
    State(studio): State<Arc<Studio>>,
    Admin(session): Admin,
    Object(NewUser { name, role, password }): Object<NewUser>,
) -> Result<(StatusCode, Json<User>), Problem> {
    let name = check_name(&name)?;
    if password.is_none() && studio.oidc.is_none() {
        return Err(Problem::new(Kind::Unfit, "a password is needed: there is no OpenID Connect here"));
    }
    let deed = Deed { who: session.name, what: What::AddUser, on: format!("{name}: {}", role.name()) };
    let acting = studio.clone();
    let adding = blocking(move || {
        let hash = password.as_deref().map(password::hash).transpose()?;
        Ok(acting.books.add_user(&name, role, hash.as_deref(), now())?)
    });
    Ok((StatusCode::CREATED, Json(studio.logged(deed, adding).await?)))
}

/// Gives somebody another role or password. Their sessions end.
#[utoipa::path(patch, path = "/studio/api/users/{name}", tag = "users", params(("name" = String, Path)),
    request_body = Change, responses((status = 200, body = User), (status = "4XX", body = super::api::Problem)))]
pub async fn change(
    State(studio): State<Arc<Studio>>,
    Admin(session): Admin,
    Segments(name): Segments<String>,
    Object(change): Object<Change>,
) -> Result<Json<User>, Problem> {
    let name = studio.books.user(&name.to_lowercase())?.name;
    let what = match &change {
        Change { role: Some(role), password: None } => format!("{name}: {}", role.name()),
        Change { role: None, password: Some(_) } => format!("{name}: password"),
        Change { role: Some(role), password: Some(_) } => format!("{name}: {}, password", role.name()),
        Change { role: None, password: None } => {
            return Err(Problem::new(Kind::BadRequest, "nothing is to be changed"));
        }
    };
    let deed = Deed { who: session.name, what: What::ChangeUser, on: what };
    let acting = studio.clone();
    let changing = blocking(move || acting.change_user(&name, &change));
    Ok(Json(studio.logged(deed, changing).await?))
}

/// Takes somebody out. What they did stays in the log.
#[utoipa::path(delete, path = "/studio/api/users/{name}", tag = "users", params(("name" = String, Path)),
    responses((status = 204), (status = "4XX", body = super::api::Problem)))]
pub async fn remove(
    State(studio): State<Arc<Studio>>,
    Admin(session): Admin,
    Segments(name): Segments<String>,
) -> Result<StatusCode, Problem> {
    let name = studio.books.user(&name.to_lowercase())?.name;
    let deed = Deed { who: session.name, what: What::RemoveUser, on: name.clone() };
    let acting = studio.clone();
    studio.logged(deed, async move { Ok(acting.books.remove_user(&name)?) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Studio {
    /// The password is hashed first: what is no password changes nothing.
    fn change_user(&self, name: &str, change: &Change) -> Result<User, Problem> {
        let hash = change.password.as_deref().map(password::hash).transpose()?;
        if let Some(role) = change.role {
            self.books.set_role(name, role)?;
        }
        if let Some(hash) = hash {
            self.books.set_password(name, &hash)?;
        }
        Ok(self.books.user(name)?)
    }
}
