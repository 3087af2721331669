//! "Add to profile" on LinkedIn: the link that fills in the form, and the same fields for whoever has to copy them, since
//! the form does not always take what the link says.

use testamur_core::UnixSeconds;

use super::{calendar, escape::query};

/// The page that shows the form.
const FORM: &str = "https://www.linkedin.com/profile/add?startTask=CERTIFICATION_NAME";

/// A credential as LinkedIn asks for it under "Licenses & certifications".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was achieved.
    pub name: String,
    /// Who issued it, as people call them.
    pub organization: String,
    /// The number of the issuer's page on LinkedIn: with it the entry shows the issuer's logo.
    pub organization_id: Option<u64>,
    /// When it was issued.
    pub issued: UnixSeconds,
    /// Until when it is valid.
    pub expires: Option<UnixSeconds>,
    /// The credential's own id.
    pub id: String,
    /// Where it can be seen and verified.
    pub link: String,
}

/// A field of the form: what it is called there, and what to put into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Its label in LinkedIn's English form.
    pub label: &'static str,
    /// What to copy.
    pub value: String,
}

impl Entry {
    /// The link that opens the form with everything in it.
    pub fn url(&self) -> String {
        let mut url = FORM.to_owned();
        let mut put = |name: &str, value: &str| {
            url.extend(["&", name, "=", &query(value)]);
        };
        put("name", &self.name);
        match self.organization_id {
            Some(id) => put("organizationId", &id.to_string()),
            None => put("organizationName", &self.organization),
        }
        let dates =
            [("issueYear", "issueMonth", Some(self.issued)), ("expirationYear", "expirationMonth", self.expires)];
        for (year, month, date) in dates {
            if let Some((y, m)) = date.and_then(calendar::month) {
                put(year, &y.to_string());
                put(month, &m.to_string());
            }
        }
        put("certUrl", &self.link);
        put("certId", &self.id);
        url
    }

    /// The fields in the form's order.
    pub fn fields(&self) -> Vec<Copied> {
        let field = |label, value: &str| Copied { label, value: value.to_owned() };
        let date = |label, date| {
            let (year, month) = calendar::month(date)?;
            Some(Copied { label, value: format!("{} {year}", calendar::MONTHS_ENGLISH[usize::from(month) - 1]) })
        };
        let mut fields = vec![field("Name", &self.name), field("Issuing organization", &self.organization)];
        fields.extend(date("Issue date", self.issued));
        fields.extend(self.expires.and_then(|expires| date("Expiration date", expires)));
        fields.extend([field("Credential ID", &self.id), field("Credential URL", &self.link)]);
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            name: "Análisis & síntesis".to_owned(),
            organization: "Universidad de Ejemplo".to_owned(),
            organization_id: None,
            issued: UnixSeconds(1_772_582_400),
            expires: Some(UnixSeconds(1_830_211_199)),
            id: "urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427".to_owned(),
            link: "https://issuer.example/c/abc#key&x=1".to_owned(),
        }
    }

    #[test]
    fn the_link_says_what_the_credential_does() {
        assert_eq!(
            entry().url(),
            "https://www.linkedin.com/profile/add?startTask=CERTIFICATION_NAME&name=An%C3%A1lisis%20%26%20s%C3%ADntesis\
             &organizationName=Universidad%20de%20Ejemplo&issueYear=2026&issueMonth=3&expirationYear=2027\
             &expirationMonth=12&certUrl=https%3A%2F%2Fissuer.example%2Fc%2Fabc%23key%26x%3D1\
             &certId=urn%3Auuid%3A1b4e28ba-2fa1-11d2-883f-0016d3cca427"
        );
        let listed = Entry { organization_id: Some(1337), expires: None, ..entry() }.url();
        assert!(listed.contains("&organizationId=1337&issueYear") && !listed.contains("expiration"), "{listed}");
        assert!(!listed.contains("organizationName"));
    }

    #[test]
    fn the_same_can_be_copied() {
        let fields = entry().fields();
        let find = |label| fields.iter().find(|field| field.label == label).map(|field| field.value.as_str());
        assert_eq!(find("Issue date"), Some("March 2026"));
        assert_eq!(find("Expiration date"), Some("December 2027"));
        assert_eq!(find("Credential URL"), Some("https://issuer.example/c/abc#key&x=1"));
        assert_eq!(Entry { expires: None, ..entry() }.fields().len(), 5);
    }
}
