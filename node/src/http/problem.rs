//! Which errors become which HTTP status: RFC 9457 problems. Causes inside the node are logged and not sent.

use std::fmt;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::offenders::{Offender, refused};
use crate::{ledger::LedgerError, mirror::NotKnown, store::StoreError, tokens::TokenError};

/// Every kind of refusal. Its `type` never changes; title and detail are for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Something in the path or the query cannot be read.
    BadRequest,
    /// Nothing was submitted.
    EmptyBody,
    /// Something submitted is not a digest, or not in the format that it claims.
    BadDigest,
    /// The body broke off.
    BodyBrokeOff,
    /// No token, or none that is known.
    NoToken,
    /// The token is another issuer's.
    OtherIssuersToken,
    /// The token is not made for this.
    MissingScope,
    /// The node does not serve this issuer.
    UnknownIssuer,
    /// The issuer never submitted this digest here.
    UnknownDigest,
    /// The issuer has no such batch here.
    UnknownBatch,
    /// The issuer has no such change here.
    UnknownChange,
    /// The status of this issuer is not followed here.
    NotFollowed,
    /// What the issuer published does not lead to its root, so its status is known to nobody.
    StatusDamaged,
    /// The status of this issuer is being read from the chain.
    StatusLoading,
    /// The chain cannot be read.
    ChainUnseen,
    /// There is nothing at this path.
    NoSuchPath,
    /// There is something at this path, but not for this method.
    WrongMethod,
    /// The body came too slowly.
    TooSlow,
    /// The issuer has no status indices left.
    NoIndices,
    /// The idempotency key came with another body before.
    KeyUsed,
    /// Entries of the request cannot be taken.
    RefusedEntries,
    /// More entries than are taken with one request.
    TooManyEntries,
    /// The body is too large.
    TooLarge,
    /// The body's media type is none that can be read.
    MediaType,
    /// None of the media types that are asked for can be served.
    NotAcceptable,
    /// More requests than are allowed.
    TooMany,
    /// A fault of the node.
    Internal,
    /// More requests at the same time than the node answers.
    Busy,
    /// The node is shutting down.
    Stopping,
    /// A write failed.
    StoreFailed,
    /// The disk is full.
    DiskFull,
}

impl Kind {
    /// Status, last part of the `type`, title.
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "bad-request", "The request cannot be read"),
            Self::EmptyBody => (StatusCode::BAD_REQUEST, "empty-body", "No digests were submitted"),
            Self::BadDigest => (StatusCode::BAD_REQUEST, "bad-digest", "Not a digest"),
            Self::BodyBrokeOff => (StatusCode::BAD_REQUEST, "body-broke-off", "The body broke off"),
            Self::NoToken => (StatusCode::UNAUTHORIZED, "no-token", "A valid token is needed"),
            Self::OtherIssuersToken => {
                (StatusCode::FORBIDDEN, "other-issuers-token", "The token belongs to another issuer")
            }
            Self::MissingScope => (StatusCode::FORBIDDEN, "missing-scope", "The token is not made for this"),
            Self::UnknownIssuer => (StatusCode::NOT_FOUND, "unknown-issuer", "The node does not serve this issuer"),
            Self::UnknownDigest => (StatusCode::NOT_FOUND, "unknown-digest", "The digest was not submitted here"),
            Self::UnknownChange => (StatusCode::NOT_FOUND, "unknown-change", "The issuer has no such change here"),
            Self::UnknownBatch => (StatusCode::NOT_FOUND, "unknown-batch", "The issuer has no such batch here"),
            Self::NotFollowed => (StatusCode::NOT_FOUND, "not-followed", "This issuer's status is not followed here"),
            Self::StatusDamaged => {
                (StatusCode::CONFLICT, "status-damaged", "What the issuer published does not lead to its root")
            }
            Self::StatusLoading => {
                (StatusCode::SERVICE_UNAVAILABLE, "status-loading", "The status is being read from the chain")
            }
            Self::ChainUnseen => (StatusCode::SERVICE_UNAVAILABLE, "chain-unseen", "The chain cannot be read"),
            Self::NoSuchPath => (StatusCode::NOT_FOUND, "no-such-path", "There is nothing here"),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "Not for this method"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too-slow", "The body came too slowly"),
            Self::NoIndices => (StatusCode::CONFLICT, "no-indices", "The issuer has no status indices left"),
            Self::KeyUsed => (StatusCode::CONFLICT, "key-used", "The idempotency key was used for another request"),
            Self::RefusedEntries => {
                (StatusCode::UNPROCESSABLE_ENTITY, "refused-entries", "Some entries cannot be taken")
            }
            Self::TooManyEntries => (StatusCode::PAYLOAD_TOO_LARGE, "too-many-entries", "Too many entries"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "The media type cannot be read"),
            Self::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, "not-acceptable", "There is no such format of it"),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "A fault of the node"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy", "The node is busy"),
            Self::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping", "The node is shutting down"),
            Self::StoreFailed => (StatusCode::SERVICE_UNAVAILABLE, "store-failed", "The node cannot write"),
            Self::DiskFull => (StatusCode::INSUFFICIENT_STORAGE, "disk-full", "The node's disk is full"),
        }
    }

    /// Seconds after which trying again makes sense.
    fn retry_after(self) -> Option<u32> {
        match self {
            Self::TooMany | Self::Busy | Self::StatusLoading => Some(1),
            Self::Stopping | Self::ChainUnseen => Some(5),
            Self::DiskFull | Self::StoreFailed => Some(60),
            _ => None,
        }
    }
}

/// A refusal, with its detail and the next step.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What kind.
    pub kind: Kind,
    detail: String,
    more: Map<String, Value>,
}

impl Problem {
    /// With a detail for people: what is wrong and what to do.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), more: Map::new() }
    }

    /// With a further member.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// A fault of the node, which is logged here and not told.
    pub fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(Kind::Internal, "the node's log says more; trying again may help")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, name, title) = self.kind.parts();
        let mut body = json!({
            "type": format!("urn:testamur:problem:{name}"),
            "title": title,
            "status": status.as_u16(),
            "detail": self.detail,
        });
        body.as_object_mut().expect("made as an object").extend(self.more);
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"testamur\""));
        }
        if let Some(seconds) = self.kind.retry_after() {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::DiskFull => {
                Self::new(Kind::DiskFull, "its operator has to make room; then it goes on by itself")
            }
            LedgerError::Failed => Self::new(Kind::StoreFailed, "a write failed; its operator has to start it again"),
            LedgerError::Stopped => Self::new(Kind::Stopping, "try again when it is back"),
            LedgerError::Conflicts(conflicts) => refused(conflicts.iter().map(Offender::from).collect()),
            LedgerError::KeyUsed => {
                Self::new(Kind::KeyUsed, "a request with another body came under it; take a new key for a new request")
            }
            LedgerError::Exhausted => Self::new(Kind::NoIndices, "all 2^40 are given; issue under another account"),
        }
    }
}

impl From<NotKnown> for Problem {
    fn from(why: NotKnown) -> Self {
        match why {
            NotKnown::NotFollowed => Self::new(Kind::NotFollowed, "ask a mirror that follows it, or any open one"),
            NotKnown::Loading => Self::new(Kind::StatusLoading, "try again in a moment"),
            NotKnown::Unseen(cause) => {
                tracing::debug!(%cause, "a status is not known");
                Self::new(Kind::ChainUnseen, "try again later, or ask another mirror")
            }
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::internal(&error)
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        Self::internal(&error)
    }
}
