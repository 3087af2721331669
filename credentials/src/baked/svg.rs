//! SVG: one element `credential` (3.0) or `assertion` (2.0) of the Open Badges namespaces. Read as a stream: no tree,
//! no entity but XML's own five, nothing outside the file.

use std::ops::Range;

use quick_xml::{
    NsReader, XmlVersion,
    escape::resolve_xml_entity,
    events::{BytesStart, Event},
    name::{Namespace, ResolveResult},
};

use super::{Baked, Credential, Fault, MAX_TEXT, Picture};

/// Namespaces and the elements that hold a credential: Open Badges 3.0 and 2.0.
const ELEMENTS: [(&str, &str); 2] =
    [("https://purl.imsglobal.org/ob/v3p0", "credential"), ("http://openbadges.org", "assertion")];

const SVG: (&str, &str) = ("http://www.w3.org/2000/svg", "svg");
/// What the prefix of our element is declared by.
const PREFIX: &str = "xmlns:openbadges";
/// The attribute of our element that holds a compact JWS, or says where a 2.0 badge is hosted.
const VERIFY: &str = "verify";

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
                let verify = attribute(element, VERIFY)?;
                prefer(verify, body(&mut reader)?)
            }
            Event::Empty(element) if is_ours(&namespace, element) => prefer(attribute(element, VERIFY)?, String::new()),
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

/// The image with this credential directly behind its first tag, which declares the prefix (Open Badges 3.0, 5.3.2.2).
/// There is no other in it.
pub(super) fn bake(image: &str, credential: Credential<'_>) -> Result<String, Fault> {
    let Root { place, name, bound } = root(image)?;
    let declaration = format!(" {PREFIX}=\"{}\"", ELEMENTS[0].0);
    let (on_root, on_element) = match bound {
        None => (&declaration[..], ""),
        Some(namespace) if namespace == ELEMENTS[0].0 => ("", ""),
        // The prefix means something else there: for our element alone it means ours.
        Some(_) => ("", &declaration[..]),
    };
    let element = match credential {
        Credential::Token(token) => {
            format!("<openbadges:credential{on_element} verify=\"{token}\"></openbadges:credential>")
        }
        Credential::Json(json) => {
            format!("<openbadges:credential{on_element}><![CDATA[{}]]></openbadges:credential>", in_xml(json))
        }
    };
    let (before, tag, behind) = (&image[..place.start], &image[place.clone()], &image[place.end..]);
    Ok(match tag.strip_suffix("/>") {
        Some(tag) => format!("{before}{tag}{on_root}>{element}</{name}>{behind}"),
        None => format!("{before}{}{on_root}>{element}{behind}", tag.strip_suffix('>').unwrap_or(tag)),
    })
}

/// The same JSON without what ends CDATA and what XML does not hold, all of which stands in its strings only.
fn in_xml(json: &str) -> String {
    json.replace("]]>", "]]\\u003e").replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
}

/// The first tag of an image.
struct Root {
    place: Range<usize>,
    name: String,
    /// What it binds our prefix to.
    bound: Option<String>,
}

/// Reads an image to its end, which must be one `svg` element in UTF-8.
fn root(image: &str) -> Result<Root, Fault> {
    let mut reader = NsReader::from_str(image);
    let mut root = None;
    let mut depth = 0_usize;
    loop {
        let start = reader.buffer_position() as usize;
        let (namespace, event) = reader.read_resolved_event().map_err(|_| ILL_FORMED)?;
        match &event {
            Event::Start(element) | Event::Empty(element) if depth == 0 => {
                if root.is_some() || !is_named(&namespace, element, SVG) {
                    return Err(Fault::Damaged { what: "it is not one svg element" });
                }
                let (name, bound) = (element.name().as_ref().to_owned(), attribute(element, PREFIX)?);
                root = Some(Root { place: start..reader.buffer_position() as usize, name, bound });
            }
            Event::Decl(declaration) => {
                let encoding = declaration.encoding().transpose().map_err(|_| ILL_FORMED)?;
                if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("utf-8")) {
                    return Err(Fault::Damaged { what: "it says that it is not UTF-8" });
                }
            }
            Event::Eof if depth > 0 => return Err(ILL_FORMED),
            Event::Eof => return root.ok_or(ILL_FORMED),
            _ => {}
        }
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
}

fn is_ours(namespace: &ResolveResult<'_>, element: &BytesStart<'_>) -> bool {
    ELEMENTS.into_iter().any(|named| is_named(namespace, element, named))
}

fn is_named(namespace: &ResolveResult<'_>, element: &BytesStart<'_>, named: (&str, &str)) -> bool {
    let ResolveResult::Bound(Namespace(namespace)) = namespace else { return false };
    (namespace.trim_end_matches('/'), element.local_name().as_ref()) == named
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, Fault> {
    let attribute = element.try_get_attribute(name).map_err(|_| ILL_FORMED)?;
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
