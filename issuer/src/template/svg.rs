//! SVG that is a picture and nothing else: no program, nothing from elsewhere, no entities. Where in doubt, it is
//! refused: another export is quickly made, and the picture is shown for decades, by software that nobody here knows.

use quick_xml::{
    NsReader, XmlVersion,
    escape::resolve_xml_entity,
    events::{BytesStart, Event},
    name::{Namespace, ResolveResult},
};

const SVG: &str = "http://www.w3.org/2000/svg";
const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// Elements that run programs, or hold what is not SVG.
const ELEMENTS: [&str; 12] = [
    "script",
    "foreignobject",
    "iframe",
    "object",
    "embed",
    "applet",
    "audio",
    "video",
    "canvas",
    "handler",
    "listener",
    "link",
];

/// What makes an SVG more than a picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Active {
    /// Something else.
    #[error("is none: its first element is not <svg> of {SVG}")]
    NoSvg,
    /// No two readers would see the same.
    #[error("is not well formed")]
    IllFormed,
    /// Which software reads other characters than were checked?
    #[error("is not in UTF-8")]
    Encoding,
    /// Entities, and files that define them.
    #[error("has a DOCTYPE")]
    Doctype,
    /// Beyond XML's own five.
    #[error("uses the entity &{0};")]
    Entity(String),
    /// Style sheets, most of the time.
    #[error("has a processing instruction <?{0}")]
    Instruction(String),
    /// A program, or another document.
    #[error("has the element <{0}>")]
    Element(String),
    /// `onload` and its like.
    #[error("has the event attribute {0}")]
    Handler(String),
    /// A program in an address.
    #[error("has a script in {0}")]
    Script(String),
    /// Whoever looks at it is seen by somebody, and sees what that one wants.
    #[error("refers to something outside in {0}")]
    Reference(String),
}

/// Checks `text`.
pub fn check(text: &str) -> Result<(), Active> {
    let mut reader = NsReader::from_str(text);
    let mut open = 0_usize;
    let mut seen_root = false;
    let mut in_style = false;
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|_| Active::IllFormed)?;
        match event {
            Event::Start(found) | Event::Empty(found) if open == 0 && seen_root => {
                return Err(Active::Element(found.local_name().as_ref().to_owned()));
            }
            Event::Start(found) => {
                root(&found, &namespace, seen_root)?;
                element(&found, &namespace)?;
                in_style = found.local_name().as_ref().eq_ignore_ascii_case("style");
                seen_root = true;
                open += 1;
            }
            Event::Empty(found) => {
                root(&found, &namespace, seen_root)?;
                element(&found, &namespace)?;
                seen_root = true;
            }
            Event::End(_) => {
                in_style = false;
                open = open.checked_sub(1).ok_or(Active::IllFormed)?;
            }
            Event::Text(text) if in_style => style(&text.xml10_content(), "<style>")?,
            Event::CData(text) if in_style => style(&text.xml10_content(), "<style>")?,
            // Letter by letter, a style could say what is looked for here.
            Event::GeneralRef(_) if in_style => return Err(Active::Reference("<style>".to_owned())),
            Event::GeneralRef(reference) => {
                let is_char = reference.resolve_char_ref().map_err(|_| Active::IllFormed)?.is_some();
                if !is_char && resolve_xml_entity(&reference).is_none() {
                    return Err(Active::Entity(reference.to_string()));
                }
            }
            Event::Decl(declaration) => utf8(declaration.encoding())?,
            Event::DocType(_) => return Err(Active::Doctype),
            Event::PI(instruction) => {
                let name = instruction.split_whitespace().next().unwrap_or_default();
                return Err(Active::Instruction(name.to_owned()));
            }
            Event::Eof if open > 0 => return Err(Active::IllFormed),
            Event::Eof if !seen_root => return Err(Active::NoSvg),
            Event::Eof => return Ok(()),
            Event::Text(_) | Event::CData(_) | Event::Comment(_) => (),
        }
    }
}

fn utf8<E>(encoding: Option<Result<std::borrow::Cow<'_, str>, E>>) -> Result<(), Active> {
    match encoding {
        None => Ok(()),
        Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("us-ascii") => Ok(()),
        Some(_) => Err(Active::Encoding),
    }
}

