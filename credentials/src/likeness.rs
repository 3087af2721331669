//! Issuers that can be mistaken for one that the verifier recognises: by their domain, or by their name.
//!
//! A resemblance is no proof of fraud, and an honest stranger who is called suspicious is harmed. So the rules are few,
//! and each is about what deceives people: a letter that looks like another, the same name at another address, the known
//! domain with something added. Whoever has the recognised domain, or one below it, resembles nobody.

mod skeleton;

use std::collections::HashSet;

use skeleton::skeleton;
use testamur_core::checked::LooksLike;

use crate::host::host;

/// Longer texts are cut before they are compared: no name is so long, and a hostile one may be.
const LONGEST: usize = 120;
/// A shorter label (`mit`, `ucl`) is many people's honest own.
const SHORTEST_LABEL: usize = 4;
/// From here on, a label with one letter changed is read as the same; from [`LONG_WORD`] on, a word of a name.
const LONG_LABEL: usize = 6;
const LONG_WORD: usize = 7;
/// Labels that no institution has for itself: `kings-college` does not pose as `college`.
const GENERIC: [&str; 12] = [
    "university",
    "universidad",
    "universitat",
    "college",
    "institute",
    "school",
    "academy",
    "education",
    "campus",
    "badges",
    "credentials",
    "online",
];
/// Second-level domains under which countries register institutions and firms.
const SECOND_LEVEL: [&str; 11] = ["ac", "co", "com", "edu", "gov", "gob", "net", "or", "org", "sch", "uni"];

/// What an issuer is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Called<'a> {
    /// Its DID or URL.
    pub id: Option<&'a str>,
    /// Its name.
    pub name: Option<&'a str>,
}

/// The issuers that a verifier recognises, prepared for comparison.
#[derive(Clone, Debug, Default)]
pub struct Recognised {
    ids: HashSet<String>,
    shapes: Vec<Shape>,
}

/// What is compared of an issuer.
#[derive(Clone, Debug)]
struct Shape {
    domain: Option<Domain>,
    name: Option<Name>,
}

#[derive(Clone, Debug)]
struct Domain {
    /// As written, in lower case.
    host: String,
    /// Whether the id is the whole domain's, not that of one among its users.
    is_whole: bool,
    /// The skeleton of the host.
    skeleton: String,
    /// The label that somebody registered (`example` of `www.example.ac.uk`), and what follows it.
    label: String,
    suffix: String,
    /// Whether the label is a word that many have in theirs.
    is_generic: bool,
}

#[derive(Clone, Debug)]
struct Name {
    text: String,
    words: Vec<String>,
}

impl Recognised {
    /// Prepares those whom the verifier knows.
    pub fn new<'a>(issuers: impl IntoIterator<Item = Called<'a>>) -> Self {
        let mut recognised = Self::default();
        for called in issuers {
            recognised.ids.extend(called.id.map(str::to_owned));
            recognised.shapes.push(Shape::new(called));
        }
        recognised
    }

    /// The recognised issuer that this one can be mistaken for. One that is recognised itself resembles nobody.
    pub fn looks_like(&self, called: Called<'_>) -> Option<LooksLike> {
        if called.id.is_some_and(|id| self.ids.contains(id)) {
            return None;
        }
        let shape = Shape::new(called);
        if self.shapes.iter().any(|known| shape.is_of_the_same_house(known)) {
            return None;
        }
        self.shapes.iter().find_map(|known| shape.resembles(known))
    }
}

impl Shape {
    fn new(called: Called<'_>) -> Self {
        Self { domain: called.id.and_then(Domain::new), name: called.name.and_then(Name::new) }
    }

    /// Whoever has a domain has those below it. On a domain that others share, the path tells people apart.
    fn is_of_the_same_house(&self, known: &Self) -> bool {
        let (Some(here), Some(there)) = (&self.domain, &known.domain) else { return false };
        let below = |lower: &str, upper: &str| lower.strip_suffix(upper).is_some_and(|rest| rest.ends_with('.'));
        if here.host == there.host {
            here.is_whole || there.is_whole
        } else {
            there.is_whole && below(&here.host, &there.host)
        }
    }

