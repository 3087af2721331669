//! Verification receipts: what was checked, on which documents, under which policy, and with which verdict, signed by
//! whoever verified. They can be shown to others, and checked again later ([`Told::changes`]).
//!
//! A compact token (JWS, EdDSA) of type `testamur-verification+jwt`; its issuer is the `did:key` of the signing key. It
//! names documents by their SHA-256, and by their names only where that was asked for.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use testamur_chain::{Basis, keys::read_secret};
use testamur_core::{
    Hash, UnixSeconds,
    checked::{KeyOwner, SignatureOutcome},
    policy::Policy,
    verify::{Report, Verdict},
};
use testamur_credentials::{
    Shelf,
    jose::{Compact, check_token},
};
use zeroize::Zeroizing;

use crate::Verified;

/// What makes a token such a receipt.
const TYPE: &str = "testamur-verification+jwt";
/// What says "Ed25519 public key" in a did:key (multicodec 0xed, as a varint).
const ED25519_PUBLIC: [u8; 2] = [0xed, 0x01];

/// The key of somebody who verifies. It is wiped from memory when dropped.
pub struct Witness {
    secret: SigningKey,
    multibase: String,
}

impl Witness {
    /// Reads a key: 64 hex digits in a file of mode 0600. An error says what is wrong with the file.
    pub fn load(path: &Path) -> Result<Self, testamur_chain::Error> {
        let text = read_secret(path)?;
        let mut seed = Zeroizing::new([0; 32]);
        let digits = text.trim();
        hex::decode_to_slice(digits, seed.as_mut()).map_err(|_| testamur_chain::Error::KeyFile {
            path: path.to_owned(),
            fault: "holds no Ed25519 key of 64 hex digits; `testamur key new --kind ed25519` makes one".to_owned(),
        })?;
        Ok(Self::from_seed(&seed))
    }

    fn from_seed(seed: &[u8; 32]) -> Self {
        let secret = SigningKey::from_bytes(seed);
        let public = [&ED25519_PUBLIC[..], secret.verifying_key().as_bytes()].concat();
        Self { secret, multibase: format!("z{}", bs58::encode(public).into_string()) }
    }

    /// Its `did:key`.
    pub fn did(&self) -> String {
        format!("did:key:{}", self.multibase)
    }

    /// Signs a testimony, in its own name.
    pub fn sign(&self, testimony: Testimony) -> String {
        let kid = format!("{}#{}", self.did(), self.multibase);
        let header = json!({ "alg": "EdDSA", "typ": TYPE, "kid": kid });
        let claims = json!(Testimony { iss: self.did(), ..testimony });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self.secret.sign(signed.as_bytes()).to_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// What was checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Testimony {
    /// Who says so.
    pub iss: String,
    /// When it was checked, in seconds since 1970.
    pub iat: u64,
    /// The moment that was looked back to, in seconds since 1970, if that was not the present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// With what.
    pub software: String,
    /// Under which policy.
    pub policy: Policy,
    /// The lists of recognised issuers that counted, by file or URL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<String>,
    /// SHA-256 of each archive of evidence that was used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Hash>,
    /// What the looks at chains rested on.
    pub rests_on: Vec<Basis>,
    /// What came of each document.
    pub documents: Vec<Told>,
}

/// What came of one document.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Told {
    /// SHA-256 of its bytes; `None` where it could not be had.
    pub sha256: Option<Hash>,
    /// Its name, where names were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The verdict in one word.
    pub verdict: String,
    /// Every check, with its outcome and detail.
    pub checks: Vec<Value>,
    /// What could not be had, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Which of the testimony's `restsOn`, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests_on: Option<usize>,
}

impl Testimony {
    /// One that tells nothing yet; whoever signs it becomes its issuer.
    pub fn new(policy: &Policy, now: UnixSeconds) -> Self {
        Self {
            iss: String::new(),
            iat: now.0,
            at: None,
            software: format!("testamur {}", env!("CARGO_PKG_VERSION")),
            policy: policy.clone(),
            lists: Vec::new(),
            evidence: Vec::new(),
            rests_on: Vec::new(),
            documents: Vec::new(),
        }
    }

    /// The verifier's present.
    pub fn now(&self) -> UnixSeconds {
        UnixSeconds(self.at.unwrap_or(self.iat))
    }

    /// The moment up to which it saw what happened on the chains: that of the newest block, or of the older one of two.
    pub fn moment(&self) -> UnixSeconds {
        let heads = self.rests_on.iter().map(|basis| basis.head.block.time);
        self.at.map(UnixSeconds).or(heads.min()).unwrap_or(UnixSeconds(self.iat))
    }

