//! Numbers that must not be confused with one another.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Error;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixSeconds(pub u64);

impl fmt::Display for UnixSeconds {
    /// RFC 3339 in UTC; the bare number where the calendar ends (year 9999).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calendar = i64::try_from(self.0)
            .ok()
            .and_then(|seconds| time::OffsetDateTime::from_unix_timestamp(seconds).ok())
            .and_then(|time| time.format(&time::format_description::well_known::Rfc3339).ok());
        match calendar {
            Some(text) => f.write_str(&text),
            None => write!(f, "{}", self.0),
        }
    }
}

impl FromStr for UnixSeconds {
    type Err = Error;

    /// An RFC 3339 date-time (XML Schema's `dateTimeStamp`, as credentials use), or a count of seconds. What was before
    /// 1970, as a diploma's date may be, is taken for its first second.
    fn from_str(text: &str) -> Result<Self, Error> {
        if let Ok(seconds) = text.parse() {
            return Ok(Self(seconds));
        }
        let time = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)
            .map_err(|_| Error::DateTime)?;
        Ok(Self(u64::try_from(time.unix_timestamp()).unwrap_or(0)))
    }
}

/// The height of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlockNumber(pub u64);

impl fmt::Display for BlockNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An EIP-155 chain id, written as CAIP-2: `eip155:1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId(pub u64);

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "eip155:{}", self.0)
    }
}

impl FromStr for ChainId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let number = text.strip_prefix("eip155:").ok_or(Error::ChainId)?;
        let id = number.parse::<u64>().map_err(|_| Error::ChainId)?;
        // One id, one text: no sign, no leading zero.
        if id.to_string() == number { Ok(Self(id)) } else { Err(Error::ChainId) }
    }
}

impl Serialize for ChainId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ChainId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The place of a credential's status bits, the same in every purpose: below 2^40.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct StatusIndex(u64);

impl StatusIndex {
    /// One more than the largest index.
    pub const END: u64 = 1 << 40;
    /// Bits in one W3C status list (2^17): list `n` holds the indices `n · 2^17 .. (n + 1) · 2^17`.
    pub const PER_LIST: u64 = 1 << 17;

    /// The index; [`Error::StatusIndex`] at or above 2^40.
    pub fn new(index: u64) -> Result<Self, Error> {
        if index < Self::END { Ok(Self(index)) } else { Err(Error::StatusIndex { index }) }
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The first index of a chunk of 256.
    pub(crate) fn of_chunk(number: u32) -> Self {
        Self(u64::from(number) << 8)
    }

    /// The list that holds this index.
    pub fn list(self) -> ListNumber {
        ListNumber((self.0 / Self::PER_LIST) as u32)
    }

    /// The place of this index in its list: W3C's `statusListIndex`, below 2^17.
    pub fn within_list(self) -> u32 {
        (self.0 % Self::PER_LIST) as u32
    }
}

impl fmt::Display for StatusIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for StatusIndex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u64::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// Which 131,072 bits of a status tree, for one W3C status list: below 2^23.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct ListNumber(u32);

impl ListNumber {
    /// One more than the largest number.
    pub const END: u32 = (StatusIndex::END / StatusIndex::PER_LIST) as u32;

    /// The number; [`Error::ListNumber`] at or above 2^23.
    pub fn new(number: u32) -> Result<Self, Error> {
        if number < Self::END { Ok(Self(number)) } else { Err(Error::ListNumber { number }) }
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }

    /// The first index of this list.
    pub fn first(self) -> StatusIndex {
        StatusIndex(u64::from(self.0) * StatusIndex::PER_LIST)
    }
}

impl fmt::Display for ListNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for ListNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u32::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// What a status bit says. 0 and 1 are fixed by the protocol, the others are free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Purpose(pub u8);

impl Purpose {
    /// A bit once set is never cleared.
    pub const REVOCATION: Self = Self(0);
    /// A bit that may be cleared again.
    pub const SUSPENSION: Self = Self(1);

    /// The word for addresses and messages; the number where there is no word. [`FromStr`] reads it back.
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::REVOCATION => "revocation".into(),
            Self::SUSPENSION => "suspension".into(),
            Self(other) => other.to_string().into(),
        }
    }
}

impl FromStr for Purpose {
    type Err = Error;

    /// `revocation`, `suspension`, or a number up to 255 without sign or leading zero.
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "revocation" => Ok(Self::REVOCATION),
            "suspension" => Ok(Self::SUSPENSION),
            _ => match text.parse::<u8>() {
                Ok(number) if number.to_string() == text => Ok(Self(number)),
                _ => Err(Error::Purpose),
            },
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::REVOCATION => f.write_str("revocation"),
            Self::SUSPENSION => f.write_str("suspension"),
            Self(other) => write!(f, "purpose {other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_printed_as_credentials_write_them() {
        assert_eq!("2026-01-01T00:00:00Z".parse(), Ok(UnixSeconds(1_767_225_600)));
        assert_eq!("2026-01-01T01:00:00+01:00".parse(), Ok(UnixSeconds(1_767_225_600)));
        assert_eq!(UnixSeconds(1_767_225_600).to_string(), "2026-01-01T00:00:00Z");
        assert_eq!("2026-13-01T00:00:00Z".parse::<UnixSeconds>(), Err(Error::DateTime));
        assert_eq!("1960-01-01T00:00:00Z".parse(), Ok(UnixSeconds(0)), "the date of a diploma");
    }

    #[test]
    fn a_chain_id_has_one_text() {
        assert_eq!("eip155:31337".parse(), Ok(ChainId(31337)));
        for wrong in ["eip155:01", "eip155:+1", "eip155:", "31337", "solana:1", "eip155:1 "] {
            assert_eq!(wrong.parse::<ChainId>(), Err(Error::ChainId), "{wrong}");
        }
    }

    #[test]
    fn status_indices_end_below_two_to_the_forty() {
        assert!(StatusIndex::new((1 << 40) - 1).is_ok());
        assert_eq!(StatusIndex::new(1 << 40), Err(Error::StatusIndex { index: 1 << 40 }));
    }
    #[test]
    fn an_index_is_a_list_and_a_place_in_it() {
        let last = StatusIndex::new(StatusIndex::END - 1).expect("in range");
        assert_eq!((last.list(), last.within_list()), (ListNumber(ListNumber::END - 1), 131_071));
        let other = StatusIndex::new(3 * 131_072 + 5).expect("in range");
        assert_eq!((other.list().get(), other.within_list()), (3, 5));
        assert_eq!(other.list().first().get() + 5, other.get());
        assert_eq!(ListNumber::new(1 << 23), Err(Error::ListNumber { number: 1 << 23 }));
        assert!(serde_json::from_str::<ListNumber>("8388608").is_err());
    }

    #[test]
    fn a_purpose_reads_its_name_back() {
        for number in 0..=255 {
            assert_eq!(Purpose(number).name().parse(), Ok(Purpose(number)));
        }
        assert_eq!("1".parse(), Ok(Purpose::SUSPENSION));
        for wrong in ["", "256", "07", "+7", "Revocation", "7 "] {
            assert_eq!(wrong.parse::<Purpose>(), Err(Error::Purpose), "{wrong}");
        }
    }
}
