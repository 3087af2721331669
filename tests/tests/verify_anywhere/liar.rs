//! A line to a chain that answers otherwise than the chain does.

use std::sync::Arc;

use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// What becomes of the chain's answer (the whole JSON-RPC object) to a method with these parameters.
type Lie = Arc<dyn Fn(&str, &Value, &mut Value) + Send + Sync>;

/// A running liar. It ends when dropped.
pub struct Liar {
    pub url: String,
    _runtime: Runtime,
}

impl Liar {
    pub fn before(chain: &str, lie: impl Fn(&str, &Value, &mut Value) + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let state = (chain.to_owned(), reqwest::Client::new(), Arc::new(lie) as Lie);
        let router = Router::new().route("/", post(answer)).with_state(state);
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url, _runtime: runtime }
    }

    /// Says what the chain says.
    pub fn honest(chain: &str) -> Self {
        Self::before(chain, |_, _, _| {})
    }

    /// Has another chain: each block has another hash. Each liar has a lie of its own.
    pub fn of_blocks(chain: &str, lie: u8) -> Self {
        Self::before(chain, move |method, _, answer| {
            if let ("eth_getBlockByNumber", Some(hash)) = (method, answer["result"].get_mut("hash")) {
                *hash = word(lie);
            }
        })
    }

    /// Says that every slot holds something else, in proofs and in calls.
    pub fn of_storage(chain: &str, lie: u8) -> Self {
        Self::before(chain, move |method, _, answer| match method {
            "eth_getProof" => {
                for slot in answer["result"]["storageProof"].as_array_mut().into_iter().flatten() {
                    slot["value"] = json!(format!("{lie:#x}"));
                }
            }
            "eth_call" => answer["result"] = word(lie),
            _ => {}
        })
    }

    /// Says that the registry has another code.
    pub fn of_code(chain: &str, lie: u8) -> Self {
        Self::before(chain, move |method, _, answer| match method {
            "eth_getCode" => answer["result"] = word(lie),
            "eth_getProof" => answer["result"]["codeHash"] = word(lie),
            _ => {}
        })
    }

    /// Has no such method.
    pub fn without(chain: &str, refused: &'static str) -> Self {
        Self::before(chain, move |method, _, answer| {
            if method == refused {
                let error = json!({ "code": -32601, "message": "the method does not exist" });
                *answer = json!({ "jsonrpc": "2.0", "id": 1, "error": error });
            }
        })
    }
}

/// Thirty-two bytes, all the same.
fn word(byte: u8) -> Value {
    json!(format!("0x{}", format!("{byte:02x}").repeat(32)))
}

async fn answer(
    State((chain, client, lie)): State<(String, reqwest::Client, Lie)>,
    Json(asked): Json<Value>,
) -> Json<Value> {
    let sent = client.post(&chain).json(&asked).send().await.expect("the chain answers");
    let mut answer = sent.json().await.expect("JSON");
    lie(asked["method"].as_str().unwrap_or_default(), &asked["params"], &mut answer);
    Json(answer)
}
