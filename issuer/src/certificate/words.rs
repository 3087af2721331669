//! What a credential says, in words that fit on a page.

use serde_json::{Map, Value};
use testamur_core::UnixSeconds;

use super::{Fault, Language, calendar, clean::line, labels::Labels};

/// The most letters of a name, and of a text; and how many facts find room.
const MAX_NAME: usize = 200;
const MAX_TEXT: usize = 600;
const MAX_FACT: usize = 60;
const MAX_FACTS: usize = 6;

/// All that stands on a certificate, cleaned.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Words {
    pub issuer: String,
    /// Its id, which a verifier asks for.
    pub issuer_id: String,
    pub issuer_picture: Option<String>,
    pub achievement: String,
    pub achievement_picture: Option<String>,
    /// What the picture shows, where somebody wrote it down.
    pub caption: Option<String>,
    /// Whom it is awarded to, where the credential says it in plain text.
    pub name: Option<String>,
    pub description: Option<String>,
    pub criteria: Option<String>,
    /// Labels and what they say: dates, credits, results.
    pub facts: Vec<(String, String)>,
    /// The credential's id.
    pub id: Option<String>,
    /// When it was awarded, for the file's own date.
    pub awarded: Option<UnixSeconds>,
}

impl Words {
    /// Of a credential of Open Badges 3.0, or of one that was translated into it.
    pub(super) fn of(credential: &Map<String, Value>, language: Language) -> Result<Self, Fault> {
        let subject = credential.get("credentialSubject").map(first).ok_or(Fault::Nothing("credentialSubject"))?;
        let achievement = subject.get("achievement").map(first).unwrap_or(&Value::Null);
        let issuer = credential.get("issuer").unwrap_or(&Value::Null);
        let title = name(achievement.get("name")).or_else(|| name(credential.get("name")));
        let awarded = instant(credential, &["awardedDate", "validFrom", "issuanceDate"]);
        let issuer_id = name(issuer.get("id").or(Some(issuer))).unwrap_or_default();
        Ok(Self {
            issuer: name(issuer.get("name")).unwrap_or_else(|| issuer_id.clone()),
            issuer_id,
            issuer_picture: picture(issuer),
            achievement: title.ok_or(Fault::Nothing("achievement with a name"))?,
            achievement_picture: picture(achievement),
            caption: achievement.get("image").and_then(|image| name(image.get("caption"))),
            name: learner(subject),
            description: text(achievement.get("description")).or_else(|| text(credential.get("description"))),
            criteria: achievement.get("criteria").and_then(|criteria| text(criteria.get("narrative"))),
            facts: facts(credential, subject, achievement, awarded, language),
            id: name(credential.get("id")),
            awarded,
        })
    }

    /// What to call the file.
    pub(super) fn file_name(&self) -> String {
        const MOST: usize = 40;
        let part = |text: &str| {
            let plain: String = text.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
            plain.to_lowercase().split_whitespace().collect::<Vec<_>>().join("-").chars().take(MOST).collect()
        };
        let parts: Vec<String> =
            [self.name.as_deref(), Some(&self.achievement)].into_iter().flatten().map(part).collect();
        let stem = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
        format!("{}.pdf", if stem.is_empty() { "certificate" } else { stem.trim_end_matches('-') })
    }
}

/// Of several, the first.
fn first(value: &Value) -> &Value {
    value.as_array().and_then(|values| values.first()).unwrap_or(value)
}

fn name(value: Option<&Value>) -> Option<String> {
    said(value, MAX_NAME)
}

fn text(value: Option<&Value>) -> Option<String> {
    let text = plain(spoken(value?)?);
    Some(line(&text, MAX_TEXT)).filter(|text| !text.is_empty())
}

fn said(value: Option<&Value>, most: usize) -> Option<String> {
    Some(line(spoken(value?)?, most)).filter(|text| !text.is_empty())
}

/// A text, also as JSON-LD has it in several languages.
fn spoken(value: &Value) -> Option<&str> {
    let value = first(value);
    value.as_str().or_else(|| value.get("@value")?.as_str())
}

/// Markdown without its marks, as far as they would be in the way.
fn plain(markdown: &str) -> String {
    let mark = |c: char| matches!(c, '#' | '>' | '*' | '-' | '+') || c.is_whitespace();
    let lines = markdown.lines().map(|line| line.trim_start_matches(mark).replace("**", "").replace("__", ""));
    lines.filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n").replace('`', "")
}

/// The address of an image, which stands there by itself or as an object's id.
fn picture(of: &Value) -> Option<String> {
    let image = first(of.get("image")?);
    image.as_str().or_else(|| image.get("id")?.as_str()).map(str::to_owned)
}

/// A name in plain text among the identifiers (`IdentityObject`), or as the subject's own.
fn learner(subject: &Value) -> Option<String> {
    let identifiers = subject.get("identifier");
    let identifiers =
        identifiers.map_or(&[][..], |one| one.as_array().map_or(std::slice::from_ref(one), Vec::as_slice));
    let named = identifiers.iter().find(|one| one["identityType"] == "name" && one["hashed"] == false);
    name(named.and_then(|one| one.get("identityHash"))).or_else(|| name(subject.get("name")))
}

fn instant(credential: &Map<String, Value>, members: &[&str]) -> Option<UnixSeconds> {
    members.iter().find_map(|member| credential.get(*member)?.as_str()?.parse().ok())
}

fn facts(
    credential: &Map<String, Value>,
    subject: &Value,
    achievement: &Value,
    awarded: Option<UnixSeconds>,
    language: Language,
) -> Vec<(String, String)> {
    let labels = Labels::of(language);
    let day = |instant| calendar::day(instant, language);
    let until = instant(credential, &["validUntil", "expirationDate"]);
    let credits = subject.get("creditsEarned").or_else(|| achievement.get("creditsAvailable"));
    let field = said(achievement.get("fieldOfStudy"), MAX_FACT);
    let mut facts = vec![
        (labels.date.to_owned(), awarded.map(day)),
        (labels.valid_until.to_owned(), until.map(day)),
        (labels.credits.to_owned(), credits.and_then(number)),
    ];
    facts.extend(results(subject, achievement, labels).map(|(label, value)| (label, Some(value))));
    facts.push((labels.license.to_owned(), said(subject.get("licenseNumber"), MAX_FACT)));
    facts.push((labels.field.to_owned(), field));
    facts.into_iter().filter_map(|(label, value)| Some((label, value?))).take(MAX_FACTS).collect()
}

/// As people write it: 6 rather than 6.0.
fn number(value: &Value) -> Option<String> {
    value.as_f64().map(|number| number.to_string())
}

/// Grades and levels, by the names that the achievement gives them.
fn results<'a>(
    subject: &'a Value,
    achievement: &'a Value,
    labels: &'a Labels,
) -> impl Iterator<Item = (String, String)> + 'a {
    let descriptions = list(achievement.get("resultDescription"));
    list(subject.get("result")).iter().filter_map(move |result| {
        let id = result.get("resultDescription");
        let description = descriptions.iter().find(|one| id.is_some() && one.get("id") == id).unwrap_or(&Value::Null);
        let level = result.get("achievedLevel").and_then(|id| {
            let levels = list(description.get("rubricCriterionLevel"));
            said(levels.iter().find(|level| level.get("id") == Some(id))?.get("name"), MAX_FACT)
        });
        let value = level.or_else(|| said(result.get("value"), MAX_FACT))?;
        Some((said(description.get("name"), MAX_FACT).unwrap_or_else(|| labels.result.to_owned()), value))
    })
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
