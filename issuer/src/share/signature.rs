//! A line below somebody's e-mails: what they achieved, with a link to verify it.

use super::{
    Language, NoWebLink,
    escape::{html, is_web},
};

/// What the line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature<'a> {
    /// What was achieved.
    pub achievement: &'a str,
    /// Who issued it.
    pub issuer: &'a str,
    /// Where it can be verified.
    pub link: &'a str,
    /// The badge's picture: an `https` URL, since mail programs show no others.
    pub image: Option<&'a str>,
    /// In which language it is.
    pub language: Language,
}

impl Signature<'_> {
    /// As HTML of the kind that mail programs keep: a table, styles in the elements, no script, and a text for the picture.
    pub fn html(&self) -> Result<String, NoWebLink> {
        let link = self.checked_link().map(html)?;
        let (achievement, issuer) = (html(self.achievement), html(self.issuer));
        let verify = self.verify();
        let picture = self.image.filter(|image| image.starts_with("https://") && is_web(image)).map_or_else(String::new, |image| {
            format!(
                "<td style=\"padding:0 12px 0 0;vertical-align:middle\"><a href=\"{link}\"><img src=\"{}\" alt=\"\" \
                 width=\"56\" height=\"56\" style=\"display:block;border:0\"></a></td>",
                html(image)
            )
        });
        Ok(format!(
            "<table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" style=\"border-collapse:collapse;\
             font:14px/1.4 Arial,Helvetica,sans-serif\"><tr>{picture}<td style=\"vertical-align:middle\">\
             <strong>{achievement}</strong><br>{issuer}<br><a href=\"{link}\">{verify}</a></td></tr></table>\n"
        ))
    }

    /// As plain text.
    pub fn text(&self) -> Result<String, NoWebLink> {
        let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let link = self.checked_link()?;
        Ok(format!("{} · {}\n{}: {link}\n", line(self.achievement), line(self.issuer), self.verify()))
    }

    fn checked_link(&self) -> Result<&str, NoWebLink> {
        if is_web(self.link) { Ok(self.link) } else { Err(NoWebLink) }
    }

    fn verify(&self) -> &'static str {
        match self.language {
            Language::English => "Verify this credential",
            Language::Spanish => "Verificar esta credencial",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_a_link_and_nothing_that_runs() {
        let signature = Signature {
            achievement: "R&D <Master>",
            issuer: "Universidad\nde Ejemplo",
            link: "https://issuer.example/c/1#k",
            image: Some("https://issuer.example/1.png"),
            language: Language::English,
        };
        let html = signature.html().unwrap();
        assert!(html.contains("<strong>R&amp;D &lt;Master&gt;</strong>") && html.matches("<a href").count() == 2);
        assert!(html.contains("<img src=\"https://issuer.example/1.png\" alt=\"\""));
        assert_eq!(
            signature.text().unwrap(),
            "R&D <Master> · Universidad de Ejemplo\nVerify this credential: https://issuer.example/c/1#k\n"
        );
        let bare =
            Signature { image: Some("data:image/png;base64,AA"), language: Language::Spanish, ..signature.clone() };
        assert!(!bare.html().unwrap().contains("<img"));
        assert!(bare.text().unwrap().contains("Verificar"));
        assert_eq!(Signature { link: "javascript:alert(1)", ..signature }.html(), Err(NoWebLink));
    }
}
