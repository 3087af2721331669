//! Who issues: the `Profile` of Open Badges 3.0 (B.2.12) that every credential names as its issuer.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::template::{self, TemplateFaults};

/// An institution as its credentials name it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// A DID, or a URL: what `issuer.id` says, and what the signing key must belong to.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its home page.
    pub url: Option<String>,
    /// Where to write to.
    pub email: Option<String>,
    /// A sentence about it.
    pub description: Option<String>,
    /// The URL of its logo (`https:` or `data:`). In a configuration also the name of a PNG or SVG file beside it, which
    /// [`Self::checked`] puts in here.
    pub image: Option<String>,
}

impl Profile {
    /// It, if Open Badges allows what stands in it, with a logo that is a file in the folder `base` embedded.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn checked(mut self, base: &Path) -> Result<Self, TemplateFaults> {
        let read = template::profile(self.to_json(), base)?;
        self.image = read.get("image").and_then(|image| image["id"].as_str()).map(str::to_owned);
        Ok(self)
    }

    /// It as the `issuer` of a credential.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut profile = Map::new();
        let mut put = |name: &str, value: Value| profile.insert(name.to_owned(), value);
        put("id", json!(self.id));
        put("type", json!(["Profile"]));
        put("name", json!(self.name));
        for (name, value) in [("url", &self.url), ("email", &self.email), ("description", &self.description)] {
            if let Some(value) = value {
                put(name, json!(value));
            }
        }
        if let Some(image) = &self.image {
            put("image", json!({ "id": image, "type": "Image" }));
        }
        profile
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_checked_like_what_it_issues() {
        let profile = |id: &str, email: &str, image: Option<&str>| Profile {
            id: id.to_owned(),
            name: "Example University".to_owned(),
            url: Some("https://university.example".to_owned()),
            email: Some(email.to_owned()),
            description: None,
            image: image.map(str::to_owned),
        };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("logo.svg"), r#"<svg xmlns="http://www.w3.org/2000/svg"/>"#).unwrap();
        let good = profile("did:web:university.example", "registrar@university.example", Some("logo.svg"));
        let checked = good.checked(folder.path()).unwrap();
        assert!(checked.image.as_deref().unwrap().starts_with("data:image/svg+xml;base64,"));
        assert_eq!(checked.clone().checked(folder.path()), Ok(checked));
        let faults = profile("university", "registrar", Some("../logo.svg")).checked(folder.path()).unwrap_err();
        let paths: Vec<&str> = faults.0.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(paths, ["profile.id", "profile.image.id", "profile.email"]);
    }
}
