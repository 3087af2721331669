//! Which refusals become which HTTP status: RFC 9457 problems. Causes inside are logged and not sent.

use std::fmt;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::store::{Gone, ShareError};

/// Every kind of refusal. Its `type` never changes; title and detail are for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Something in the request cannot be read.
    BadRequest,
    /// The body broke off.
    BodyBrokeOff,
    /// What was sent is not sealed.
    NotSealed,
    /// No proof of being the owner.
    NoOwner,
    /// The proof is another owner's, or nobody has claimed the page.
    WrongOwner,
    /// The invitation's token is another one.
    WrongToken,
    /// There never was such a page.
    UnknownPage,
    /// The learner shows it to nobody.
    NotPublished,
    /// The page has no such part.
    NoPart,
    /// There is nothing at this path.
    NoSuchPath,
    /// There is something at this path, but not for this method.
    WrongMethod,
    /// The body came too slowly.
    TooSlow,
    /// Somebody else claimed it.
    AlreadyClaimed,
    /// The id is in use, or was.
    IdUsed,
    /// As many further pages as there may be.
    TooManyPages,
    /// The learner deleted it.
    DeletedPage,
    /// Nobody claimed it in time, or another invitation took its place.
    ExpiredClaim,
    /// The body is too large.
    TooLarge,
    /// The body's media type is none that can be read.
    MediaType,
    /// More requests than are allowed.
    TooMany,
    /// A fault of this server.
    Internal,
    /// More requests at the same time than are answered.
    Busy,
}

impl Kind {
    /// Status, last part of the `type`, title.
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "bad-request", "The request cannot be read"),
            Self::BodyBrokeOff => (StatusCode::BAD_REQUEST, "body-broke-off", "The body broke off"),
            Self::NotSealed => (StatusCode::BAD_REQUEST, "not-sealed", "The content is not sealed"),
            Self::NoOwner => (StatusCode::UNAUTHORIZED, "no-owner", "Only the owner may do this"),
            Self::WrongOwner => (StatusCode::FORBIDDEN, "wrong-owner", "The page is another owner's"),
            Self::WrongToken => (StatusCode::FORBIDDEN, "wrong-token", "The link's token is wrong"),
            Self::UnknownPage => (StatusCode::NOT_FOUND, "unknown-page", "There is no such page"),
            Self::NotPublished => (StatusCode::NOT_FOUND, "not-published", "The page is not published"),
            Self::NoPart => (StatusCode::NOT_FOUND, "no-part", "The page does not have this"),
            Self::NoSuchPath => (StatusCode::NOT_FOUND, "no-such-path", "There is nothing here"),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "Not for this method"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too-slow", "The body came too slowly"),
            Self::AlreadyClaimed => (StatusCode::CONFLICT, "already-claimed", "The page was claimed before"),
            Self::IdUsed => (StatusCode::CONFLICT, "id-used", "The id is in use"),
            Self::TooManyPages => (StatusCode::CONFLICT, "too-many-pages", "There are as many pages as there may be"),
            Self::DeletedPage => (StatusCode::GONE, "deleted-page", "The page was deleted"),
            Self::ExpiredClaim => (StatusCode::GONE, "expired-claim", "The invitation is over"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "The media type cannot be read"),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "A fault of this server"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy", "The server is busy"),
        }
    }

    /// Seconds after which trying again makes sense.
    fn retry_after(self) -> Option<u32> {
        match self {
            Self::Busy => Some(1),
            Self::TooMany => Some(10),
            _ => None,
        }
    }
}

/// A refusal, with the next step in its detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind.
    pub kind: Kind,
    detail: String,
}

impl Problem {
    /// With a detail for people: what is wrong and what to do.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// A fault of this server, which is logged here and not told.
    pub fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(Kind::Internal, "the server's log says more; trying again may help")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, name, title) = self.kind.parts();
        let body = json!({
            "type": format!("urn:testamur:problem:{name}"),
            "title": title,
            "status": status.as_u16(),
            "detail": self.detail,
        });
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Owner realm=\"testamur\""));
        }
        if let Some(seconds) = self.kind.retry_after() {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<ShareError> for Problem {
    fn from(error: ShareError) -> Self {
        match error {
            ShareError::Unknown => Self::new(Kind::UnknownPage, "look whether the link is complete"),
            ShareError::Gone(Gone::Deleted) => Self::new(Kind::DeletedPage, "its learner deleted it; ask the learner"),
            ShareError::Gone(Gone::Replaced) => {
                Self::new(Kind::ExpiredClaim, "another invitation was sent since: use the newest one")
            }
            ShareError::Gone(Gone::Expired) | ShareError::Expired => {
                Self::new(Kind::ExpiredClaim, "it was not used in time; ask the institution for another one")
            }
            ShareError::WrongToken => Self::new(Kind::WrongToken, "look whether the link in the mail is complete"),
            ShareError::Claimed => Self::new(
                Kind::AlreadyClaimed,
                "use the device or the link with which it was claimed; if that was not you, tell the institution",
            ),
            ShareError::WrongOwner => Self::new(Kind::WrongOwner, "use the link that was made when it was claimed"),
            ShareError::NotPublished => Self::new(Kind::NotPublished, "ask the learner to show it"),
            ShareError::NoPart(what) => Self::new(Kind::NoPart, format!("the page has no {what}")),
            ShareError::IdUsed => Self::new(Kind::IdUsed, "draw another id at random"),
            ShareError::TooMany(most) => {
                Self::new(Kind::TooManyPages, format!("{most} beside the claimed one; delete one of them"))
            }
            ShareError::TooLarge(most) => {
                Self::new(Kind::TooLarge, format!("all pages beside the claimed one have {most} bytes at most"))
            }
            ShareError::NoOffer => Self::new(Kind::NoPart, "the page has no such offer (any more)"),
            ShareError::Store(error) => Self::internal(&error),
        }
    }
}
