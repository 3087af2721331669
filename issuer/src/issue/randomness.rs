//! What must not be guessed: 64 random bytes for each credential.

use rand::{TryRngCore as _, rngs::OsRng};

use super::IssueError;

/// The random bytes of one credential.
#[derive(Clone, Copy)]
pub(super) struct Randomness {
    /// Makes its `id`.
    pub id: [u8; 16],
    /// Goes before what is hashed in it, so that nobody guesses an e-mail address by its hash.
    pub salt: [u8; 16],
    /// Blinds its digest.
    pub nonce: [u8; 32],
}

/// The random bytes of as many credentials, from the system.
pub(super) fn draw(count: usize) -> Result<Vec<Randomness>, IssueError> {
    let mut bytes = vec![[0; 64]; count];
    OsRng.try_fill_bytes(bytes.as_flattened_mut()).map_err(IssueError::Randomness)?;
    Ok(bytes.iter().map(split).collect())
}

fn split(bytes: &[u8; 64]) -> Randomness {
    let mut drawn = Randomness { id: [0; 16], salt: [0; 16], nonce: [0; 32] };
    drawn.id.copy_from_slice(&bytes[..16]);
    drawn.salt.copy_from_slice(&bytes[16..32]);
    drawn.nonce.copy_from_slice(&bytes[32..]);
    drawn
}

impl Randomness {
    /// `urn:uuid:` with a version 4 UUID (RFC 9562).
    pub fn uri(&self) -> String {
        let mut id = self.id;
        id[6] = id[6] & 0x0f | 0x40;
        id[8] = id[8] & 0x3f | 0x80;
        let hex = hex::encode(id);
        format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_4_and_never_the_same() {
        let drawn = draw(2).unwrap();
        let [one, other] = [drawn[0].uri(), drawn[1].uri()];
        assert_ne!(one, other);
        for uri in [one, other] {
            let parts: Vec<_> = uri.strip_prefix("urn:uuid:").unwrap().split('-').map(str::to_owned).collect();
            assert_eq!(parts.iter().map(String::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
            assert!(parts[2].starts_with('4') && "89ab".contains(&parts[3][..1]), "{uri}");
        }
    }
}
