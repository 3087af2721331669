//! The anchors that an issuer expects: a list of roots, or its receipts.

use std::{collections::HashSet, io, path::Path};

use testamur_core::{Address, ChainId, Document, Error, Hash, Receipt, json::MAX_BYTES, proof::AnchorProof};

use crate::files;

/// The longest list of roots: 64 MiB, almost a million of them.
const LONGEST: usize = 64 << 20;

/// Why a file tells no known roots.
#[derive(Debug, thiserror::Error)]
pub enum KnownError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is neither a receipt, nor a credential with one, nor a list.
    #[error("line {line} is no root (64 hex digits) and no receipt: {fault}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        fault: Error,
    },
    /// It is too large.
    #[error(transparent)]
    TooLarge(Error),
    /// A receipt of somebody else.
    #[error("a receipt of {issuer} on {chain}, which is not the one that is audited")]
    Foreign {
        /// Its issuer.
        issuer: Address,
        /// Its chain.
        chain: ChainId,
    },
}

/// Reads the roots in a file: an anchored credential, a receipt, or lines that are each a root or a receipt. Empty
/// lines, and what follows a `#`, are left out.
pub fn read(path: &Path, issuer: Address, chain: ChainId) -> Result<HashSet<Hash>, KnownError> {
    let bytes = files::read_up_to(path, LONGEST)?.map_err(KnownError::TooLarge)?;
    if bytes.len() <= MAX_BYTES {
        let whole = AnchorProof::from_detached(&bytes)
            .or_else(|_| Document::from_credential(&bytes).and_then(Document::into_anchor));
        if let Ok(AnchorProof { receipt, .. }) = whole {
            return Ok(HashSet::from([root_of(&receipt, issuer, chain)?]));
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().zip(1..).map(|(line, number)| (line.split('#').next().unwrap_or_default().trim(), number));
    lines.filter(|(line, _)| !line.is_empty()).map(|(line, number)| root(line, number, issuer, chain)).collect()
}

fn root(line: &str, number: usize, issuer: Address, chain: ChainId) -> Result<Hash, KnownError> {
    let fault = |fault| KnownError::Line { line: number, fault };
    if line.starts_with('{') {
        return root_of(&AnchorProof::from_detached(line.as_bytes()).map_err(fault)?.receipt, issuer, chain);
    }
    line.strip_prefix("0x").unwrap_or(line).to_ascii_lowercase().parse().map_err(fault)
}

fn root_of(receipt: &Receipt, issuer: Address, chain: ChainId) -> Result<Hash, KnownError> {
    if (receipt.issuer, receipt.chain) == (issuer, chain) {
        return Ok(receipt.root);
    }
    Err(KnownError::Foreign { issuer: receipt.issuer, chain: receipt.chain })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lists_of_roots_are_read_strictly() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = |text: &str| {
            fs::write(file.path(), text).unwrap();
            read(file.path(), Address([1; 20]), ChainId(1))
        };
        let (one, two) = ("11".repeat(32), "Aa".repeat(32));
        let roots = read(&format!("# ours\n\n{one}\n 0x{two} # by hand\r\n{one}\n")).unwrap();
        assert_eq!(roots, HashSet::from([Hash([0x11; 32]), Hash([0xaa; 32])]));
        assert_eq!(read("").unwrap(), HashSet::new());
        for wrong in ["11", "{}", "xyz", "\u{0}"] {
            let error = read(&format!("{one}\n{wrong}")).unwrap_err();
            assert!(matches!(error, KnownError::Line { line: 2, .. }), "{wrong}: {error}");
        }
    }
}