    fn resembles(&self, known: &Self) -> Option<LooksLike> {
        if let (Some(here), Some(there)) = (&self.domain, &known.domain)
            && here.resembles(there)
        {
            return Some(LooksLike { named: here.host.clone(), recognised: there.host.clone() });
        }
        let (here, there) = (self.name.as_ref()?, known.name.as_ref()?);
        here.resembles(there).then(|| LooksLike { named: here.text.clone(), recognised: there.text.clone() })
    }
}

impl Domain {
    fn new(id: &str) -> Option<Self> {
        let (host, is_whole) = host(id)?;
        if host.len() > 253 {
            return None;
        }
        let shown: Vec<String> = host.split('.').map(shown).collect();
        let labels: Vec<&str> = shown.iter().map(String::as_str).collect();
        let suffix = match labels[..] {
            [.., _, second, country] if country.len() == 2 && SECOND_LEVEL.contains(&second) => 2,
            _ => 1,
        };
        let at = labels.len().checked_sub(suffix + 1)?;
        Some(Self {
            is_whole,
            skeleton: skeleton(&labels.join(".")),
            label: skeleton(labels[at]),
            is_generic: labels[at].len() <= SHORTEST_LABEL || GENERIC.contains(&labels[at]),
            suffix: labels[at + 1..].join("."),
            host,
        })
    }

    fn resembles(&self, known: &Self) -> bool {
        if self.host != known.host && self.skeleton == known.skeleton {
            return true;
        }
        // Somebody else under the same registered domain: neighbours, as on a platform.
        let neighbours = self.label == known.label && self.suffix == known.suffix;
        if neighbours || known.label.len() < SHORTEST_LABEL {
            return false;
        }
        let joined = |label: &str| label.replace('-', "");
        joined(&self.label) == joined(&known.label)
            || (known.label.len() >= LONG_LABEL && is_slip(&self.label, &known.label))
            || self.adds_to(known)
    }

    /// `harvard-diplomas.com`, `harvard.edu.example.net`, `harvard-edu.com`.
    fn adds_to(&self, known: &Self) -> bool {
        let contains_label = !known.is_generic && self.label.split('-').any(|part| part == known.label);
        let whole = format!(".{}.{}.", known.label, skeleton(&known.suffix));
        contains_label || format!(".{}.", self.skeleton.replace('-', ".")).contains(&whole)
    }
}

impl Name {
    fn new(name: &str) -> Option<Self> {
        let text: String = name.chars().take(LONGEST).collect();
        let skeleton = skeleton(&text);
        let mut words: Vec<String> = skeleton
            .split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        if words.len() > 1 && words[0] == "the" {
            words.remove(0);
        }
        (!words.is_empty()).then_some(Self { text, words })
    }

    fn resembles(&self, known: &Self) -> bool {
        if self.words.concat() == known.words.concat() {
            return true;
        }
        let mut other = self.words.iter().zip(&known.words).filter(|(here, there)| here != there);
        let (one, more) = (other.next(), other.next());
        // A single word that is slightly another one is another name: Leeds and Leads.
        let comparable = self.words.len() == known.words.len() && known.words.len() > 1 && more.is_none();
        comparable && one.is_some_and(|(here, there)| there.chars().count() >= LONG_WORD && is_slip(here, there))
    }
}

/// How browsers show a label: `xn--…` in its own letters.
fn shown(label: &str) -> String {
    let decoded = label.strip_prefix("xn--").and_then(idna::punycode::decode_to_string);
    decoded.unwrap_or_else(|| label.to_owned())
}

