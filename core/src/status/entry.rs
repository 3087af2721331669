//! Entries of `credentialStatus` (W3C Bitstring Status List v1.0, section 2.1) that name a registry's own lists.

use std::slice;

use serde_json::{Map, Value, json};

use crate::{Address, ListNumber, Purpose, StatusIndex};

const TYPE: &str = "BitstringStatusListEntry";

/// The entries of a credential: one, several, or none.
pub fn entries(credential: &Map<String, Value>) -> &[Value] {
    match credential.get("credentialStatus") {
        None => &[],
        Some(Value::Array(entries)) => entries,
        Some(entry) => slice::from_ref(entry),
    }
}

/// Where every node and mirror serves a list, behind its own URL.
pub fn list_path(issuer: Address, purpose: Purpose, list: ListNumber) -> String {
    format!("/v1/issuers/{issuer}/status/{}/lists/{list}", purpose.name())
}

/// The entry that names the issuer's own bit, in the list that the server of this URL (without a slash at its end) offers.
pub fn own_entry(server: &str, issuer: Address, purpose: Purpose, index: StatusIndex) -> Value {
    let (list, within) = (format!("{server}{}", list_path(issuer, purpose, index.list())), index.within_list());
    json!({
        // Open Badges 3.0 asks for one; W3C leaves it out where it likes.
        "id": format!("{list}#{within}"),
        "type": TYPE,
        "statusPurpose": purpose.name(),
        "statusListIndex": within.to_string(),
        "statusListCredential": list,
    })
}

/// The status index that an entry names in the issuer's own lists of revocations or suspensions; `None` where it names
/// anything else.
///
/// Whoever knows the bit from the chain needs no list. The server in its URL does not matter, because any node or
/// mirror has the same bits.
pub fn own_index(entry: &Value, issuer: Address) -> Option<StatusIndex> {
    let text = |member| entry.get(member).and_then(Value::as_str);
    let is_one_bit = text("type") == Some(TYPE) && entry.get("statusSize").is_none_or(|size| *size == 1);
    let name = text("statusPurpose").filter(|_| is_one_bit)?;
    let purpose = [Purpose::REVOCATION, Purpose::SUSPENSION].into_iter().find(|purpose| purpose.name() == name)?;
    let (url, place) = (text("statusListCredential")?, text("statusListIndex")?);
    let list = ListNumber::new(url.rsplit_once('/')?.1.parse().ok()?).ok()?;
    let within: u64 = place.parse().ok().filter(|within| *within < StatusIndex::PER_LIST)?;
    let index = StatusIndex::new(list.first().get() + within).ok()?;
    // One text for each number: no sign, no leading zero.
    (url.ends_with(&list_path(issuer, purpose, list)) && place == within.to_string()).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: Address = Address([7; 20]);

    #[test]
    fn only_an_entry_of_the_issuers_own_lists_names_an_index() {
        let index = StatusIndex::new(3 * StatusIndex::PER_LIST + 41).expect("in range");
        let entry = own_entry("https://any.example/base", ISSUER, Purpose::SUSPENSION, index);
        assert_eq!(own_index(&entry, ISSUER), Some(index));
        let with = |member: &str, value: Value| {
            let mut entry = entry.clone();
            entry[member] = value;
            own_index(&entry, ISSUER).map(StatusIndex::get)
        };
        assert_eq!(with("id", json!("https://any.example/#41")), Some(index.get()));
        assert_eq!(with("statusSize", json!(1)), Some(index.get()));
        assert_eq!(with("statusListIndex", json!("42")), Some(index.get() + 1));
        for strange in ["", "041", "+41", "-1", "131072", "41.0", "18446744073709551616"] {
            assert_eq!(with("statusListIndex", json!(strange)), None, "{strange}");
        }
        assert_eq!(with("statusListIndex", json!(41)), None, "W3C's index is a text");
        assert_eq!(with("type", json!("StatusList2021Entry")), None);
        assert_eq!(with("statusPurpose", json!("revocation")), None, "the list of another purpose");
        assert_eq!(with("statusPurpose", json!("message")), None);
        assert_eq!(with("statusSize", json!(2)), None);
        let url = |list: &str| json!(format!("https://any.example/v1/issuers/{ISSUER}/status/suspension/lists/{list}"));
        assert_eq!(with("statusListCredential", url("4")), Some(index.get() + StatusIndex::PER_LIST));
        for strange in ["", "03", "+3", "8388608", "3?x", "3/", "3#3"] {
            assert_eq!(with("statusListCredential", url(strange)), None, "{strange}");
        }
        assert_eq!(own_index(&entry, Address([8; 20])), None);
        assert_eq!(own_index(&json!("text"), ISSUER), None);
    }

    #[test]
    fn the_last_index_of_all_is_named_as_well() {
        let last = StatusIndex::new(StatusIndex::END - 1).expect("in range");
        let entry = own_entry("http://127.0.0.1:8080", ISSUER, Purpose::REVOCATION, last);
        assert_eq!(own_index(&entry, ISSUER), Some(last));
    }

    #[test]
    fn a_credential_has_one_entry_or_several() {
        let count = |credential: Value| entries(credential.as_object().expect("an object")).len();
        assert_eq!(count(json!({})), 0);
        assert_eq!(count(json!({ "credentialStatus": {} })), 1);
        assert_eq!(count(json!({ "credentialStatus": [{}, {}] })), 2);
        assert_eq!(count(json!({ "credentialStatus": null })), 1, "nothing that can be read is not nothing");
    }
}
