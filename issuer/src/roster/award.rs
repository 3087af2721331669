//! What a row says, once it is understood.

use serde::{Deserialize, Serialize};
use testamur_core::UnixSeconds;

/// One achievement for one person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Award {
    /// Whose it is.
    pub learner: Learner,
    /// When it was earned. A day without a time is its first second, in UTC.
    pub awarded: Option<UnixSeconds>,
    /// Until when it is valid. A day without a time is its last second, in UTC.
    pub expires: Option<UnixSeconds>,
    /// What tells two awards of the same achievement to the same person apart: a year, a term. Empty: there is one.
    pub period: String,
    /// `AchievementSubject.term` of Open Badges 3.0: the academic term in which it was earned.
    pub term: Option<String>,
    /// `AchievementSubject.role`: the part that the learner had.
    pub role: Option<String>,
    /// `AchievementSubject.licenseNumber`.
    pub license_number: Option<String>,
    /// `AchievementSubject.creditsEarned`; finite, and not below zero.
    pub credits_earned: Option<f64>,
    /// `AchievementSubject.narrative`: how this learner earned it (Markdown).
    pub narrative: Option<String>,
    /// What shows that it was earned.
    pub evidence: Vec<Evidence>,
    /// Marks, grades, levels.
    pub results: Vec<ResultValue>,
}

/// A person, as the issuer's own store knows them. Nothing of this reaches the registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learner {
    /// What makes the learner the same one in two rosters: the issuer's own id, else the DID, else the e-mail address in
    /// lower case.
    pub key: String,
    /// What people call them.
    pub name: Option<String>,
    /// Where to write to, as the roster spells it.
    pub email: Option<String>,
    /// Their own decentralized identifier.
    pub did: Option<String>,
}

/// A piece of evidence (`Evidence` of Open Badges 3.0, B.1.6): one of `id` and `narrative` is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Its address: an `http` or `https` URL.
    #[serde(alias = "url", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How it came to be (Markdown).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub narrative: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What kind of thing it is: poetry, prose, film.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub genre: Option<String>,
    /// For whom it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
}

/// A mark, a grade, a level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultValue {
    /// The id or name of the template's result description that it belongs to. `None`: the template has only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The value, as it is to be shown.
    pub value: String,
}