    /// Adds what came of a document, with its name only where `names` says so.
    pub fn add(&mut self, verified: &Verified, names: bool) {
        let basis = verified.sight.as_ref().and_then(|sight| sight.basis.as_deref());
        let rests_on = basis.map(|basis| {
            self.rests_on.iter().position(|known| known == basis).unwrap_or_else(|| {
                self.rests_on.push(basis.clone());
                self.rests_on.len() - 1
            })
        });
        let error = verified.report.as_ref().err().map(|error| error.to_string());
        self.documents.push(Told {
            sha256: verified.hash,
            name: names.then(|| verified.source.to_string()),
            verdict: verdict(verified).to_string(),
            checks: checks(verified),
            detail: verified.detail.clone().or(error),
            rests_on,
        });
    }

    /// Reads a token, and checks that whoever it names as its issuer signed it. An error says, in words, why it is not
    /// to be believed.
    pub fn open(token: &str) -> Result<Self, String> {
        let token = token.trim();
        let compact = Compact::parse(token).map_err(|fault| fault.to_string())?;
        if compact.header.get("typ").and_then(Value::as_str) != Some(TYPE) {
            return Err(format!("its typ is not {TYPE}"));
        }
        // A did:key is the key: nothing is fetched, and time does not matter.
        match check_token(token, None, &Shelf::default(), UnixSeconds(0)).outcome {
            SignatureOutcome::Holds(KeyOwner::Issuer { as_of: None, .. }) => {}
            SignatureOutcome::Fails(fault) => return Err(fault.to_string()),
            _ => return Err("it is not signed with the did:key that it names".to_owned()),
        }
        serde_json::from_value(Value::Object(compact.payload)).map_err(|error| format!("its claims: {error}"))
    }

    /// What it says of a document.
    pub fn of(&self, hash: Hash) -> Option<&Told> {
        self.documents.iter().find(|told| told.sha256 == Some(hash))
    }
}

impl Told {
    /// What is otherwise now, check by check, in words. Empty where every check came out as it did then.
    pub fn changes(&self, verified: &Verified) -> Vec<String> {
        let now = checks(verified);
        let same = |then: &Value, now: &Value| {
            ["/check", "/outcome", "/detail/kind"].iter().all(|at| then.pointer(at) == now.pointer(at))
        };
        if self.checks.len() != now.len() {
            return vec![format!("was {}, is {}", self.verdict, verdict(verified))];
        }
        let changed = self.checks.iter().zip(&now).filter(|(then, now)| !same(then, now));
        changed
            .map(|(then, now)| {
                format!("{}: was {}, is {}", text(now, "check"), text(then, "message"), text(now, "message"))
            })
            .collect()
    }
}

fn text<'a>(check: &'a Value, member: &str) -> &'a str {
    check.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn verdict(verified: &Verified) -> Verdict {
    verified.report.as_ref().map_or(Verdict::Unverifiable, Report::verdict)
}

fn checks(verified: &Verified) -> Vec<Value> {
    let checks = verified.report.as_ref().map(Report::checks).unwrap_or_default();
    checks.iter().map(|check| json!(check)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn witness() -> Witness {
        Witness::from_seed(&[7; 32])
    }

    fn token() -> String {
        witness().sign(Testimony::new(&Policy::default(), UnixSeconds(1_767_225_600)))
    }

    #[test]
    fn what_was_signed_is_read_again() {
        let read = Testimony::open(&format!("{}\n", token())).unwrap();
        assert_eq!((read.iss, read.iat), (witness().did(), 1_767_225_600));
        assert_eq!(read.policy, Policy::default());
        assert!(read.software.starts_with("testamur "));
    }

    #[test]
    fn another_s_word_or_a_changed_one_is_not_believed() {
        let token = token();
        let parts: Vec<&str> = token.split('.').collect();
        let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        let other = Witness::from_seed(&[8; 32]);
        for (from, to) in [("1767225600", "1767225601"), (&witness().did()[..], &other.did()[..])] {
            let changed = URL_SAFE_NO_PAD.encode(claims.replace(from, to));
            assert!(Testimony::open(&format!("{}.{changed}.{}", parts[0], parts[2])).is_err());
        }
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA"}"#);
        assert!(Testimony::open(&format!("{header}.{}.{}", parts[1], parts[2])).unwrap_err().contains("typ"));
        assert!(Testimony::open("nothing").is_err());
    }

    #[test]
    fn a_key_that_others_may_read_or_that_is_none_is_refused() {
        use std::{fs, os::unix::fs::PermissionsExt};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for (text, mode, told) in [("ab".repeat(32), 0o644, "chmod 600"), ("ab".repeat(31), 0o600, "64 hex digits")] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = Witness::load(&path).err().unwrap().to_string();
            assert!(error.contains(told) && !error.contains("abab"), "{error}");
        }
    }
}
