//! From an expanded document to canonical N-Quads (RDFC-1.0), by the crate `rdf-canon`.

use std::collections::{HashMap, HashSet};

use iref::IriBuf;
use json_ld_core::{ExpandedDocument, ValidId, rdf::RdfQuads, rdf::Value};
use oxrdf::{BlankNode, GraphName, Literal, NamedNode, Quad, Subject, Term};
use rdf_canon::{CanonicalizationError, CanonicalizationOptions, issue_quads_with, relabel_quads};
use rdf_types::{BlankIdBuf, LiteralType, generator};

use crate::LinkedDataError;

/// Bytes of all quads: a long identifier stands in each quad that is about it.
const MAX_BYTES: usize = 32 << 20;
/// What telling nameless nodes apart may cost: rdf-canon's 4,000 rounds where there are 500 quads, fewer where a round
/// may look at more.
const MAX_ROUNDS: usize = 4000;
const MAX_COMPARISONS: usize = 500 * MAX_ROUNDS;

type QuadOfDocument = rdf_types::Quad<ValidId, ValidId, Value<IriBuf, BlankIdBuf, rdf_types::Literal>, ValidId>;

/// The canonical N-Quads of `document`, of which no node has a name of its own that is no IRI.
pub fn canonical(document: ExpandedDocument) -> Result<String, LinkedDataError> {
    let quads = quads(document)?;
    let labelled = relabel_quads(&quads, &labels(&quads)?).map_err(invalid)?;
    let mut lines: Vec<String> = labelled.iter().map(|quad| format!("{quad} .\n")).collect();
    lines.sort_unstable();
    lines.dedup();
    Ok(lines.concat())
}

/// What the nameless nodes are called.
fn labels(quads: &[Quad]) -> Result<HashMap<String, String>, LinkedDataError> {
    let nameless: HashSet<&str> = quads.iter().flat_map(nameless).collect();
    if nameless.len() < 2 {
        // Nothing to tell apart: most proof configurations.
        return Ok(nameless.into_iter().map(|node| (node.to_owned(), "c14n0".to_owned())).collect());
    }
    let rounds = MAX_ROUNDS.min(MAX_COMPARISONS / quads.len());
    let options = CanonicalizationOptions { hndq_call_limit: Some(rounds) };
    issue_quads_with::<rdf_canon_sha2::Sha256>(quads, &options).map_err(|error| match error {
        CanonicalizationError::HndqCallLimitExceeded(limit) => LinkedDataError::TooComplex { limit },
        error => invalid(error),
    })
}

/// As subject, object or graph.
fn nameless(quad: &Quad) -> impl Iterator<Item = &str> {
    let subject = match &quad.subject {
        Subject::BlankNode(node) => Some(node),
        Subject::NamedNode(_) => None,
    };
    let object = match &quad.object {
        Term::BlankNode(node) => Some(node),
        Term::NamedNode(_) | Term::Literal(_) => None,
    };
    let graph = match &quad.graph_name {
        GraphName::BlankNode(node) => Some(node),
        GraphName::NamedNode(_) | GraphName::DefaultGraph => None,
    };
    [subject, object, graph].into_iter().flatten().map(BlankNode::as_str)
}

fn invalid(error: CanonicalizationError) -> LinkedDataError {
    LinkedDataError::Invalid { what: error.to_string() }
}

/// Not by way of the crate's node map, which loses types where one `id` stands in two places.
fn quads(mut document: ExpandedDocument) -> Result<Vec<Quad>, LinkedDataError> {
    let mut generator = generator::Blank::new();
    document.identify_all(&mut generator);
    let (mut quads, mut bytes) = (Vec::new(), 0);
    for quad in document.rdf_quads(&mut generator, None).cloned() {
        let quad = quad_of(quad);
        bytes += length(&quad);
        if bytes > MAX_BYTES {
            return Err(LinkedDataError::TooLarge { what: "bytes of statements", limit: MAX_BYTES });
        }
        quads.push(quad);
    }
    Ok(quads)
}

fn length(quad: &Quad) -> usize {
    let subject = match &quad.subject {
        Subject::NamedNode(name) => name.as_str().len(),
        Subject::BlankNode(_) => 0,
    };
    let object = match &quad.object {
        Term::NamedNode(name) => name.as_str().len(),
        Term::BlankNode(_) => 0,
        Term::Literal(literal) => literal.value().len(),
    };
    subject + object
}

fn quad_of(rdf_types::Quad(subject, predicate, object, graph): QuadOfDocument) -> Quad {
    let subject = match subject {
        ValidId::Iri(iri) => Subject::NamedNode(named(iri)),
        ValidId::Blank(id) => Subject::BlankNode(blank(&id)),
    };
    let predicate = match predicate {
        ValidId::Iri(iri) => named(iri),
        ValidId::Blank(_) => unreachable!("generalized RDF is not asked for"),
    };
    let graph = match graph {
        None => GraphName::DefaultGraph,
        Some(ValidId::Iri(iri)) => GraphName::NamedNode(named(iri)),
        Some(ValidId::Blank(id)) => GraphName::BlankNode(blank(&id)),
    };
    Quad::new(subject, predicate, term(object), graph)
}

fn term(object: Value<IriBuf, BlankIdBuf, rdf_types::Literal>) -> Term {
    match object {
        Value::Id(ValidId::Iri(iri)) => Term::NamedNode(named(iri)),
        Value::Id(ValidId::Blank(id)) => Term::BlankNode(blank(&id)),
        Value::Literal(literal) => Term::Literal(match literal.type_ {
            LiteralType::Any(kind) => Literal::new_typed_literal(literal.value, named(kind)),
            // JSON-LD leaves the case of language tags open; those who sign (jsonld.js, pyld) write lower case.
            LiteralType::LangString(tag) => {
                Literal::new_language_tagged_literal_unchecked(literal.value, tag.as_str().to_ascii_lowercase())
            }
        }),
    }
}

/// Checked when it was parsed: `IriBuf` holds nothing else than RFC 3987's IRIs.
fn named(iri: IriBuf) -> NamedNode {
    NamedNode::new_unchecked(iri.into_string())
}

/// Given by the generator.
fn blank(id: &BlankIdBuf) -> BlankNode {
    BlankNode::new_unchecked(id.suffix())
}
