//! Parts of a request's target, refused like everything else: as a problem.

use axum::{
    extract::{
        FromRequestParts, Path, Query,
        rejection::{PathRejection, QueryRejection},
    },
    http::request::Parts,
};

use super::problem::{Kind, Problem};

/// What stands in the places of the route's template.
pub struct Segments<T>(pub T);

/// What stands behind the question mark.
pub struct Parameters<T>(pub T);

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
