//! Reading request bodies: digests piece by piece, documents as a whole.

use std::time::Duration;

use axum::{
    body::{Body, BodyDataStream, Bytes},
    http::{HeaderMap, header},
};
use futures::StreamExt;
use serde::{Deserialize, de::DeserializeOwned};
use serde_path_to_error::Segment;
use testamur_core::Digest;
use tokio::time::{Instant, timeout_at};

use super::{
    AppState,
    problem::{Kind, Problem},
};

/// Changes of status, reserved indices or entries with a reserved index in one request.
pub const MAX_ENTRIES: usize = 100_000;

/// The longest line: no digest needs more.
const MAX_LINE: usize = 1024;
/// Bytes that a slow sender must deliver each second.
const SLOWEST: u64 = 1024;

/// A body that must neither be too large nor come too slowly.
pub struct Reader {
    stream: BodyDataStream,
    limit: u64,
    taken: u64,
    started: Instant,
    patience: Duration,
}

impl Reader {
    /// At most `limit` bytes, within `patience` and a second more for each KiB.
    pub fn new(body: Body, limit: u64, patience: Duration) -> Self {
        Self { stream: body.into_data_stream(), limit, taken: 0, started: Instant::now(), patience }
    }

    /// The next piece; none at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let deadline = self.started + self.patience + Duration::from_secs(self.taken / SLOWEST);
        let slow = |_| Problem::new(Kind::TooSlow, "send it faster, or in several requests");
        let Some(piece) = timeout_at(deadline, self.stream.next()).await.map_err(slow)? else { return Ok(None) };
        let piece = piece.map_err(|_| Problem::new(Kind::BodyBrokeOff, "the connection ended inside the body"))?;
        self.taken += piece.len() as u64;
        if self.taken > self.limit {
            let detail = format!("at most {} bytes are taken; send several requests", self.limit);
            return Err(Problem::new(Kind::TooLarge, detail));
        }
        Ok(Some(piece))
    }
}

/// Digests out of a body that is not JSON as a whole.
pub enum Splitter {
    /// One JSON value a line.
    Lines {
        /// The beginning of a line.
        rest: Vec<u8>,
        /// Complete lines so far.
        lines: u64,
    },
    /// 32 bytes each.
    Raw {
        /// The beginning of a digest.
        rest: Vec<u8>,
        /// Bytes of complete digests so far.
        offset: u64,
    },
}

impl Splitter {
    /// For lines.
    pub fn lines() -> Self {
        Self::Lines { rest: Vec::new(), lines: 0 }
    }

    /// For raw digests.
    pub fn raw() -> Self {
        Self::Raw { rest: Vec::new(), offset: 0 }
    }

    /// Appends the digests that a piece completes. Those before a fault are there as well.
    pub fn push(&mut self, mut piece: &[u8], out: &mut Vec<Digest>) -> Result<(), Problem> {
        match self {
            Self::Lines { rest, lines } => {
                while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
                    let (line, after) = (&piece[..end], &piece[end + 1..]);
                    if rest.is_empty() {
                        take_line(line, lines, out)?;
                    } else {
                        rest.extend_from_slice(line);
                        take_line(&std::mem::take(rest), lines, out)?;
                    }
                    piece = after;
                }
                rest.extend_from_slice(piece);
                if rest.len() > MAX_LINE { Err(at_line(*lines + 1, "the line is too long")) } else { Ok(()) }
            }
            Self::Raw { rest, offset } => {
                let needed = (32 - rest.len()) % 32;
                let (head, piece) = piece.split_at(needed.min(piece.len()));
                rest.extend_from_slice(head);
                if let Ok(digest) = Digest::try_from(&rest[..]) {
                    out.push(digest);
                    rest.clear();
                    *offset += 32;
                }
                let digests = piece.chunks_exact(32);
                rest.extend_from_slice(digests.remainder());
                *offset += 32 * digests.len() as u64;
                out.extend(digests.filter_map(|bytes| Digest::try_from(bytes).ok()));
                Ok(())
            }
        }
    }

    /// The end of the body: a last line needs no line feed, but must be whole.
    pub fn finish(&mut self, out: &mut Vec<Digest>) -> Result<(), Problem> {
        match self {
            Self::Lines { rest, lines } => take_line(rest, lines, out),
            Self::Raw { rest, .. } if rest.is_empty() => Ok(()),
            Self::Raw { rest, offset } => {
                let detail = format!("the body ends {} bytes after offset {offset}; a digest has 32", rest.len());
                Err(Problem::new(Kind::BadDigest, detail).with("offset", *offset))
            }
        }
    }
}

/// Reads one line. Empty ones are skipped, but counted.
fn take_line(line: &[u8], lines: &mut u64, out: &mut Vec<Digest>) -> Result<(), Problem> {
    let number = *lines + 1;
    let trimmed = line.trim_ascii();
    if !trimmed.is_empty() {
        out.push(parse_line(trimmed).map_err(|reason| at_line(number, reason))?);
    }
    *lines = number;
    Ok(())
}

