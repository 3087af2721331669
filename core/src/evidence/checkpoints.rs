//! Block hashes that a verifier trusts, from a file of its own.

use std::{collections::BTreeMap, fmt, str::FromStr};

use crate::{BlockNumber, ChainId, Hash};

/// Trusted blocks. As text, one on each line: `eip155:1 21925176 0x92da…`; empty lines and those that begin with `#`
/// say nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoints(BTreeMap<(u64, BlockNumber), Hash>);

/// A line that is no checkpoint, or names another hash than an earlier one for the same block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is no checkpoint of the form `eip155:<chain id> <block> 0x<hash>`, or contradicts an earlier one")]
pub struct CheckpointError {
    /// The line, from 1.
    pub line: usize,
}

impl Checkpoints {
    /// Trusts a block; whether that is not another one than trusted before.
    pub fn insert(&mut self, chain: ChainId, block: BlockNumber, hash: Hash) -> bool {
        *self.0.entry((chain.0, block)).or_insert(hash) == hash
    }

    /// Whether this block of this chain is trusted.
    pub fn contains(&self, chain: ChainId, block: BlockNumber, hash: Hash) -> bool {
        self.0.get(&(chain.0, block)) == Some(&hash)
    }
}

impl FromStr for Checkpoints {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let mut checkpoints = Self::default();
        for (line, text) in (1..).zip(text.lines().map(str::trim)) {
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let (chain, block, hash) = checkpoint(text).ok_or(CheckpointError { line })?;
            if !checkpoints.insert(chain, block, hash) {
                return Err(CheckpointError { line });
            }
        }
        Ok(checkpoints)
    }
}

impl fmt::Display for Checkpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|((chain, block), hash)| writeln!(f, "{} {block} {hash}", ChainId(*chain)))
    }
}

fn checkpoint(line: &str) -> Option<(ChainId, BlockNumber, Hash)> {
    let mut words = line.split_whitespace();
    let (chain, block, hash) = (words.next()?, words.next()?, words.next()?);
    let whole = (chain.parse().ok()?, BlockNumber(block.parse().ok()?), hash.parse().ok()?);
    words.next().is_none().then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_checkpoints_is_read_and_written() {
        let hash = Hash([7; 32]);
        let text = format!("# Ethereum\n\neip155:1 21925176 {hash}\n  eip155:10\t5   {hash}  \r\n");
        let checkpoints: Checkpoints = text.parse().expect("checkpoints");
        assert!(checkpoints.contains(ChainId(1), BlockNumber(21_925_176), hash));
        assert!(checkpoints.contains(ChainId(10), BlockNumber(5), hash));
        assert!(!checkpoints.contains(ChainId(10), BlockNumber(21_925_176), hash));
        assert!(!checkpoints.contains(ChainId(1), BlockNumber(21_925_176), Hash::ZERO));
        assert_eq!(checkpoints.to_string().parse(), Ok(checkpoints));
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let hash = Hash([7; 32]);
        for wrong in [
            format!("1 5 {hash}"),
            format!("eip155:1 5 {hash} more"),
            format!("eip155:1 -5 {hash}"),
            "eip155:1 5".to_owned(),
            format!("eip155:1 4 {}", Hash::ZERO),
        ] {
            let text = format!("eip155:1 4 {hash}\n{wrong}\n");
            assert_eq!(text.parse::<Checkpoints>(), Err(CheckpointError { line: 2 }), "{wrong}");
        }
    }
}
