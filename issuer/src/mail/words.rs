//! What a mail says, in English and Spanish.

use crate::{
    certificate::{Language, calendar::day},
    mail::outbox::Letter,
    markup::escape,
};

/// The words of a mail.
pub struct Words {
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// The same as HTML: no picture, no font and nothing else that is fetched.
    pub html: String,
}

struct Phrases {
    subject: &'static str,
    hello: &'static str,
    hello_name: &'static str,
    awarded: &'static str,
    take: &'static str,
    button: &'static str,
    once: &'static str,
    keep: &'static str,
    unexpected: &'static str,
}

const ENGLISH: Phrases = Phrases {
    subject: "Your credential: {achievement}",
    hello: "Hello,",
    hello_name: "Hello {name},",
    awarded: "{issuer} has awarded you: {achievement}.",
    take: "With this link you take it, and decide who sees it:",
    button: "Take my credential",
    once: "The link works once, until {until}.",
    keep: "Whoever has the link can take your credential: please do not forward this mail.",
    unexpected: "If you do not expect anything from {issuer}, ignore this mail; nothing happens then.",
};

const SPANISH: Phrases = Phrases {
    subject: "Su credencial: {achievement}",
    hello: "Hola:",
    hello_name: "Hola, {name}:",
    awarded: "{issuer} le ha otorgado: {achievement}.",
    take: "Con este enlace la recibe y decide quién la ve:",
    button: "Recibir mi credencial",
    once: "El enlace sirve una sola vez, hasta el {until}.",
    keep: "Quien tenga el enlace puede quedarse con su credencial: por favor, no reenvíe este mensaje.",
    unexpected: "Si no espera nada de {issuer}, ignore este mensaje; no pasará nada.",
};

impl Words {
    /// Those of a letter from this issuer.
    pub fn of(letter: &Letter, issuer: &str) -> Self {
        let phrases = match letter.language {
            Language::English => &ENGLISH,
            Language::Spanish => &SPANISH,
        };
        let name = letter.name.as_deref().map(plain).unwrap_or_default();
        let values = [
            ("{name}", name.clone()),
            ("{issuer}", plain(issuer)),
            ("{achievement}", plain(&letter.achievement)),
            ("{until}", day(letter.expires, letter.language)),
        ];
        let fill = |phrase: &str| fill(phrase, &values);
        let hello = fill(if name.is_empty() { phrases.hello } else { phrases.hello_name });
        let [awarded, take, once, keep, unexpected] =
            [phrases.awarded, phrases.take, phrases.once, phrases.keep, phrases.unexpected].map(fill);
        let link = letter.link.as_str();
        let text = format!("{hello}\n\n{awarded}\n\n{take}\n\n{link}\n\n{once}\n{keep}\n\n{unexpected}\n");
        let html =
            html(letter.language, link, phrases.button, &[&hello, &awarded, &take], &[&once, &keep, &unexpected]);
        Self { subject: fill(phrases.subject), text, html }
    }
}

/// One pass, so that a name which looks like a place of a phrase stays a name.
fn fill(phrase: &str, values: &[(&str, String)]) -> String {
    let (mut out, mut rest) = (String::new(), phrase);
    while let Some(at) = rest.find('{') {
        let (before, place) = rest.split_at(at);
        out.push_str(before);
        let found = values.iter().find_map(|(name, value)| Some((value, place.strip_prefix(name)?)));
        let (value, after) = found.expect("our phrases have these places only");
        out.push_str(value);
        rest = after;
    }
    out + rest
}

/// A text of others as one line: what would begin another one, or turn the direction of the page, is a blank.
fn plain(text: &str) -> String {
    let is_hidden = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let text: String = text.chars().map(|c| if is_hidden(c) { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn html(language: Language, link: &str, button: &str, above: &[&str], below: &[&str]) -> String {
    let paragraph = |style: &str, text: &str| format!("<p style=\"margin:0 0 16px;{style}\">{}</p>", escape(text));
    let above: String = above.iter().map(|text| paragraph("", text)).collect();
    let below: String = below.iter().map(|text| paragraph("font-size:14px;color:#4b5366", text)).collect();
    let (link, button) = (escape(link), escape(button));
    format!(
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{button}</title></head>\
         <body style=\"margin:0;padding:24px;background:#f4f5f8;color:#1c2740;\
         font:17px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif\">\
         <div style=\"max-width:560px;margin:0 auto;padding:32px;background:#ffffff;border-radius:12px\">{above}\
         <p style=\"margin:24px 0\"><a href=\"{link}\" style=\"display:inline-block;padding:14px 24px;\
         background:#1c2740;color:#ffffff;border-radius:8px;text-decoration:none;font-weight:600\">{button}</a></p>\
         <p style=\"margin:0 0 24px;font-size:14px;word-break:break-all\"><a href=\"{link}\" style=\"color:#1c2740\">\
         {link}</a></p>{below}</div></body></html>",
        lang = language.code(),
    )
}

#[cfg(test)]
mod tests {
    use testamur_core::UnixSeconds;
    use testamur_credentials::sealed::SealedId;
    use zeroize::Zeroizing;

    use super::*;

    pub fn letter(name: &str, language: Language) -> Letter {
        Letter {
            page: SealedId::new([1; 16]),
            learner: "s-1".to_owned(),
            name: Some(name.to_owned()),
            email: "ana@example.edu".to_owned(),
            achievement: "Advanced <Botany>".to_owned(),
            language,
            expires: UnixSeconds(1_800_000_000),
            link: Zeroizing::new("https://badges.example/claim/A#B.C".to_owned()),
        }
    }

    #[test]
    fn both_languages_say_who_what_and_until_when() {
        let english = Words::of(&letter("Ana", Language::English), "Example University");
        assert_eq!(english.subject, "Your credential: Advanced <Botany>");
        assert!(english.text.starts_with("Hello Ana,\n\nExample University has awarded you: Advanced <Botany>."));
        assert!(english.text.contains("\nhttps://badges.example/claim/A#B.C\n"), "{}", english.text);
        let spanish = Words::of(&letter("Ana", Language::Spanish), "Universidad de Ejemplo");
        assert!(spanish.text.contains("hasta el 15 de enero de 2027"), "{}", spanish.text);
        assert!(spanish.html.contains("lang=\"es\"") && spanish.html.contains("Advanced &lt;Botany&gt;"));
    }

    #[test]
    fn nothing_of_others_is_more_than_a_text() {
        let bad = "Ana\r\nBcc: eve@example.com {issuer} \u{202e}<script>";
        let words = Words::of(&letter(bad, Language::English), "U");
        assert!(words.text.starts_with("Hello Ana Bcc: eve@example.com {issuer} <script>,\n"), "{}", words.text);
        assert!(!words.html.contains("<script>"));
        assert!(words.subject.chars().all(|c| !c.is_control()));
        assert!(Words::of(&letter(" ", Language::English), "U").text.starts_with("Hello,"));
    }
}
