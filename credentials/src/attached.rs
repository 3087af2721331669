//! PDF files (ISO 32000) with a credential attached, as certificates have them: read as far as the credential needs.
//!
//! The file is gone through once, from front to back, and no reference in it is followed: so there are no loops, and
//! what one table of objects hides and another one shows is found either way. Attached files are streams of type
//! `EmbeddedFile`; a credential is what begins like one. Pages, scripts and forms are nobody's business here.
//!
//! Absent: encryption, filters other than Flate (7.4.4), and streams that do not say that they are embedded files.

mod lexer;

use std::io::Read;

use flate2::read::ZlibDecoder;

use crate::baked::MAX_TEXT;
use lexer::{Lexer, Stream};

/// The most attached files that begin like a credential.
pub const MAX_FILES: usize = 16;

const SIGNATURE: &[u8] = b"%PDF-";
/// A PDF may have something else in front, and readers look this far (ISO 32000-1, Annex H, note 13).
const FRONT: usize = 1024;
/// As much of a file as shows whether it can be a credential.
const BEGINNING: u64 = 64;

/// Why an attached credential cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Which one counts must not depend on their order.
    #[error("two credentials are attached to the PDF, at bytes {first} and {second}")]
    Two {
        /// Where the first one begins.
        first: usize,
        /// Where the second one begins.
        second: usize,
    },
    /// What is attached can be read with the password only.
    #[error(
        "the PDF is encrypted, and so is what is attached to it: save the attached file, or the PDF without a password"
    )]
    Encrypted,
    /// A decompression bomb, if nothing else.
    #[error("the credential attached to the PDF has more than {limit} bytes")]
    TooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// More than anybody attaches.
    #[error("more than {MAX_FILES} files that might be credentials are attached to the PDF")]
    Many,
    /// It begins like a credential, and its compression breaks off.
    #[error("the credential attached to the PDF, at byte {place}, is damaged")]
    Damaged {
        /// Where its stream begins.
        place: usize,
    },
}

/// The credential that is attached to a PDF: its JSON, or a compact JWS, byte by byte. `None` for anything else, and for
/// a PDF without one.
///
/// # Errors
/// See [`Fault`].
pub fn credential(bytes: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
    if !is_pdf(bytes) {
        return Ok(None);
    }
    let mut found: Option<(usize, Vec<u8>)> = None;
    let (mut files, mut candidates) = (0, 0);
    let mut lexer = Lexer::new(bytes);
    for stream in lexer.by_ref().filter(|stream| stream.is_file) {
        files += 1;
        if !begins(&stream) {
            continue;
        }
        candidates += 1;
        if candidates > MAX_FILES {
            return Err(Fault::Many);
        }
        let Some(text) = text(&stream)? else { continue };
        match &found {
            // The same file, kept twice by whoever saved the PDF again.
            Some((_, first)) if *first == text => {}
            Some((first, _)) => return Err(Fault::Two { first: *first, second: stream.place }),
            None => found = Some((stream.place, text)),
        }
    }
    if lexer.is_encrypted && files > 0 {
        return Err(Fault::Encrypted);
    }
    Ok(found.map(|(_, text)| text))
}

/// Whether readers take it for a PDF.
pub fn is_pdf(bytes: &[u8]) -> bool {
    let front = &bytes[..bytes.len().min(FRONT)];
    front.windows(SIGNATURE.len()).any(|window| window == SIGNATURE)
}

/// Whether an attached file begins like a JSON object or a token. A credential under a filter other than Flate is none
/// that was made here.
fn begins(stream: &Stream<'_>) -> bool {
    let mut beginning = Vec::new();
    if stream.is_deflated {
        // What breaks off later may still begin well.
        _ = ZlibDecoder::new(stream.data).take(BEGINNING).read_to_end(&mut beginning);
    } else {
        beginning.extend(stream.data.iter().take(BEGINNING as usize));
    }
    let beginning = trimmed(&beginning);
    beginning.starts_with(b"{") || beginning.starts_with(b"eyJ")
}

/// What is in an attached file, if it is JSON-LD or a token. Whether it is a good one, its own reader says.
fn text(stream: &Stream<'_>) -> Result<Option<Vec<u8>>, Fault> {
    const CONTEXT: &[u8] = b"\"@context\"";
    let text = if stream.is_deflated { inflated(stream)? } else { stream.data.to_vec() };
    let is_credential = match trimmed(&text) {
        [b'{', object @ ..] => object.windows(CONTEXT.len()).any(|window| window == CONTEXT),
        token => token.iter().filter(|&&byte| byte == b'.').count() == 2,
    };
    if is_credential && text.len() > MAX_TEXT {
        return Err(Fault::TooLarge { limit: MAX_TEXT });
    }
    Ok(is_credential.then_some(text))
}

fn inflated(stream: &Stream<'_>) -> Result<Vec<u8>, Fault> {
    let mut text = Vec::new();
    let read = ZlibDecoder::new(stream.data).take(MAX_TEXT as u64 + 1).read_to_end(&mut text);
    read.map_err(|_| Fault::Damaged { place: stream.place })?;
    Ok(text)
}

/// Without white space around it, and without the byte order mark that some editors leave.
fn trimmed(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii()
}