/// `{"digest":"…"}` or `"…"`.
fn parse_line(line: &[u8]) -> Result<Digest, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Named {
        digest: Digest,
    }
    if line[0] == b'"' {
        return parse_json(line);
    }
    parse_json::<Named>(line).map(|named| named.digest)
}

fn parse_json<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

fn at_line(line: u64, reason: impl std::fmt::Display) -> Problem {
    let detail = format!("line {line}: {reason}; a line is {{\"digest\":\"<64 hex digits>\"}} or \"<64 hex digits>\"");
    Problem::new(Kind::BadDigest, detail).with("line", line)
}

/// A whole body, which must say that it is JSON.
pub async fn json_body(state: &AppState, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    if media_type(headers) != "application/json" {
        return Err(Problem::new(Kind::MediaType, "Content-Type must be application/json"));
    }
    whole_body(state, body).await
}

/// A whole body of at most as many bytes as are parsed at once.
pub async fn whole_body(state: &AppState, body: Body) -> Result<Vec<u8>, Problem> {
    let mut reader = Reader::new(body, state.limits.json_body_bytes as u64, state.limits.body_seconds);
    let mut bytes = Vec::new();
    while let Some(piece) = reader.next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// The `Content-Type` without parameters, in lower case.
pub fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// What a JSON body says. A fault is told with the JSON pointer of the member that has it, as `path`.
pub fn parse_document<T: DeserializeOwned>(json: &[u8], kind: Kind) -> Result<T, Problem> {
    // Following the path takes time, so it is followed only where there is a fault.
    serde_json::from_slice(json).map_err(|error| match first_fault::<T>(json) {
        Some((path, reason)) => Problem::new(kind, format!("{path}: {reason}. Nothing was taken")).with("path", path),
        None => Problem::new(kind, format!("{error}. Nothing was taken")),
    })
}

/// The JSON pointer of the member at fault, and what is wrong with it; none where the body is no JSON, or the fault is
/// not one member's.
fn first_fault<T: DeserializeOwned>(json: &[u8]) -> Option<(String, String)> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let error = serde_path_to_error::deserialize::<_, T>(&mut deserializer).err()?;
    let mut pointer = String::new();
    for segment in error.path() {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    (!pointer.is_empty()).then(|| (pointer, error.inner().to_string()))
}

/// The refusal of more than [`MAX_ENTRIES`] entries.
pub fn too_many(count: usize) -> Problem {
    let detail =
        format!("{count} are too many: at most {MAX_ENTRIES} are taken with one request; send several requests");
    Problem::new(Kind::TooManyEntries, detail).with("limit", MAX_ENTRIES)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(mut splitter: Splitter, pieces: &[&[u8]]) -> (Vec<Digest>, Result<(), Problem>) {
        let mut out = Vec::new();
        let result = pieces.iter().try_for_each(|piece| splitter.push(piece, &mut out));
        let result = result.and_then(|()| splitter.finish(&mut out));
        (out, result)
    }

    proptest! {
        #[test]
        fn how_a_body_is_cut_into_pieces_makes_no_difference(
            digests in prop::collection::vec(any::<[u8; 32]>(), 0..20), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)
        ) {
            let digests: Vec<_> = digests.into_iter().map(Digest).collect();
            let raw: Vec<u8> = digests.iter().flat_map(|digest| digest.0).collect();
            let lines: Vec<u8> = digests.iter().flat_map(|digest| format!("{{\"digest\":\"{digest}\"}}\r\n\n").into_bytes()).collect();
            for (body, splitter) in [(raw, Splitter::raw as fn() -> Splitter), (lines, Splitter::lines)] {
                let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(body.len() + 1)).chain([0, body.len()]).collect();
                places.sort_unstable();
                let pieces: Vec<_> = places.windows(2).map(|ends| &body[ends[0]..ends[1]]).collect();
                let (out, result) = split(splitter(), &pieces);
                prop_assert!(result.is_ok());
                prop_assert_eq!(&out, &digests);
            }
        }
    }

    #[test]
    fn a_fault_keeps_what_came_before_and_says_where_it_is() {
        let good = format!("\"{}\"\n", "ab".repeat(32));
        for (bad, reason) in [
            ("\"ab\"\n".to_owned(), "expected 64 hex digits, found 2"),
            (format!("\"{}\"\n", "AB".repeat(32)), "lower case"),
            ("{\"digest\":\"ab".to_owned(), "EOF"),
            (format!("{{\"digest\":\"{}\",\"x\":1}}\n", "ab".repeat(32)), "unknown field"),
            ("x".repeat(5000), "too long"),
            ("7\n".to_owned(), "line 3"),
        ] {
            let (out, result) = split(Splitter::lines(), &[good.as_bytes(), good.as_bytes(), bad.as_bytes()]);
            let told = format!("{:?}", result.unwrap_err());
            assert!(told.contains(reason) && told.contains("line 3"), "{told}");
            assert_eq!(out.len(), 2);
        }
        let (out, result) = split(Splitter::raw(), &[&[1; 40], &[1; 30]]);
        assert!(format!("{:?}", result.unwrap_err()).contains("6 bytes after offset 64"));
        assert_eq!(out.len(), 2);
    }
}
