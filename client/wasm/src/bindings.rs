//! What JavaScript sees. JSON goes through as text: both sides have a fast parser for it.
#![allow(unsafe_code)] // what the macro of wasm-bindgen writes

use serde::Serialize;
use serde_json::Value;
use testamur_core::policy::Policy;
use testamur_credentials::{link, opened};
use wasm_bindgen::prelude::*;

use crate::{
    exchange::{Id, NoAnswer, Question},
    verification::{Input, Session, Shown},
};

/// A verification under way.
#[wasm_bindgen]
pub struct Verification(Session);

#[derive(Serialize)]
struct Asked<'a> {
    id: Id,
    /// Bytes that an answer may have.
    limit: usize,
    #[serde(flatten)]
    question: &'a Question,
}

#[wasm_bindgen]
impl Verification {
    /// Begins. An error where a setting is wrong.
    #[wasm_bindgen(constructor)]
    pub fn new(
        file: Vec<u8>,
        receipt: Option<Vec<u8>>,
        evidence: Option<Vec<u8>>,
        settings: &str,
    ) -> Result<Verification, JsError> {
        // By way of a value: for that, the code to read every part is there already.
        let settings: Value = serde_json::from_str(settings)?;
        let settings = serde_json::from_value(settings)?;
        Ok(Self(Session::new(Input { file, receipt, evidence, settings })))
    }

    /// The questions that came up, as a JSON array.
    pub fn wanted(&mut self) -> String {
        let wanted = self.0.wanted();
        let asked = wanted.iter().map(|(id, question)| Asked { id: *id, limit: question.limit(), question });
        text(&asked.collect::<Vec<_>>())
    }

    /// Hands in the answer to a question.
    pub fn answer(&self, id: Id, bytes: Vec<u8>) {
        self.0.answer(id, Ok(bytes));
    }

    /// Says that there is no answer, and why.
    pub fn fail(&self, id: Id, kind: &str, detail: String) {
        let no_answer = match kind {
            "refused" => NoAnswer::Refused(detail),
            "notFound" => NoAnswer::NotFound(detail),
            "unreadable" => NoAnswer::Unreadable(detail),
            _ => NoAnswer::Unreachable(detail),
        };
        self.0.answer(id, Err(no_answer));
    }

    /// What came of it, as a JSON object; `undefined` while it waits for answers.
    pub fn result(&self) -> Option<String> {
        self.0.outcome().map(text)
    }

    /// What proves the verdict later, without the network; `undefined` where the chain was not proven.
    pub fn evidence(&self) -> Option<Vec<u8>> {
        self.0.outcome()?.evidence.clone()
    }
}

/// What a file is, as a JSON object. An error where it cannot be read.
#[wasm_bindgen]
pub fn open(file: &[u8], receipt: Option<Vec<u8>>, name: Option<String>) -> Result<String, JsError> {
    Ok(text(&Shown::new(opened::open(name.as_deref(), file, receipt.as_deref())?)))
}

/// The policy that holds where nothing else is said, as a JSON object.
#[wasm_bindgen(js_name = defaultPolicy)]
pub fn default_policy() -> String {
    text(&Policy::default())
}

/// The credential in a link's fragment.
#[wasm_bindgen(js_name = fromLink)]
pub fn from_link(link: &str) -> Result<Vec<u8>, JsError> {
    Ok(link::decode(link)?)
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what is told has only JSON values")
}
