//! Which errors become which HTTP status: RFC 9457 problems. Causes inside the program are logged and not sent.

use std::fmt;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use testamur::{change::ChangeError, node::NodeError};

use super::{books::BooksError, password::PasswordFault};
use crate::{config::SettingsError, store::StoreError};

/// Every kind of refusal. Its `type` never changes; title and detail are for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Something in the path, the query or the body cannot be read.
    BadRequest,
    /// Nobody is signed in.
    SignedOut,
    /// Name or password is wrong.
    WrongPassword,
    /// The role does not allow it.
    Role,
    /// The request comes from a page of another site.
    OtherSite,
    /// There is nothing at this path.
    NoSuchPath,
    /// There is something at this path, but not for this method.
    WrongMethod,
    /// There is no such template, roster, run, credential or user.
    Unknown,
    /// It is there already, or somebody else has it.
    Taken,
    /// It would leave nobody who manages users.
    LastAdmin,
    /// What was sent cannot be taken as it is.
    Unfit,
    /// The body is too large.
    TooLarge,
    /// The body came too slowly, or broke off.
    TooSlow,
    /// More attempts than are allowed.
    TooMany,
    /// The configuration has nothing for this.
    NotConfigured,
    /// The provider of accounts did not let somebody in, or cannot be reached.
    Provider,
    /// The node cannot be reached, or did not take it.
    Node,
    /// A fault of the program.
    Internal,
}

impl Kind {
    /// Status, last part of the `type`, title.
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "bad-request", "The request cannot be read"),
            Self::SignedOut => (StatusCode::UNAUTHORIZED, "signed-out", "Nobody is signed in"),
            Self::WrongPassword => (StatusCode::UNAUTHORIZED, "wrong-password", "Name or password is wrong"),
            Self::Role => (StatusCode::FORBIDDEN, "role", "Your role does not allow this"),
            Self::OtherSite => (StatusCode::FORBIDDEN, "other-site", "The request comes from another site"),
            Self::NoSuchPath => (StatusCode::NOT_FOUND, "no-such-path", "There is nothing here"),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "Not for this method"),
            Self::Unknown => (StatusCode::NOT_FOUND, "unknown", "There is no such thing"),
            Self::Taken => (StatusCode::CONFLICT, "taken", "It is there already"),
            Self::LastAdmin => (StatusCode::CONFLICT, "last-admin", "Somebody has to manage users"),
            Self::Unfit => (StatusCode::UNPROCESSABLE_ENTITY, "unfit", "This cannot be taken"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too-slow", "The body came too slowly"),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too-many-attempts", "Too many attempts"),
            Self::NotConfigured => (StatusCode::CONFLICT, "not-configured", "The configuration has nothing for this"),
            Self::Provider => (StatusCode::BAD_GATEWAY, "provider", "Sign-in did not come to an end"),
            Self::Node => (StatusCode::BAD_GATEWAY, "node", "The node did not do it"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "A fault of the studio"),
        }
    }
}

/// A refusal, with its detail and the next step.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What kind.
    pub kind: Kind,
    /// What is wrong, and what to do.
    pub detail: String,
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

    /// A fault of the program, which is logged here and not told.
    pub fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(Kind::Internal, "the log of the server says more; trying again may help")
    }

    /// What the audit log says of it.
    pub fn outcome(&self) -> String {
        format!("refused: {}", self.kind.parts().1)
    }

    /// As the body of an answer.
    pub fn to_json(&self) -> Value {
        let (status, name, title) = self.kind.parts();
        let mut body = json!({
            "type": format!("urn:testamur:problem:{name}"),
            "title": title,
            "status": status.as_u16(),
            "detail": self.detail,
        });
        body.as_object_mut().expect("made as an object").extend(self.more.clone());
        body
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.kind.parts().0;
        let mut response = (status, Json(self.to_json())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.kind == Kind::TooMany {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
        }
        response
    }
}

impl From<BooksError> for Problem {
    fn from(error: BooksError) -> Self {
        let kind = match &error {
            BooksError::NoUser { .. } => Kind::Unknown,
            BooksError::UserExists { .. } => Kind::Taken,
            BooksError::LastAdmin { .. } => Kind::LastAdmin,
            BooksError::Name => Kind::Unfit,
            _ => return Self::internal(&error),
        };
        Self::new(kind, error.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::internal(&error)
    }
}

impl From<SettingsError> for Problem {
    fn from(error: SettingsError) -> Self {
        Self::internal(&error)
    }
}

impl From<PasswordFault> for Problem {
    fn from(fault: PasswordFault) -> Self {
        match fault {
            PasswordFault::Hash => Self::internal(&fault),
            _ => Self::new(Kind::Unfit, fault.to_string()),
        }
    }
}

impl From<NodeError> for Problem {
    fn from(error: NodeError) -> Self {
        Self::new(Kind::Node, error.to_string())
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        Self::new(Kind::Node, error.to_string())
    }
}
