//! Passwords: argon2id (RFC 9106), and how long one must be.

use std::sync::LazyLock;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use rand::{TryRngCore as _, rngs::OsRng};

/// Characters that a password has at least (NIST SP 800-63B-4, 3.1.1.2, asks for 15 where nothing else is asked for).
const SHORTEST: usize = 15;
/// Bytes that are hashed at most.
const LONGEST: usize = 1_024;
/// Letters of a password that the program makes: 120 random bits.
const DRAWN: usize = 24;
/// Letters and digits that are not taken for one another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// What is checked where there is no such user: it takes as long, so that nobody finds out who there is.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash(&drawn()).expect("a drawn password is hashed"));

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordFault {
    /// Too easily guessed.
    #[error("a password has at least {SHORTEST} characters: take four words, or let one be drawn")]
    Short,
    /// Nobody types so much.
    #[error("a password has at most {LONGEST} bytes")]
    Long,
    /// The system gives no random bytes.
    #[error("the password cannot be hashed")]
    Hash,
}

/// Hashes a password, with a salt of its own, as a PHC string.
pub fn hash(password: &str) -> Result<String, PasswordFault> {
    if password.chars().count() < SHORTEST {
        return Err(PasswordFault::Short);
    }
    if password.len() > LONGEST {
        return Err(PasswordFault::Long);
    }
    let hash: PasswordHash = Argon2::default().hash_password(password.as_bytes()).map_err(|_| PasswordFault::Hash)?;
    Ok(hash.to_string())
}

/// Whether a password is the one that was hashed. Without a hash, or with one that nobody can read, it is not, after the
/// same time.
pub fn is_right(password: &str, hashed: Option<&str>) -> bool {
    let known = hashed.and_then(|text| PasswordHash::new(text).ok());
    let nobody = || PasswordHash::new(NOBODY.as_str()).expect("it was made as a hash");
    let is_known = known.is_some();
    let hash = known.unwrap_or_else(nobody);
    // Longer ones were never taken, and would be work.
    let password = if password.len() > LONGEST { "" } else { password };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && is_known
}

/// A password that nobody chose.
pub fn drawn() -> String {
    let mut random = [0; DRAWN];
    OsRng.try_fill_bytes(&mut random).expect("the system gives random bytes");
    random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_one_is_right() {
        let hashed = hash("correct horse battery").unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(is_right("correct horse battery", Some(&hashed)));
        assert!(!is_right("correct horse battery ", Some(&hashed)));
        assert!(!is_right("", Some(&hashed)));
        assert!(!is_right(&"x".repeat(LONGEST + 1), Some(&hashed)));
        assert_ne!(hash("correct horse battery").unwrap(), hashed);
    }

    #[test]
    fn who_has_no_password_has_no_right_one() {
        for hashed in [None, Some(""), Some("$argon2id$damaged")] {
            assert!(!is_right("", hashed) && !is_right("correct horse battery", hashed));
        }
    }

    #[test]
    fn short_and_endless_ones_are_not_taken() {
        assert_eq!(hash("14 characters!"), Err(PasswordFault::Short));
        assert_eq!(hash(&"x".repeat(LONGEST + 1)), Err(PasswordFault::Long));
        assert!(hash(&drawn()).is_ok());
        assert_ne!(drawn(), drawn());
    }
}
