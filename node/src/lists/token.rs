//! Lists as the IETF has them: Token Status List, as a JWT or a CWT.

use std::{convert::Infallible, io::Write};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use flate2::{Compression, write::ZlibEncoder};
use minicbor::{Encoder, data::Tag};
use serde_json::{Value, json};
use testamur_core::{
    Purpose,
    status::{StatusList, token},
};

use super::{
    TTL, jwt,
    key::ListKey,
    statement::{ANCHORED, Statement},
};

/// Media types without `application/`, as the header parameter `typ` writes them.
const JWT_TYPE: &str = "statuslist+jwt";
/// The same for CWT, where it is written in full.
const CWT_TYPE: &str = "application/statuslist+cwt";

/// The list as a JWT.
pub fn as_jwt(statement: &Statement, key: &ListKey) -> String {
    let header = json!({ "alg": "EdDSA", "typ": JWT_TYPE, "kid": key.method() });
    let (bits, lst) = statuses(statement);
    let payload = json!({
        "iss": key.did(),
        "sub": statement.url,
        "iat": statement.dated.0,
        "exp": statement.expires().0,
        "ttl": TTL.as_secs(),
        "status_list": { "bits": bits, "lst": BASE64_URL_SAFE_NO_PAD.encode(lst) },
        ANCHORED: statement.anchored_json(),
    });
    jwt(&header, &payload, key)
}

/// The list as a CWT: COSE_Sign1 (RFC 9052, 4.2) with its tag.
pub fn as_cwt(statement: &Statement, key: &ListKey) -> Vec<u8> {
    let protected = cbor(|out| {
        // 1 alg: EdDSA, 4 kid, 16 typ.
        out.map(3)?.u8(1)?.i8(-8)?.u8(4)?.bytes(key.method().as_bytes())?.u8(16)?.str(CWT_TYPE)?.ok()
    });
    let payload = claims(statement, key);
    let signed = cbor(|out| out.array(4)?.str("Signature1")?.bytes(&protected)?.bytes(&[])?.bytes(&payload)?.ok());
    let signature = key.sign(&signed);
    cbor(|out| out.tag(Tag::new(18))?.array(4)?.bytes(&protected)?.map(0)?.bytes(&payload)?.bytes(&signature)?.ok())
}

/// The claims by number: 1 iss, 2 sub, 4 exp, 6 iat, 65533 status_list, 65534 ttl.
fn claims(statement: &Statement, key: &ListKey) -> Vec<u8> {
    let (bits, lst) = statuses(statement);
    let (issued, expires) = (statement.dated.0, statement.expires().0);
    cbor(|out| {
        out.map(7)?.u8(1)?.str(key.did())?.u8(2)?.str(&statement.url)?.u8(4)?.u64(expires)?.u8(6)?.u64(issued)?;
        out.u16(65533)?.map(2)?.str("bits")?.u8(bits)?.str("lst")?.bytes(&lst)?;
        out.u16(65534)?.u64(TTL.as_secs())?.str(ANCHORED)?;
        encode(out, &statement.anchored_json())
    })
}

/// Bits of a status, and all statuses, compressed. To the IETF 1 is "invalid" and 2 is "suspended": a set bit of a
/// suspension is therefore written as 2, in two bits, lest it read as revoked for good.
fn statuses(statement: &Statement) -> (u8, Vec<u8>) {
    match statement.anchored.purpose {
        Purpose::SUSPENSION => (2, deflate(&suspensions(&statement.bits))),
        _ => (1, token::encode(&statement.bits)),
    }
}

/// Two bits for each index, the lowest first: 2 where it is set.
fn suspensions(list: &StatusList) -> Vec<u8> {
    let mut statuses = vec![0; list.as_bytes().len() * 2];
    for index in (0..StatusList::BITS).filter(|&index| list.bit(index)) {
        statuses[index as usize / 4] |= 2 << (index % 4 * 2);
    }
    statuses
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("a vector takes all bytes")
}

/// JSON as CBOR. Numbers are whole and not negative, because [`super::statement::Anchored`] has no others.
fn encode(out: &mut Encoder<&mut Vec<u8>>, value: &Value) -> Written {
    match value {
        Value::Object(members) => {
            out.map(members.len() as u64)?;
            members.iter().try_for_each(|(name, value)| {
                out.str(name)?;
                encode(out, value)
            })
        }
        Value::Array(items) => {
            out.array(items.len() as u64)?;
            items.iter().try_for_each(|item| encode(out, item))
        }
        Value::String(text) => out.str(text)?.ok(),
        Value::Number(number) => out.u64(number.as_u64().expect("whole and not negative"))?.ok(),
        Value::Bool(bit) => out.bool(*bit)?.ok(),
        Value::Null => out.null()?.ok(),
    }
}

type Written = Result<(), minicbor::encode::Error<Infallible>>;

fn cbor(write: impl FnOnce(&mut Encoder<&mut Vec<u8>>) -> Written) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut Encoder::new(&mut bytes)).expect("a vector takes all bytes");
    bytes
}
