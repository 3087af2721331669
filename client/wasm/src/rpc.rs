//! What an endpoint says: a JSON-RPC call, and the ways in which it goes wrong.

use std::fmt;

use serde_json::Value;
use testamur_core::observation::Unseen;

use crate::exchange::{Exchange, NoAnswer, Question};

/// Why an endpoint was of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It did not answer.
    Unreachable(String),
    /// It answered with an error.
    Error {
        /// JSON-RPC's code.
        code: i64,
        /// What it said.
        message: String,
    },
    /// What it answered cannot be used.
    Unusable(String),
}

impl Trouble {
    pub(crate) fn unusable(detail: impl Into<String>) -> Self {
        Self::Unusable(detail.into())
    }

    /// What a verdict says of it.
    pub fn unseen(&self) -> Unseen {
        match self {
            Self::Unreachable(_) => Unseen::Unreachable,
            Self::Error { .. } | Self::Unusable(_) => Unseen::Unusable,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(detail) => write!(f, "could not be reached ({detail})"),
            Self::Error { code, message } => write!(f, "answered with the error {code}: {message}"),
            Self::Unusable(detail) => f.write_str(detail),
        }
    }
}

/// Calls a method of an endpoint.
pub async fn call(exchange: &Exchange, endpoint: usize, method: &'static str, params: Value) -> Result<Value, Trouble> {
    let bytes = match exchange.ask(Question::Rpc { endpoint, method, params }).await {
        Ok(bytes) => bytes,
        Err(NoAnswer::Unreachable(detail)) => return Err(Trouble::Unreachable(detail)),
        Err(no_answer) => return Err(Trouble::Unusable(no_answer.to_string())),
    };
    let Ok(Value::Object(mut answer)) = serde_json::from_slice(&bytes) else {
        return Err(Trouble::Unusable(format!("its answer to {method} is no JSON-RPC")));
    };
    match answer.get("error") {
        None | Some(Value::Null) => Ok(answer.swap_remove("result").unwrap_or_default()),
        Some(error) => {
            let code = error.get("code").and_then(Value::as_i64).unwrap_or_default();
            let message = printable(error.get("message").and_then(Value::as_str).unwrap_or_default());
            Err(Trouble::Error { code, message })
        }
    }
}

/// A foreign text on one line, and not endless.
pub(crate) fn printable(text: &str) -> String {
    const LONGEST: usize = 300;
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}
