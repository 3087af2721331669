//! Why a node did not do what it was asked, so that the kind tells whether to ask again.

use std::time::Duration;

use testamur_core::Address;

/// Why a node did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NodeError {
    /// The text is no URL of a node.
    #[error("not an http:// or https:// URL of a node")]
    Url,
    /// It did not answer.
    #[error("{node} did not answer: {detail}")]
    Unreachable {
        /// Scheme, host and port.
        node: String,
        /// What the network said.
        detail: String,
    },
    /// It refused (RFC 9457).
    #[error("the node refused (HTTP status {status}): {title}{}", detail.as_ref().map(|d| format!(". {d}")).unwrap_or_default())]
    Refused {
        /// HTTP status.
        status: u16,
        /// What is wrong.
        title: String,
        /// Where, and what to do.
        detail: Option<String>,
        /// How long it asks to wait before the same request.
        retry_after: Option<Duration>,
    },
    /// The token speaks for another issuer than the one asked for.
    #[error("the token is of {token}, not of {asked}: use that issuer's token")]
    OtherIssuer {
        /// Whom it speaks for.
        token: Address,
        /// Who was asked for.
        asked: Address,
    },
    /// Its answer is not what the API promises: it is no node, or a lying one.
    #[error("the node's answer cannot be used: {detail}")]
    Answer {
        /// What is wrong with it.
        detail: String,
    },
}

impl NodeError {
    /// Whether the same request may well succeed in a moment.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..=599),
            Self::Url | Self::OtherIssuer { .. } | Self::Answer { .. } => false,
        }
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
