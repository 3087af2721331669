//! A JSON-RPC server that passes requests on to another one and fails when told to.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// How a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Before it has reached the chain.
    Refused,
    /// It took effect; the reply is lost.
    ReplyLost,
    /// It does not reach the chain, and no reply ever comes.
    HangsBefore,
    /// It took effect, and no reply ever comes.
    HangsAfter,
}

impl Form {
    pub fn hangs(self) -> bool {
        matches!(self, Self::HangsBefore | Self::HangsAfter)
    }
}

/// Which request fails.
#[derive(Clone, Debug)]
pub enum Which {
    /// The n-th from now, from 0.
    Nth(usize),
    /// Every one of a method.
    Method(&'static str),
    Every,
}

#[derive(Default)]
struct Script {
    fault: Option<(Which, Form)>,
    chain_id: Option<u64>,
    /// The oldest block whose state is known.
    state_from: u64,
    /// Why it takes no transaction.
    refusal: Option<&'static str>,
    seen: Vec<String>,
}

#[derive(Clone)]
pub struct Proxy {
    pub url: String,
    target: String,
    client: reqwest::Client,
    script: Arc<Mutex<Script>>,
    /// Told when a request hangs.
    pub hung: Arc<Notify>,
}

impl Proxy {
    pub async fn start(target: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            target: target.to_owned(),
            client: reqwest::Client::new(),
            script: Arc::default(),
            hung: Arc::default(),
        };
        let router = Router::new().route("/", post(answer)).with_state(proxy.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        proxy
    }

    /// From now on this request fails; the requests are counted anew.
    pub fn fail(&self, which: Which, form: Form) {
        *self.script.lock().unwrap() = Script { fault: Some((which, form)), ..Script::default() };
    }

    /// From now on everything works.
    pub fn heal(&self) {
        *self.script.lock().unwrap() = Script::default();
    }

    /// From now on it claims to serve another chain.
    pub fn claim_chain(&self, id: u64) {
        self.script.lock().unwrap().chain_id = Some(id);
    }

    /// From now on it takes no transaction, for this reason.
    pub fn refuse_transactions(&self, why: &'static str) {
        self.script.lock().unwrap().refusal = Some(why);
    }

    /// From now on it knows no state of blocks before this one, as endpoints do that are no archives.
    pub fn prune(&self, state_from: u64) {
        self.script.lock().unwrap().state_from = state_from;
    }

    /// The methods asked for since the last change.
    pub fn seen(&self) -> Vec<String> {
        self.script.lock().unwrap().seen.clone()
    }

    /// Whether this request fails, and how. A request that fails by its number fails once.
    fn judge(&self, method: &str) -> Option<Form> {
        let mut script = self.script.lock().unwrap();
        script.seen.push(method.to_owned());
        let count = script.seen.len();
        let (which, form) = script.fault.as_ref()?;
        let hit = match which {
            Which::Nth(n) => count == n + 1,
            Which::Method(wanted) => *wanted == method,
            Which::Every => true,
        };
        hit.then_some(*form)
    }

    async fn forward(&self, request: &Value) -> Response {
        if let (Some(id), "eth_chainId") = (self.script.lock().unwrap().chain_id, method_of(request)) {
            return reply(json!({ "jsonrpc": "2.0", "id": request["id"], "result": format!("{id:#x}") }).to_string());
        }
        let refusal = self.script.lock().unwrap().refusal.filter(|_| method_of(request) == "eth_sendRawTransaction");
        if let Some(why) = refusal.or_else(|| self.is_pruned(request).then_some("missing trie node")) {
            let error = json!({ "code": -32000, "message": why });
            return reply(json!({ "jsonrpc": "2.0", "id": request["id"], "error": error }).to_string());
        }
        match self.client.post(&self.target).json(request).send().await {
            Ok(response) => reply(response.text().await.unwrap_or_default()),
            Err(_) => StatusCode::BAD_GATEWAY.into_response(),
        }
    }
}

impl Proxy {
    fn is_pruned(&self, request: &Value) -> bool {
        let asks_state = matches!(method_of(request), "eth_call" | "eth_getTransactionCount");
        let block = request["params"][1].as_str().and_then(|tag| u64::from_str_radix(tag.strip_prefix("0x")?, 16).ok());
        asks_state && block.is_some_and(|block| block < self.script.lock().unwrap().state_from)
    }
}

async fn answer(State(proxy): State<Proxy>, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap();
    match proxy.judge(method_of(&request)) {
        None => proxy.forward(&request).await,
        Some(form) => {
            if matches!(form, Form::ReplyLost | Form::HangsAfter) {
                proxy.forward(&request).await;
            }
            if form.hangs() {
                proxy.hung.notify_one();
                std::future::pending::<()>().await;
            }
            StatusCode::BAD_GATEWAY.into_response()
        }
    }
}

fn method_of(request: &Value) -> &str {
    request["method"].as_str().unwrap_or_default()
}

fn reply(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
