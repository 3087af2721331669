//! What lies before us: a credential, a token, an image with one baked in, or just a file. Told by its content, not by
//! its name.

pub(crate) mod token;

use serde_json::{Map, Value};
use testamur_core::{
    Document, Error,
    checked::SignatureFault,
    digest::file_hash,
    proof::{is_anchor, proofs},
};

use crate::{
    badge2::{self, Badge2},
    baked::{self, Baked, Picture},
    jose::Compact,
};

/// A document, with all that it says about how it is to be checked. Nothing of it is believed yet.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What the verdict is about. Of a token or a 2.0 badge, the credential in it is a translation: the issuer and the
    /// dates stand where Verifiable Credentials have them.
    pub document: Document,
    /// What kind of file it is.
    pub format: Format,
    /// The signatures that it carries, in its own order. Anchors are not among them, nor what an [`Self::badge2`] carries.
    pub signed: Vec<Signed>,
    /// A token's `status` claim (IETF Token Status List).
    pub token_status: Option<Value>,
    /// An Open Badges 2.0 (or 1.x) assertion: it is checked by rules of its own.
    pub badge2: Option<Badge2>,
    /// The picture that the credential was baked into, without the credential.
    pub picture: Option<Picture>,
}

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON object.
    Json,
    /// A compact JWS: VC-JWT, an Open Badges 3.0 or 2.0 token.
    Jwt,
    /// A PNG image with a credential baked in.
    Png,
    /// An SVG image with a credential baked in.
    Svg,
    /// Anything else: known by its bytes, and by the receipt beside it.
    File,
}

/// A signature that is to be checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Signed {
    /// A member of the credential's `proof` (Data Integrity).
    Proof(Value),
    /// The compact JWS around the credential (JOSE).
    Token(String),
}

/// Why a file cannot be opened. It is not what it looks like, so its verdict is *invalid*.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The credential or the receipt cannot be read.
    #[error("{0}")]
    Document(#[from] Error),
    /// The image says that a credential is baked in, but it cannot be had.
    #[error("{0}")]
    Baked(#[from] baked::Fault),
    /// A token that is not well formed.
    #[error("{0}")]
    Token(#[from] SignatureFault),
    /// A token that says one thing for its reader and another for its credential's.
    #[error("the token's {claim} is {outside}, its credential's {member} is {inside}")]
    Conflict {
        /// The registered claim.
        claim: &'static str,
        /// What it says.
        outside: String,
        /// The credential's member.
        member: &'static str,
        /// What that says.
        inside: String,
    },
    /// An Open Badges 2.0 assertion with a member that is missing or of a wrong shape.
    #[error("the badge's {member} is missing or not what Open Badges 2.0 asks for")]
    Badge {
        /// Dotted path of the member.
        member: &'static str,
    },
}

/// Opens a file, with the receipt that stands beside it, if one does. An anchor inside goes before the receipt.
///
/// `name` tells spoilt JSON (refused) from a file that merely begins like it; without a name, it is taken for JSON.
/// Images above [`baked::MAX_IMAGE`] are files: nobody looks into them.
pub fn open(name: Option<&str>, bytes: &[u8], receipt: Option<&[u8]>) -> Result<Opened, Refusal> {
    let inside = match inside(bytes) {
        Err(refusal) if receipt.is_some() || !names_credential(name, &refusal) => {
            if is_two_faced(&refusal) {
                return Err(refusal);
            }
            Opened::file(bytes)
        }
        inside => inside?,
    };
    match receipt {
        Some(receipt) if inside.document.anchor.is_none() => inside.beside(bytes, receipt),
        _ => Ok(inside),
    }
}

/// Reads a credential that somebody served: JSON or a token, never an image. For status lists.
pub(crate) fn read_credential(bytes: &[u8]) -> Result<Opened, Refusal> {
    match text(bytes) {
        Some(text) if token::is_token(text) => Opened::token(text),
        _ => Opened::json(bytes),
    }
}

fn inside(bytes: &[u8]) -> Result<Opened, Refusal> {
    if let Some((format, baked)) = baked::unbake(bytes)? {
        return Opened::baked(format, baked);
    }
    match text(bytes) {
        Some(text) if text.starts_with('{') => Opened::json(bytes),
        Some(text) if token::is_token(text) => Opened::token(text),
        _ => Ok(Opened::file(bytes)),
    }
}

/// Text without the white space around it, and without the byte order mark that some editors leave.
fn text(bytes: &[u8]) -> Option<&str> {
    Some(std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}').trim())
}

/// Bytes that are no JSON at all are a spoilt credential only where their name says so.
fn names_credential(name: Option<&str>, refusal: &Refusal) -> bool {
    let is_json = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.ends_with(".json") || name.ends_with(".jsonld")
    };
    match refusal {
        Refusal::Document(Error::Json { .. } | Error::Utf8 { .. } | Error::TooLarge { .. }) => name.is_none_or(is_json),
        _ => true,
    }
}

/// What shows one thing to one reader and another to the next is no plain file either, whatever anchors its bytes.
fn is_two_faced(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::Document(Error::DuplicateKey { .. } | Error::SeveralAnchors)
            | Refusal::Baked(baked::Fault::Two { .. })
            | Refusal::Conflict { .. }
    )
}

