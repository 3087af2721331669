//! Parts of a request, refused like everything else: as a problem.

use std::time::Duration;

use axum::{
    Json,
    extract::{
        FromRequest, FromRequestParts, Path, Query, Request,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
    http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::problem::{Kind, Problem};

/// A body of JSON is here within this.
const PATIENCE: Duration = Duration::from_secs(30);

/// What stands in the places of the route's template.
pub struct Segments<T>(pub T);

/// What stands behind the question mark.
pub struct Parameters<T>(pub T);

/// A body of JSON, which names its media type: a form of another site cannot.
pub struct Object<T>(pub T);

impl<T, S> FromRequestParts<S> for Segments<T>
where
    Path<T>: FromRequestParts<S, Rejection = PathRejection>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let refused = |rejection: PathRejection| Problem::new(Kind::BadRequest, rejection.body_text());
        Path::from_request_parts(parts, state).await.map(|Path(segments)| Self(segments)).map_err(refused)
    }
}

impl<T, S> FromRequestParts<S> for Parameters<T>
where
    Query<T>: FromRequestParts<S, Rejection = QueryRejection>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let refused = |rejection: QueryRejection| Problem::new(Kind::BadRequest, rejection.body_text());
        Query::from_request_parts(parts, state).await.map(|Query(parameters)| Self(parameters)).map_err(refused)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Object<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let read = timeout(PATIENCE, Json::from_request(request, state)).await;
        let read = read.map_err(|_| Problem::new(Kind::TooSlow, "send it again"))?;
        read.map(|Json(object)| Self(object)).map_err(refused)
    }
}

/// Of a body it is told where it is wrong, and nothing of what stands there: it may be a password.
fn refused(rejection: JsonRejection) -> Problem {
    match rejection {
        rejection if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(Kind::TooLarge, "a request of this kind has at most 4 MiB")
        }
        JsonRejection::MissingJsonContentType(_) => {
            Problem::new(Kind::BadRequest, "send JSON, with the header Content-Type: application/json")
        }
        JsonRejection::BytesRejection(_) => Problem::new(Kind::TooSlow, "the body broke off, or came too slowly"),
        _ => Problem::new(Kind::BadRequest, "the body is no JSON of the members that /studio/api/openapi.json names"),
    }
}