/// Whether one letter was changed, added, left out, or two neighbours were exchanged.
fn is_slip(here: &str, there: &str) -> bool {
    let (here, there): (Vec<char>, Vec<char>) = (here.chars().collect(), there.chars().collect());
    let start = here.iter().zip(&there).take_while(|(a, b)| a == b).count();
    let (here, there) = (&here[start..], &there[start..]);
    let end = here.iter().rev().zip(there.iter().rev()).take_while(|(a, b)| a == b).count();
    match (&here[..here.len() - end], &there[..there.len() - end]) {
        ([_], [] | [_]) | ([], [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Recognised {
        let issuers = [
            ("did:web:example.edu", "Example University"),
            ("did:web:uni-hamstadt.de", "Universität Hamstadt"),
            ("did:web:stanford.edu", "Stanford University"),
            ("https://www.northfield.ac.uk", "The University of Northfield"),
            ("https://badges.platform.com/issuers/7", "Harbour College"),
            ("did:web:mit.edu", "MIT"),
            ("did:web:college.edu", "College of Arts"),
        ];
        Recognised::new(issuers.map(|(id, name)| Called { id: Some(id), name: Some(name) }))
    }

    fn finds(id: &str, name: &str) -> bool {
        known().looks_like(Called { id: Some(id), name: Some(name) }).is_some()
    }

    #[test]
    fn what_deceives_people_is_found() {
        for (id, name) in [
            ("did:web:exarnple.edu", "Registrar"),
            ("did:web:examp1e.edu", "Registrar"),
            ("did:web:xn--xample-9uf.edu", "Registrar"), // еxample with a Cyrillic е
            ("did:web:example.com", "Registrar"),
            ("did:web:example.edu.co", "Registrar"),
            ("did:web:ex-ample.org", "Registrar"),
            ("did:web:example-edu.com", "Registrar"),
            ("did:web:example.edu.verify.net", "Registrar"),
            ("did:web:credentials-example.net", "Registrar"),
            ("did:web:standford.edu", "Registrar"),
            ("did:web:stanfrod.edu", "Registrar"),
            ("did:web:unihamstadt.de", "Registrar"),
            ("https://northfield.com/issuer", "Registrar"),
            ("did:key:z6Mk", "Example University"),
            ("did:web:other.net", "Ехаmple University"), // Cyrillic Еха
            ("did:web:other.net", "The Example Univeristy"),
            ("did:web:other.net", "University of Northfield"),
            ("did:web:other.net", "Universitat Hamstadt"),
            ("https://badges.platform.com/issuers/8", "Harbour College"),
        ] {
            assert!(finds(id, name), "{id} {name}");
        }
    }

    #[test]
    fn honest_strangers_are_left_alone() {
        for (id, name) in [
            ("did:web:example.edu", "Whatever It Calls Itself"),
            ("did:web:example.edu:law", "Example University"),
            ("https://example.edu/issuers/1", "Example University"),
            ("did:web:badges.example.edu", "Example University"),
            ("did:web:www.northfield.ac.uk", "University of Northfield"),
            ("did:web:mit.com", "Mitsu Trading"),
            ("did:web:mti.edu", "Mountain Technical Institute"),
            ("did:web:kings-college.ac.uk", "King's College"),
            ("did:web:southfield.ac.uk", "The University of Southfield"),
            ("did:web:uni-homstedt.at", "Universität Homstedt"),
            ("did:web:samford.edu", "Samford University"),
            ("https://badges.platform.com/issuers/9", "Sailing School"),
            ("did:web:examples.net:x", "University of Examples"),
            ("did:key:z6Mk", "Sample University"),
            ("urn:uuid:1", "College"),
            ("did:web:localhost%3A8080", ""),
        ] {
            let found = known().looks_like(Called { id: Some(id), name: Some(name) });
            // One letter more than a long domain is read as it: that one may be called alike.
            assert!(found.is_none() || id.contains("examples"), "{id} {name}: {found:?}");
        }
    }

    #[test]
    fn both_are_told_as_people_see_them() {
        let told = known().looks_like(Called { id: Some("did:web:exarnple.edu"), name: None });
        let expected = LooksLike { named: "exarnple.edu".to_owned(), recognised: "example.edu".to_owned() };
        assert_eq!(told, Some(expected));
    }

    #[test]
    fn hostile_names_cost_nothing() {
        let long = "x".repeat(1 << 20);
        assert!(!finds(&format!("did:web:{long}"), &long));
        assert!(!finds("did:web:....", " \u{200b} "));
        assert!(!finds("did:web:xn--", "!"));
    }
}
