//! Nothing vanished: what an expanded document says is what its quads will say.
//!
//! RDF has no relative IRIs, no free-floating values and no malformed language tags; whoever turns JSON-LD into quads
//! leaves such statements out in silence.

use iref::IriBuf;
use json_ld_core::{ExpandedDocument, Id, IndexedObject, Node, Object, ValidId, object::Value};
use rdf_types::BlankIdBuf;

use crate::LinkedDataError;

/// Where W3C's data model keeps its members.
const CREDENTIAL: &str = "https://www.w3.org/2018/credentials#";
const NO_IRI: &str = "it is no absolute IRI";

/// Checks `document`.
pub fn check(document: &ExpandedDocument) -> Result<(), LinkedDataError> {
    let mut objects = document.iter();
    let root = match (objects.next().map(|object| object.inner()), objects.next()) {
        (Some(Object::Node(root)), None) => &**root,
        _ => return Err(LinkedDataError::Invalid { what: "it does not say one thing of one subject".to_owned() }),
    };
    let mut elsewhere = false;
    node(root, &mut |inner| {
        elsewhere |= !std::ptr::eq(inner, root) && inner.id == root.id && has_credential_member(inner)
    })?;
    if root.id.is_some() && elsewhere {
        let reason = "a second object with this id bears members of the credential";
        return Err(LinkedDataError::Disguised { member: "id".to_owned(), reason });
    }
    Ok(())
}

/// Statements of the root (its status, its dates) that stand where no reader of JSON looks for them.
fn has_credential_member(node: &Node) -> bool {
    node.properties().iter().any(|(property, _)| property.as_str().starts_with(CREDENTIAL))
}

fn says_something(node: &Node) -> bool {
    !node.is_empty()
}

/// Visits a node and all nodes below it.
fn node(found: &Node, visit: &mut impl FnMut(&Node)) -> Result<(), LinkedDataError> {
    visit(found);
    found.id.iter().chain(found.types()).try_for_each(id)?;
    for (property, values) in found.properties() {
        id(property)?;
        values.iter().try_for_each(|value| object(value, visit))?;
    }
    for (property, nodes) in found.reverse_properties().into_iter().flatten() {
        id(property)?;
        nodes.iter().try_for_each(|inner| node(inner.inner(), visit))?;
    }
    for inner in found.graph_entry().into_iter().flatten() {
        statement(inner)?;
        object(inner, visit)?;
    }
    found.included_entry().into_iter().flatten().try_for_each(|inner| node(inner.inner(), visit))
}

fn object(found: &IndexedObject<IriBuf, BlankIdBuf>, visit: &mut impl FnMut(&Node)) -> Result<(), LinkedDataError> {
    if found.index().is_some() {
        return Err(undefined("@index", "RDF knows no index"));
    }
    match found.inner() {
        Object::Node(inner) => node(inner, visit),
        Object::List(list) => list.iter().try_for_each(|item| object(item, visit)),
        Object::Value(found) => value(found),
    }
}

fn value(found: &Value) -> Result<(), LinkedDataError> {
    match found {
        Value::Literal(..) => Ok(()),
        Value::LangString(text) if text.direction().is_some() => Err(undefined("@direction", "RDF knows no direction")),
        Value::LangString(text) if text.language().is_some_and(|tag| tag.as_well_formed().is_none()) => {
            Err(undefined("@language", "it is no language tag"))
        }
        Value::LangString(_) => Ok(()),
        Value::Json(_) => Err(undefined("@json", "bare JSON is not read here")),
    }
}

/// In a graph, only what says something of a node is kept.
fn statement(found: &IndexedObject<IriBuf, BlankIdBuf>) -> Result<(), LinkedDataError> {
    match found.inner() {
        Object::Node(inner) if says_something(inner) => Ok(()),
        _ => Err(undefined("@graph", "a value or a bare reference in a graph is no statement")),
    }
}

fn id(found: &Id) -> Result<(), LinkedDataError> {
    match found {
        Id::Valid(ValidId::Iri(_)) => Ok(()),
        Id::Valid(ValidId::Blank(name)) => {
            let reason = "a name for a nameless node, which could be another node's";
            Err(LinkedDataError::Disguised { member: name.to_string(), reason })
        }
        Id::Invalid(text) => Err(undefined(text, NO_IRI)),
    }
}

fn undefined(member: &str, reason: &'static str) -> LinkedDataError {
    LinkedDataError::Undefined { member: member.to_owned(), reason }
}