fn root(found: &BytesStart<'_>, namespace: &ResolveResult<'_>, seen_root: bool) -> Result<(), Active> {
    let is_svg = *namespace == ResolveResult::Bound(Namespace(SVG)) && found.local_name().as_ref() == "svg";
    if seen_root || is_svg { Ok(()) } else { Err(Active::NoSvg) }
}

fn element(found: &BytesStart<'_>, namespace: &ResolveResult<'_>) -> Result<(), Active> {
    let name = found.local_name().as_ref().to_owned();
    if *namespace == ResolveResult::Bound(Namespace(XHTML)) || ELEMENTS.contains(&&*name.to_ascii_lowercase()) {
        return Err(Active::Element(name));
    }
    for attribute in found.attributes() {
        let attribute = attribute.map_err(|_| Active::IllFormed)?;
        let full = attribute.key.as_ref().to_owned();
        let local = attribute.key.local_name().as_ref().to_ascii_lowercase();
        let value = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|_| Active::Entity(full.clone()))?;
        if attribute.key.as_namespace_binding().is_none() {
            self::attribute(&full, &local, &value)?;
        }
    }
    Ok(())
}

fn attribute(full: &str, local: &str, value: &str) -> Result<(), Active> {
    let place = || full.to_owned();
    let animates = local == "attributename" && (is_handler(value) || value.to_ascii_lowercase().contains("href"));
    if is_handler(local) || animates {
        return Err(Active::Handler(place()));
    }
    let squeezed = squeezed(value);
    if squeezed.contains("javascript:") || squeezed.contains("vbscript:") || squeezed.contains("data:text") {
        return Err(Active::Script(place()));
    }
    let is_address = ["href", "src", "data", "action", "formaction", "poster", "srcset"].contains(&local);
    if local == "base" || (is_address && !is_inside(&squeezed)) {
        return Err(Active::Reference(place()));
    }
    // Attributes of editors (inkscape:export-filename) have a prefix, and mean nothing to those who draw.
    if local == "style" || !full.contains(':') {
        return look(&squeezed, full, local == "style");
    }
    Ok(())
}

fn is_handler(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.len() > 2 && name.starts_with("on") && name.chars().all(|c| c.is_ascii_alphabetic())
}

/// In lower case and without blanks and control characters, which readers of addresses skip.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).flat_map(char::to_lowercase).collect()
}

/// A place in the same file, or a bitmap in it.
fn is_inside(address: &str) -> bool {
    const BITMAPS: [&str; 4] = ["data:image/png;", "data:image/jpeg;", "data:image/webp;", "data:image/gif;"];
    address.is_empty() || address.starts_with('#') || BITMAPS.iter().any(|start| address.starts_with(start))
}

fn style(text: &str, place: &str) -> Result<(), Active> {
    look(&squeezed(text), place, true)
}

