//! A page as PDF: PDF/A-3a (ISO 19005-3), so that it is read in fifty years, and PDF/UA-1 (ISO 14289-1), so that it is
//! read aloud; with the credential attached as an associated file.

use std::num::NonZeroU16;

use krilla::{
    Document, SerializeSettings,
    action::{Action, LinkAction},
    annotation::{Annotation, LinkAnnotation, Target},
    configure::{Accessibility, Archival, ConfigurationBuilder},
    destination::XyzDestination,
    embed::{AssociationKind, EmbeddedFile, MimeType},
    error::KrillaError,
    geom::{Point, Rect, Size},
    metadata::{DateTime, Metadata},
    outline::{Outline, OutlineNode},
    page::{Page, PageSettings},
    surface::Surface,
    tagging::{Artifact, ArtifactType, ContentTag, Identifier, Node, SpanTag, Tag, TagGroup, TagKind, TagTree},
};
use krilla_svg::{SurfaceExt, SvgSettings};
use testamur_core::UnixSeconds;
use testamur_credentials::opened::{Format, Opened};
use time::OffsetDateTime;

use super::{
    Fault, Language,
    labels::Labels,
    letters::Letters,
    page::CODE,
    sheet::{Piece, Role, Sheet},
    words::Words,
};

/// A file that is attached.
pub(super) struct Attached<'a> {
    name: &'static str,
    media_type: &'static str,
    description: &'static str,
    bytes: &'a [u8],
}

impl<'a> Attached<'a> {
    /// The credential as it was issued, and its receipt where that stands beside it. Named as Verifiable Credentials 2.0
    /// (C.1) and VC-JOSE-COSE (6.1) register it.
    pub(super) fn all(opened: &Opened, bytes: &'a [u8], receipt: Option<&'a [u8]>, language: Language) -> Vec<Self> {
        let labels = Labels::of(language);
        let (name, media_type, beside) = match opened.format {
            Format::Jwt => ("credential.jwt", "application/vc+jwt", "credential.jwt.receipt.json"),
            _ => ("credential.json", "application/vc", "credential.json.receipt.json"),
        };
        let receipt = receipt.map(|bytes| Self {
            name: beside,
            media_type: "application/json",
            description: labels.receipt,
            bytes,
        });
        [Some(Self { name, media_type, description: labels.attached, bytes }), receipt].into_iter().flatten().collect()
    }
}

/// Writes the page.
pub(super) fn print(
    sheet: &Sheet<'_>,
    words: &Words,
    attached: &[Attached<'_>],
    link: &str,
    language: Language,
) -> Result<Vec<u8>, Fault> {
    let mut document = Document::new_with(settings()?);
    document.set_metadata(metadata(words, language));
    for attached in attached {
        document.embed_file(embedded(attached, words)?);
    }
    document.set_outline(outline(words));
    let size = PageSettings::from_wh(sheet.width, sheet.height).ok_or_else(|| drawing("no size"))?;
    let mut page = document.start_page_with(size);
    let tree = pieces(&mut page, sheet, link, language)?;
    page.finish();
    document.set_tag_tree(tree);
    document.finish().map_err(|error| Fault::Drawing(told(&error)))
}

fn drawing(what: &str) -> Fault {
    Fault::Drawing(what.to_owned())
}

fn told(error: &KrillaError) -> String {
    format!("{error:?}").chars().take(300).collect()
}

fn settings() -> Result<SerializeSettings, Fault> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| Fault::Drawing(format!("{error:?}")))?;
    Ok(SerializeSettings { configuration, ..SerializeSettings::default() })
}

fn metadata(words: &Words, language: Language) -> Metadata {
    let title = match &words.name {
        Some(name) => format!("{}: {name}", words.achievement),
        None => words.achievement.clone(),
    };
    let metadata = Metadata::new()
        .title(title)
        .authors(vec![words.issuer.clone()])
        .language(language.code().to_owned())
        .creator("testamur-issuer".to_owned());
    // The file's own date is the credential's: made again, it is the same.
    metadata.creation_date(date(words.awarded.unwrap_or_default()))
}

