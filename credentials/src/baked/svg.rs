//! SVG: one element `credential` (3.0) or `assertion` (2.0) of the Open Badges namespaces. Read as a stream: no tree,
//! no entity but XML's own five, nothing outside the file.

use std::ops::Range;

use quick_xml::{
    NsReader, XmlVersion,
    escape::resolve_xml_entity,
    events::{BytesStart, Event},
    name::{Namespace, ResolveResult},
};

use super::{Baked, Fault, MAX_TEXT, Picture};

/// Namespaces and the elements that hold a credential: Open Badges 3.0 and 2.0.
const ELEMENTS: [(&str, &str); 2] =
    [("https://purl.imsglobal.org/ob/v3p0", "credential"), ("http://openbadges.org", "assertion")];

const ILL_FORMED: Fault = Fault::Damaged { what: "the XML is not well formed" };

pub(super) fn is_svg(text: &str) -> bool {
    text.trim_start().starts_with('<') && text.contains("<svg")
}

pub(super) fn unbake(text: &str) -> Result<Option<Baked>, Fault> {
    let mut reader = NsReader::from_str(text);
    let mut found: Option<(Range<usize>, String)> = None;
    let mut depth = 0_usize;
    loop {
        let start = reader.buffer_position() as usize;
        let (namespace, event) = reader.read_resolved_event().map_err(|_| ILL_FORMED)?;
        let credential = match &event {
            Event::Eof if depth > 0 => return Err(ILL_FORMED),
            Event::Eof => break,
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                continue;
            }
            Event::Start(element) if is_ours(&namespace, element) => {
                let verify = attribute(element)?;
                prefer(verify, body(&mut reader)?)
            }
            Event::Empty(element) if is_ours(&namespace, element) => prefer(attribute(element)?, String::new()),
            Event::Start(_) => {
                depth += 1;
                continue;
            }
            _ => continue,
        };
        let place = start..reader.buffer_position() as usize;
        if let Some((first, _)) = found {
            let name = |place: &Range<usize>| format!("the element at byte {}", place.start);
            return Err(Fault::Two { first: name(&first), second: name(&place) });
        }
        found = Some((place, credential));
    }
    Ok(found.map(|(place, credential)| {
        let bytes = [&text.as_bytes()[..place.start], &text.as_bytes()[place.end..]].concat();
        Baked { text: credential, picture: Picture { media_type: "image/svg+xml", bytes } }
    }))
}

fn is_ours(namespace: &ResolveResult<'_>, element: &BytesStart<'_>) -> bool {
    let ResolveResult::Bound(Namespace(namespace)) = namespace else { return false };
    ELEMENTS.contains(&(namespace.trim_end_matches('/'), element.local_name().as_ref()))
}

/// The attribute `verify`: a compact JWS, or where a 2.0 badge is hosted.
fn attribute(element: &BytesStart<'_>) -> Result<Option<String>, Fault> {
    let attribute = element.try_get_attribute("verify").map_err(|_| ILL_FORMED)?;
    let value = attribute.map(|attribute| attribute.normalized_value(XmlVersion::Explicit1_0)).transpose();
    Ok(value.map_err(|_| ILL_FORMED)?.map(|value| value.trim().to_owned()))
}

/// The text of an element whose start was read, up to its end.
fn body(reader: &mut NsReader<&[u8]>) -> Result<String, Fault> {
    let mut body = String::new();
    loop {
        match reader.read_event().map_err(|_| ILL_FORMED)? {
            Event::End(_) => return Ok(body),
            Event::Text(text) => body.push_str(&text.xml10_content()),
            Event::CData(text) => body.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().map_err(|_| ILL_FORMED)? {
                Some(char) => body.push(char),
                None => {
                    body.push_str(resolve_xml_entity(&reference).ok_or(Fault::Unreadable { what: "it uses entities" })?)
                }
            },
            Event::Comment(_) | Event::PI(_) => {}
            _ => return Err(Fault::Unreadable { what: "its element is not closed, or holds other elements" }),
        }
        if body.len() > MAX_TEXT {
            return Err(Fault::TooLarge { limit: MAX_TEXT });
        }
    }
}

/// A signature speaks for itself, and the text beside it is a copy for people; where the attribute is a URL only, the
/// text is the assertion that must be found there.
fn prefer(verify: Option<String>, body: String) -> String {
    match verify {
        Some(verify) if body.trim().is_empty() || !verify.starts_with("http") => verify,
        _ => body,
    }
}