/// Looks for references in what is read as CSS: attributes like `fill`, and (where it `is_css` as a whole) style sheets.
fn look(squeezed: &str, place: &str, is_css: bool) -> Result<(), Active> {
    // An escape may spell anything.
    const IN_SHEETS: [&str; 5] = ["@import", "image-set(", "src(", "//", "expression("];
    let elsewhere = squeezed.split("url(").skip(1).any(|address| !is_inside(address.trim_start_matches(['"', '\''])));
    if elsewhere || squeezed.contains('\\') || (is_css && IN_SHEETS.iter().any(|word| squeezed.contains(word))) {
        return Err(Active::Reference(place.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(inside: &str) -> Result<(), Active> {
        check(&format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:h="http://www.w3.org/1999/xhtml" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape">{inside}</svg>"#
        ))
    }

    #[test]
    fn pictures_are_taken() {
        for inside in [
            "",
            r##"<defs><linearGradient id="g"><stop offset="0"/></linearGradient></defs><rect fill="url(#g)"/>"##,
            r##"<style>.a { fill: #fff; filter: url("#blur") }</style><use href="#a"/><use xlink:href="#a"/>"##,
            r#"<image href="data:image/png;base64,iVBORw0KGgo="/>"#,
            "<title>Ada &amp; Charles &#169; &lt;1843&gt;</title><!-- on purpose -->",
            r#"<g inkscape:export-filename="C:\badges\disc.png" inkscape:label="one"/>"#,
            r#"<animate attributeName="opacity" from="0" to="1"/>"#,
            "<text font-family='serif'>onload</text>",
        ] {
            assert_eq!(svg(inside), Ok(()), "{inside}");
        }
        assert_eq!(
            check("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n"),
            Ok(())
        );
        assert_eq!(check(r#"<s:svg xmlns:s="http://www.w3.org/2000/svg"/>"#), Ok(()));
    }

    #[test]
    fn programs_are_refused() {
        for inside in [
            "<script>alert(1)</script>",
            "<SCRIPT/>",
            "<h:script/>",
            "<h:p/>",
            "<foreignObject/>",
            r#"<rect onload="alert(1)"/>"#,
            r#"<rect ONCLICK="alert(1)"/>"#,
            r#"<a href="javascript:alert(1)"/>"#,
            r#"<a xlink:href=" JaVa&#10;Script:alert(1)"/>"#,
            r#"<a href="&#106;avascript:alert(1)"/>"#,
            r#"<a href="data:text/html,hello"/>"#,
            r#"<animate attributeName="href" to="x"/>"#,
            r#"<set attributeName="onmouseover" to="alert(1)"/>"#,
            r#"<animate attributeName="x" values="javascript:alert(1)"/>"#,
        ] {
            assert!(
                matches!(svg(inside), Err(Active::Element(_) | Active::Handler(_) | Active::Script(_))),
                "{inside}"
            );
        }
        assert_eq!(svg(r#"<rect onload="alert(1)"/>"#).unwrap_err().to_string(), "has the event attribute onload");
    }

    #[test]
    fn what_lies_outside_is_refused() {
        for inside in [
            r#"<image href="https://spy.example/pixel.png"/>"#,
            r#"<image xlink:href="//spy.example/pixel.png"/>"#,
            r#"<image href="pixel.png"/>"#,
            r#"<use href="other.svg#a"/>"#,
            r#"<image href="data:image/svg+xml;base64,PHN2Zz4="/>"#,
            r#"<rect fill="url(https://spy.example/a.svg#g)"/>"#,
            r#"<rect fill="u\72l(https://spy.example/a.svg#g)"/>"#,
            r#"<rect style="background: url( 'https://spy.example/' )"/>"#,
            "<style>@import 'https://spy.example/a.css';</style>",
            "<style><![CDATA[@font-face { src: url(https://spy.example/f.woff) }]]></style>",
            "<style>a { background: image-set('x.png' 1x) }</style>",
            "<style>&#64;import 'a.css';</style>",
            r##"<g xml:base="https://spy.example/"><use href="#a"/></g>"##,
        ] {
            assert!(matches!(svg(inside), Err(Active::Reference(_))), "{inside} {:?}", svg(inside));
        }
    }

    #[test]
    fn what_two_readers_may_read_differently_is_refused() {
        let start = r#"<svg xmlns="http://www.w3.org/2000/svg""#;
        for (text, fault) in [
            (format!("<!DOCTYPE svg [<!ENTITY a 'b'>]>{start}/>"), Active::Doctype),
            (format!("{start}>&a;</svg>"), Active::Entity("a".to_owned())),
            (format!("{start} id='&a;'/>"), Active::Entity("id".to_owned())),
            (format!("<?xml-stylesheet href='a.css'?>{start}/>"), Active::Instruction("xml-stylesheet".to_owned())),
            (format!("<?xml version='1.0' encoding='UTF-7'?>{start}/>"), Active::Encoding),
            (format!("{start}>"), Active::IllFormed),
            (format!("{start}><g></svg>"), Active::IllFormed),
            (format!("{start}/><script/>"), Active::Element("script".to_owned())),
            ("<svg/>".to_owned(), Active::NoSvg),
            ("<html xmlns='http://www.w3.org/1999/xhtml'/>".to_owned(), Active::NoSvg),
            ("<!-- -->".to_owned(), Active::NoSvg),
        ] {
            assert_eq!(check(&text), Err(fault), "{text}");
        }
    }
}