fn date(instant: UnixSeconds) -> DateTime {
    let seconds = i64::try_from(instant.0).unwrap_or_default();
    let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    DateTime::new(u16::try_from(time.year()).unwrap_or(1970))
        .month(u8::from(time.month()))
        .day(time.day())
        .hour(time.hour())
        .minute(time.minute())
        .second(time.second())
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

fn embedded(attached: &Attached<'_>, words: &Words) -> Result<EmbeddedFile, Fault> {
    Ok(EmbeddedFile {
        path: attached.name.to_owned(),
        mime_type: Some(MimeType::new(attached.media_type).ok_or_else(|| drawing("no media type"))?),
        description: Some(attached.description.to_owned()),
        // What the page shows was taken from it (ISO 19005-3, Annex E).
        association_kind: AssociationKind::Data,
        data: attached.bytes.to_vec().into(),
        modification_date: Some(date(words.awarded.unwrap_or_default())),
        compress: Some(true),
        location: None,
    })
}

fn outline(words: &Words) -> Outline {
    let mut outline = Outline::new();
    outline.push_child(OutlineNode::new(words.achievement.clone(), XyzDestination::new(0, Point::from_xy(0.0, 0.0))));
    outline
}

/// Draws piece by piece; what comes out says in which order, and as what, they are read.
fn pieces(page: &mut Page<'_>, sheet: &Sheet<'_>, link: &str, language: Language) -> Result<TagTree, Fault> {
    let mut tree = TagTree::new().with_lang(Some(language.code().to_owned()));
    let annotation = page.add_tagged_annotation(annotation(link)?);
    let mut letters = Letters::default();
    let mut surface = page.surface();
    for piece in &sheet.pieces {
        let mut leaves = Vec::new();
        for svg in &piece.svg {
            leaves.push(Node::Leaf(draw(&mut surface, sheet, piece, svg, &mut letters)?));
        }
        if let Some(group) = group(piece, leaves, annotation) {
            tree.push(group);
        }
    }
    surface.finish();
    Ok(tree)
}

fn annotation(link: &str) -> Result<Annotation, Fault> {
    let [x, y, side] = CODE;
    let rect = Rect::from_xywh(x, y, side, side).ok_or_else(|| drawing("no place for the link"))?;
    let target = Target::Action(Action::Link(LinkAction::new(link.to_owned())));
    Ok(Annotation::new_link(LinkAnnotation::new(rect, target), Some(link.to_owned())))
}

fn draw(
    surface: &mut Surface<'_>,
    sheet: &Sheet<'_>,
    piece: &Piece,
    svg: &str,
    letters: &mut Letters,
) -> Result<Identifier, Fault> {
    let tag = match piece.role {
        Role::Ornament => ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)),
        Role::Picture(_) | Role::Link(_) => ContentTag::Other,
        Role::Heading | Role::Text => ContentTag::Span(SpanTag::empty()),
    };
    let tree = sheet.tree(svg, &piece.text)?;
    let size = Size::from_wh(sheet.width, sheet.height).ok_or_else(|| drawing("no size"))?;
    let identifier = surface.start_tagged(tag);
    let drawn = match piece.role {
        Role::Heading | Role::Text => letters.draw(surface, tree.root(), tree.fontdb()),
        _ => surface.draw_svg(&tree, size, SvgSettings::default()),
    };
    surface.end_tagged();
    drawn.map(|()| identifier).ok_or_else(|| drawing("a piece of the page"))
}

fn group(piece: &Piece, leaves: Vec<Node>, annotation: Identifier) -> Option<TagGroup> {
    let tagged = |tag: TagKind| TagGroup::with_children(tag, leaves);
    match &piece.role {
        Role::Ornament => None,
        Role::Heading => Some(tagged(Tag::Hn(NonZeroU16::MIN, Some(piece.text.clone())).into())),
        Role::Text => Some(tagged(Tag::P.into())),
        Role::Picture(shows) => Some(tagged(Tag::Figure(Some(shows.clone())).into())),
        Role::Link(leads) => {
            let figure = tagged(Tag::Figure(Some(leads.clone())).into());
            Some(TagGroup::with_children(Tag::Link, vec![Node::Group(figure), Node::Leaf(annotation)]))
        }
    }
}
