//! What learners read, in their language. Links, entries elsewhere and codes to embed are made in their browsers
//! (`web/share`): nobody else knows the key of a link.

pub mod calendar;

/// In which language people read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Spanish.
    Spanish,
}

impl Language {
    /// Its tag (BCP 47).
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }
}