impl Opened {
    fn new(document: Document, format: Format) -> Self {
        Self { document, format, signed: Vec::new(), token_status: None, badge2: None, picture: None }
    }

    fn file(bytes: &[u8]) -> Self {
        Self::new(Document::unanchored(file_hash(bytes), None), Format::File)
    }

    fn json(bytes: &[u8]) -> Result<Self, Refusal> {
        let document = Document::from_credential(bytes)?;
        let credential = document.credential.as_ref().ok_or(Error::Member { member: "credential" })?;
        if document.anchor.is_none() && badge2::is_badge2(credential) {
            return Self::badge(bytes, Badge2::hosted(credential.clone())?, Format::Json);
        }
        let signed = proofs(credential).filter(|proof| !is_anchor(proof)).cloned().map(Signed::Proof).collect();
        Ok(Self { signed, ..Self::new(document, Format::Json) })
    }

    fn token(text: &str) -> Result<Self, Refusal> {
        let token = Compact::parse(text)?;
        if badge2::is_badge2(&token.payload) {
            return Self::badge(text.as_bytes(), Badge2::signed(token.payload, text)?, Format::Jwt);
        }
        let token_status = token.payload.get("status").filter(|status| status.is_object()).cloned();
        let document = Document::unanchored(file_hash(text.as_bytes()), Some(token::credential(&token)?));
        let signed = vec![Signed::Token(text.to_owned())];
        Ok(Self { signed, token_status, ..Self::new(document, Format::Jwt) })
    }

    fn badge(bytes: &[u8], badge: Badge2, format: Format) -> Result<Self, Refusal> {
        let document = Document::unanchored(file_hash(bytes), Some(badge.credential()));
        Ok(Self { badge2: Some(badge), ..Self::new(document, format) })
    }

    fn baked(format: Format, baked: Baked) -> Result<Self, Refusal> {
        let text = baked.text.trim();
        let inside = if text.starts_with('{') {
            Self::json(text.as_bytes())
        } else if token::is_token(text) {
            Self::token(text)
        } else {
            Self::badge(text.as_bytes(), Badge2::at(text)?, format)
        }?;
        Ok(Self { format, picture: Some(baked.picture), ..inside })
    }

    /// The same as a file whose bytes the receipt anchors.
    fn beside(self, bytes: &[u8], receipt: &[u8]) -> Result<Self, Refusal> {
        let mut document = Document::from_file_hash(file_hash(bytes), receipt)?;
        document.credential = self.document.credential.clone();
        Ok(Self { document, ..self })
    }

    /// Fills in what a 2.0 badge leaves to documents elsewhere: the hosted assertion's dates, and who issued it.
    /// To be called before each round of checks; what is not there yet is noted as wanted.
    pub fn settle(&mut self, supplies: &dyn crate::Supplies) {
        if let Some(badge) = &self.badge2 {
            self.document.credential = Some(badge.settled(supplies));
        }
    }

    /// The credential, as it was read or translated.
    pub fn credential(&self) -> Option<&Map<String, Value>> {
        self.document.credential.as_ref()
    }
}
