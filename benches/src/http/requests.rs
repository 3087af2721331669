//! Requests as the bytes that go over the wire.

use std::{io::Write, ops::Range};

use serde_json::json;
use sha2::{Digest, Sha256};

/// Odd, so that its multiples visit all of a power of two, far apart.
pub const STRIDE: u64 = 0x9E37_79B1;

/// What is the same in all requests of one issuer.
#[derive(Clone)]
pub struct Requests {
    issuer: String,
    token: String,
}

impl Requests {
    /// For an issuer, with its token.
    pub fn new(issuer: &str, token: &str) -> Self {
        Self { issuer: issuer.to_owned(), token: token.to_owned() }
    }

    /// Many digests, 32 bytes each.
    pub fn bulk(&self, numbers: Range<u64>) -> Vec<u8> {
        let body: Vec<u8> = numbers.flat_map(digest).collect();
        let mut out = Vec::with_capacity(body.len() + 512);
        self.post("digests", "application/octet-stream", &body, &mut out);
        out
    }

    /// One digest, in JSON.
    pub fn single(&self, number: u64, out: &mut Vec<u8>) {
        let body = format!(r#"{{"digests":["{}"]}}"#, hex::encode(digest(number)));
        self.post("digests", "application/json", body.as_bytes(), out);
    }

    /// Seal now.
    pub fn seal(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.post("seal", "application/json", b"", &mut out);
        out
    }

    /// The receipt of a digest.
    pub fn receipt(&self, number: u64, out: &mut Vec<u8>) {
        let (issuer, digest) = (&self.issuer, hex::encode(digest(number)));
        write!(out, "GET /v1/issuers/{issuer}/receipts/{digest} HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .expect("a vector takes everything");
    }

    /// The revocation bit of a status index, with its proof.
    pub fn status(&self, index: u64, out: &mut Vec<u8>) {
        let issuer = &self.issuer;
        write!(out, "GET /v1/issuers/{issuer}/status/revocation/{index} HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .expect("a vector takes everything");
    }

    /// Revoke, without waiting for others.
    pub fn revoke(&self, indices: &[u64]) -> Vec<u8> {
        let body = json!({"action": "revoke", "indices": indices, "assignedElsewhere": true, "now": true}).to_string();
        let mut out = Vec::with_capacity(body.len() + 512);
        self.post("changes", "application/json", body.as_bytes(), &mut out);
        out
    }

    fn post(&self, path: &str, media_type: &str, body: &[u8], out: &mut Vec<u8>) {
        let (issuer, token, length) = (&self.issuer, &self.token, body.len());
        write!(
            out,
            "POST /v1/issuers/{issuer}/{path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
             content-type: {media_type}\r\ncontent-length: {length}\r\n\r\n"
        )
        .expect("a vector takes everything");
        out.extend_from_slice(body);
    }
}

/// Digests as random as real ones, and the same in every run.
fn digest(number: u64) -> [u8; 32] {
    Sha256::digest(number.to_be_bytes()).into()
}
