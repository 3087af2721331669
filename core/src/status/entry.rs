//! Entries of `credentialStatus` (W3C Bitstring Status List v1.0, section 2.1) that name a registry's own lists.

use serde_json::Value;

use crate::{Address, Purpose, StatusIndex};

/// Whether an entry names the very bit that the receipt's issuer and status index name: then the chain has answered it,
/// and nobody needs the list. The server in its URL does not matter, because any node or mirror has the same bits.
pub fn names_own_bit(entry: &Value, issuer: Address, index: StatusIndex) -> bool {
    let text = |member| entry.get(member).and_then(Value::as_str);
    let own_list = |purpose: Purpose| {
        let list = format!("/v1/issuers/{issuer}/status/{}/lists/{}", purpose.name(), index.list());
        text("statusListCredential").is_some_and(|url| url.ends_with(&list))
    };
    text("type") == Some("BitstringStatusListEntry")
        && entry.get("statusSize").is_none_or(|size| *size == 1)
        && text("statusListIndex") == Some(&index.within_list().to_string())
        && [Purpose::REVOCATION, Purpose::SUSPENSION]
            .into_iter()
            .any(|purpose| text("statusPurpose") == Some(&purpose.name()) && own_list(purpose))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_same_bit_is_ones_own() {
        let issuer = Address([7; 20]);
        let index = StatusIndex::new(3 * StatusIndex::PER_LIST + 41).expect("in range");
        let entry = json!({
            "type": "BitstringStatusListEntry", "statusPurpose": "suspension", "statusListIndex": "41",
            "statusListCredential": format!("https://any.example/base/v1/issuers/{issuer}/status/suspension/lists/3"),
        });
        assert!(names_own_bit(&entry, issuer, index));
        let with = |member: &str, value: Value| {
            let mut entry = entry.clone();
            entry[member] = value;
            names_own_bit(&entry, issuer, index)
        };
        assert!(with("id", json!("https://any.example/#41")));
        assert!(!with("type", json!("StatusList2021Entry")));
        assert!(!with("statusPurpose", json!("revocation")), "another list");
        assert!(!with("statusListIndex", json!("42")));
        assert!(!with("statusListIndex", json!("041")));
        assert!(!with("statusSize", json!(2)));
        let url = |list: &str| json!(format!("https://any.example/v1/issuers/{issuer}/status/suspension/lists/{list}"));
        assert!(!with("statusListCredential", url("4")));
        assert!(!with("statusListCredential", url("13")));
        assert!(!with("statusListCredential", url("3?x")));
        assert!(!names_own_bit(&entry, Address([8; 20]), index));
        assert!(!names_own_bit(&json!("text"), issuer, index));
    }
}
