//! A credential becomes a sealed page: its secrets are drawn here, and stand in the claim link only.

use rand::{TryRngCore as _, rngs::OsRng};
use serde_json::json;
use testamur_core::UnixSeconds;
use testamur_credentials::{
    opened,
    sealed::{self, Link, SealKey, SealedId},
};
use zeroize::Zeroizing;

use super::{InviteError, Passed};
use crate::{
    certificate::{self, Fonts, Language},
    pages::{
        secret::Secret,
        store::{CERTIFICATE, CREDENTIAL, Invited, Part},
    },
    store::{Finished, Issued, Listed},
};

/// A page, sealed, and what its learner is to be told.
pub struct Made {
    /// The credential.
    pub listed: Listed,
    /// The page.
    pub page: Invited,
    /// What it was awarded for.
    pub achievement: String,
    /// The claim link.
    pub link: Zeroizing<String>,
    /// What the certificate does not show.
    pub notes: Vec<certificate::Note>,
}

/// What all pages of an invitation share.
pub struct Sealer<'a> {
    /// What browsers call the pages' server.
    pub base: &'a str,
    /// What certificates are set in.
    pub fonts: &'static Fonts,
    /// Of the certificates.
    pub language: Language,
    /// Until when the pages can be claimed.
    pub expires: UnixSeconds,
}

/// What is drawn for a page.
struct Secrets {
    id: SealedId,
    key: SealKey,
    token: Secret,
    nonces: [[u8; 12]; 2],
}

impl Sealer<'_> {
    /// Draws the secrets of a page, and seals what is on it.
    ///
    /// # Errors
    /// Outside: the store is damaged, or there is no randomness. Inside: this one is not fit for a page.
    pub fn make(&self, issued: Issued) -> Result<Result<Made, Passed>, InviteError> {
        let Some(anchored) = &issued.anchored else { return Ok(Err(Passed::Unfinished)) };
        let Finished { bytes, receipt } = anchored.finish()?;
        let secrets = Secrets::draw()?;
        Ok(self.page(&bytes, receipt.as_deref(), &secrets).map(|(parts, notes)| Made {
            achievement: achievement(&bytes).unwrap_or_else(|| issued.listed.template.clone()),
            link: secrets.claim_link(self.base),
            page: Invited { id: secrets.id, token: secrets.token.hash(), expires: self.expires, parts },
            listed: issued.listed,
            notes,
        }))
    }

    fn page(
        &self,
        credential: &[u8],
        receipt: Option<&[u8]>,
        secrets: &Secrets,
    ) -> Result<(Vec<Part>, Vec<certificate::Note>), Passed> {
        let unfit = |why: String| Passed::Unfit { why };
        let Secrets { id, key, nonces, .. } = secrets;
        let share = Link { base: self.base.to_owned(), id: *id, key: key.clone() }.reveal();
        let printed = certificate::pdf_with(credential, receipt, &share, self.language, self.fonts);
        let printed = printed.map_err(|fault| unfit(fault.to_string()))?;
        let text = std::str::from_utf8(credential).map_err(|error| unfit(error.to_string()))?;
        let texts = [(CREDENTIAL, text), (CERTIFICATE, &certificate_part(&printed))];
        let seal = |((name, text), nonce): ((&'static str, &str), &[u8; 12])| {
            let sealed = sealed::seal(text, id, key, *nonce).map_err(|fault| unfit(format!("{name}: {fault}")))?;
            Ok(Part { name, sealed })
        };
        Ok((texts.into_iter().zip(nonces).map(seal).collect::<Result<_, _>>()?, printed.notes))
    }
}

impl Secrets {
    /// A page whose secrets could be guessed would be no page: no randomness, no invitation.
    fn draw() -> Result<Self, InviteError> {
        Ok(Self {
            id: SealedId::new(random()?),
            key: SealKey::new(random()?),
            token: Secret::new(random()?),
            nonces: [random()?, random()?],
        })
    }

    fn claim_link(&self, base: &str) -> Zeroizing<String> {
        let Self { id, key, token, .. } = self;
        Zeroizing::new(format!("{base}/claim/{id}#{}.{}", *key.reveal(), *token.reveal()))
    }
}

/// Part `certificate`: a file for the learner's browser.
fn certificate_part(printed: &certificate::Certificate) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let file = STANDARD.encode(&printed.pdf);
    json!({ "name": printed.file_name, "type": "application/pdf", "base64": file }).to_string()
}

/// What it was awarded for.
fn achievement(credential: &[u8]) -> Option<String> {
    let opened = opened::open(None, credential, None).ok()?;
    let subject = opened.credential()?.get("credentialSubject")?;
    let subject = subject.as_array().map_or(Some(subject), |subjects| subjects.first())?;
    subject["achievement"]["name"].as_str().map(str::to_owned).filter(|name| !name.trim().is_empty())
}

fn random<const N: usize>() -> Result<[u8; N], InviteError> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(InviteError::Randomness)?;
    Ok(bytes)
}
