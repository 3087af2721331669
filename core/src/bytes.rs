//! Fixed-size byte strings and their one printed form: lower-case hex.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Error;

/// Decodes exactly `N` bytes of lower-case hex, with or without the `0x` that Ethereum tools print.
fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], Error> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if digits.len() != 2 * N {
        return Err(Error::HexLength { expected: 2 * N, found: digits.len() });
    }
    if digits.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(Error::HexCase);
    }
    let mut out = [0; N];
    hex::decode_to_slice(digits, &mut out).map_err(|_| Error::HexDigit)?;
    Ok(out)
}

macro_rules! byte_string {
    ($(#[$doc:meta])* $name:ident, $size:literal, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name(pub [u8; $size]);

        impl $name {
            /// The bytes.
            pub fn as_bytes(&self) -> &[u8; $size] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut digits = [0; 2 * $size];
                hex::encode_to_slice(self.0, &mut digits).map_err(|_| fmt::Error)?;
                f.write_str($prefix)?;
                f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = Error;

            fn try_from(bytes: &[u8]) -> Result<Self, Error> {
                let exact = bytes.try_into();
                exact.map(Self).map_err(|_| Error::ByteLength { expected: $size, found: bytes.len() })
            }
        }
    };
}

byte_string!(
    /// A SHA-256 value inside a tree (leaf hash, node, root), or an Ethereum hash. 32 bytes.
    /// Parsed from 64 lower-case hex digits, with or without `0x`; printed with `0x`.
    Hash, 32, "0x"
);
byte_string!(
    /// A blinded digest of a credential: all that the registry ever sees of it. 32 bytes.
    /// Parsed from 64 lower-case hex digits, with or without `0x`; printed without.
    Digest, 32, ""
);
byte_string!(
    /// An Ethereum account. 20 bytes, printed as `0x` and 40 lower-case hex digits.
    ///
    /// [`FromStr`] takes any case, because people paste checksummed addresses (EIP-55);
    /// inside receipts only the lower-case form is accepted, so that one receipt has one encoding.
    Address, 20, "0x"
);

impl Hash {
    /// 32 zero bytes: the root of a status tree without a set bit, and what an unwritten slot reads.
    pub const ZERO: Self = Self([0; 32]);
}

impl FromStr for Hash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        from_hex(text).map(Self)
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        from_hex(text).map(Self)
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if !text.starts_with("0x") {
            return Err(Error::HexPrefix);
        }
        from_hex(&text.to_ascii_lowercase()).map(Self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        if !text.starts_with("0x") {
            return Err(de::Error::custom(Error::HexPrefix));
        }
        from_hex(&text).map(Self).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_has_one_length_and_one_case() {
        let text = "ab".repeat(32);
        assert_eq!(text.parse::<Digest>().map(|d| d.to_string()), Ok(text.clone()));
        assert_eq!(format!("0x{text}").parse::<Digest>().map(|d| d.to_string()), Ok(text.clone()));
        assert_eq!(text.to_uppercase().parse::<Digest>(), Err(Error::HexCase));
        assert_eq!(text[..63].parse::<Digest>(), Err(Error::HexLength { expected: 64, found: 63 }));
        assert_eq!("zz".repeat(32).parse::<Digest>(), Err(Error::HexDigit));
    }

    #[test]
    fn an_address_needs_its_prefix_and_prints_in_lower_case() {
        let mixed = "0x4e59b44847b379578588920cA78FbF26c0B4956C";
        assert_eq!(mixed.parse::<Address>().map(|a| a.to_string()), Ok(mixed.to_lowercase()));
        assert_eq!(mixed[2..].parse::<Address>(), Err(Error::HexPrefix));
        assert!(serde_json::from_str::<Address>(&format!("\"{mixed}\"")).is_err());
    }
}
