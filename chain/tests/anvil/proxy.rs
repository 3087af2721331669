//! An endpoint between us and the chain that changes some answers.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use futures::{FutureExt, future::BoxFuture};
use serde_json::{Value, json};
use testamur_chain::{Endpoint, Error};

/// What the proxy makes of a request (method, params, the chain's own answer if it is to be asked).
pub enum Reply {
    /// What the chain says.
    Honest,
    /// This result.
    Result(Value),
    /// This JSON-RPC error.
    Error(i64, &'static str),
    /// This HTTP status, after the request went through to the chain.
    LateStatus(u16),
}

type Rule = Arc<dyn Fn(String, Value) -> BoxFuture<'static, Reply> + Send + Sync>;

/// Starts a proxy before `behind`.
pub async fn proxy(
    behind: &Endpoint,
    rule: impl Fn(String, Value) -> BoxFuture<'static, Reply> + Send + Sync + 'static,
) -> Endpoint {
    let state = (behind.clone(), Arc::new(rule) as Rule);
    serve(Router::new().route("/", post(forward)).with_state(state)).await
}

/// Starts a proxy that answers every question for events with these logs.
pub async fn with_logs(behind: &Endpoint, logs: Value) -> Endpoint {
    proxy(behind, move |method, _| {
        let reply = if method == "eth_getLogs" { Reply::Result(logs.clone()) } else { Reply::Honest };
        async move { reply }.boxed()
    })
    .await
}

/// Logs with something changed.
pub fn altered(logs: &Value, change: impl Fn(&mut Vec<Value>)) -> Value {
    let mut logs = logs.as_array().unwrap().clone();
    change(&mut logs);
    Value::Array(logs)
}

/// Starts an endpoint that answers everything with this status and body.
pub async fn constant(status: u16, body: &'static str) -> Endpoint {
    let status = StatusCode::from_u16(status).unwrap();
    serve(Router::new().route("/", post(move || async move { (status, body) }))).await
}

async fn serve(router: Router) -> Endpoint {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Endpoint::connect(&format!("http://{address}")).unwrap()
}

async fn forward(State((behind, rule)): State<(Endpoint, Rule)>, body: Bytes) -> axum::response::Response {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let (method, params) = (request["method"].as_str().unwrap().to_owned(), request["params"].clone());
    let reply = rule(method.clone(), params.clone()).await;
    let honest = async || match behind.request::<Value>(&method, params).await {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": 1, "result": result }),
        Err(Error::Rpc { code, message }) => {
            json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": code, "message": message } })
        }
        Err(error) => panic!("{method}: {error}"),
    };
    match reply {
        Reply::Honest => axum::Json(honest().await).into_response(),
        Reply::Result(result) => axum::Json(json!({ "jsonrpc": "2.0", "id": 1, "result": result })).into_response(),
        Reply::Error(code, message) => {
            let error = json!({ "code": code, "message": message });
            axum::Json(json!({ "jsonrpc": "2.0", "id": 1, "error": error })).into_response()
        }
        Reply::LateStatus(status) => {
            honest().await;
            StatusCode::from_u16(status).unwrap().into_response()
        }
    }
}
