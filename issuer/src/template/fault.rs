//! What is wrong with a template: all of it at once, each with the place and a way out.

use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFault {
    /// Where: `achievement.alignment[2].targetUrl`, or `line 3, column 9` where the file cannot be read at all.
    /// Empty: the file as a whole.
    pub path: String,
    /// What is wrong, without a full stop.
    pub what: String,
    /// What to do.
    pub help: String,
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}; {}", self.what, self.help)
    }
}

/// Everything that is wrong with a template, in the order of the data model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateFaults(pub Vec<TemplateFault>);

impl fmt::Display for TemplateFaults {
    /// One line for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.0.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for TemplateFaults {}

impl TemplateFaults {
    /// Nothing but this.
    pub(super) fn one(path: impl Into<String>, what: impl Into<String>, help: impl Into<String>) -> Self {
        let mut faults = Self::default();
        faults.add(path, what, help);
        faults
    }

    pub(super) fn add(&mut self, path: impl Into<String>, what: impl Into<String>, help: impl Into<String>) {
        self.0.push(TemplateFault { path: path.into(), what: what.into(), help: help.into() });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The one of `known` that whoever wrote `word` most likely meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |known: &str| strsim::osa_distance(&word.to_lowercase(), &known.to_lowercase());
    let limit = (word.chars().count() / 3).max(2);
    let near = known.into_iter().map(|known| (distance(known), known)).filter(|(distance, _)| *distance <= limit);
    near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// What to do about a `word` that is none of `known`.
pub(super) fn instead<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(word, known.clone()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("known here: {}", known.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_a_foreign_word_is_not() {
        let known = ["alignment", "tag", "criteria", "image"];
        assert_eq!(nearest("alginment", known), Some("alignment"));
        assert_eq!(nearest("Criteria", known), Some("criteria"));
        assert_eq!(nearest("tags", known), Some("tag"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(instead("colour", known), "known here: alignment, tag, criteria, image");
    }

    #[test]
    fn each_fault_is_a_line() {
        let mut faults = TemplateFaults::one("", "it is empty", "write something");
        faults.add("achievement.name", "it is missing", "write what people call it");
        let lines = "it is empty; write something\nachievement.name: it is missing; write what people call it";
        assert_eq!(faults.to_string(), lines);
    }
}
