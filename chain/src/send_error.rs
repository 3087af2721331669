//! Why a transaction was not accepted, from what each kind of client says about it.

use crate::Error;

/// What became of a raw transaction that an endpoint refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The endpoint has this very transaction: as good as sent.
    #[error("the endpoint has it already")]
    AlreadyKnown,
    /// The nonce is used: this transaction, or another with its nonce, is in a block.
    #[error("its nonce is used already")]
    NonceTooLow,
    /// The fees are below what the pool, the base fee or the replacement of a waiting transaction asks for.
    #[error("its fees are too low, or a transaction with the same nonce is waiting")]
    Underpriced,
    /// The account cannot pay for it.
    #[error("the account has too little money for it")]
    InsufficientFunds,
    /// Anything else. After a transient error it may have been sent all the same.
    #[error(transparent)]
    Other(Error),
}

/// Parts of messages, lower case, letters only: of geth, erigon, reth, Nethermind, Besu, anvil and hardhat.
/// Funds first: "insufficient funds for gas * price" speaks of a gas price as well.
const MESSAGES: [(&str, SendError); 19] = [
    ("insufficientfunds", SendError::InsufficientFunds),
    ("doesnthaveenoughfunds", SendError::InsufficientFunds),
    ("upfrontcostexceeds", SendError::InsufficientFunds),
    ("alreadyknown", SendError::AlreadyKnown),
    ("alreadyimported", SendError::AlreadyKnown),
    ("knowntransaction", SendError::AlreadyKnown),
    ("alreadyexists", SendError::AlreadyKnown),
    ("noncetoolow", SendError::NonceTooLow),
    ("nonceistoolow", SendError::NonceTooLow),
    ("oldnonce", SendError::NonceTooLow),
    ("underpriced", SendError::Underpriced),
    ("replacementnotallowed", SendError::Underpriced),
    ("couldnotreplaceexistingtx", SendError::Underpriced),
    ("feetoolow", SendError::Underpriced),
    ("lessthanblockbasefee", SendError::Underpriced),
    ("pricebelow", SendError::Underpriced),
    ("gasprice", SendError::Underpriced),
    ("toolowtobeincluded", SendError::Underpriced),
    ("toolowforthenextblock", SendError::Underpriced),
];

impl From<Error> for SendError {
    fn from(error: Error) -> Self {
        let Error::Rpc { message, .. } = &error else { return Self::Other(error) };
        let letters: String =
            message.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
        let known = MESSAGES.iter().find(|(part, _)| letters.contains(part));
        known.map_or(Self::Other(error), |(_, meaning)| meaning.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_s_words_are_understood() {
        use SendError::{AlreadyKnown, InsufficientFunds, NonceTooLow, Underpriced};
        let table = [
            // geth, reth
            ("already known", AlreadyKnown),
            ("nonce too low: next nonce 5, tx nonce 4", NonceTooLow),
            ("replacement transaction underpriced", Underpriced),
            ("transaction underpriced: gas tip cap 0, minimum needed 1000000", Underpriced),
            ("max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 7", Underpriced),
            ("insufficient funds for gas * price + value: balance 0, tx cost 21000, overshot 21000", InsufficientFunds),
            // erigon
            ("ALREADY_EXISTS: already known", AlreadyKnown),
            ("NONCE_TOO_LOW: nonce too low", NonceTooLow),
            ("could not replace existing tx", Underpriced),
            // Nethermind
            ("AlreadyKnown", AlreadyKnown),
            ("OldNonce, Current nonce: 5, nonce of rejected tx: 4", NonceTooLow),
            ("FeeTooLowToCompete", Underpriced),
            ("ReplacementNotAllowed", Underpriced),
            ("InsufficientFunds, Account balance: 0, cumulative cost: 21000", InsufficientFunds),
            // Besu
            ("Known transaction", AlreadyKnown),
            ("Nonce too low", NonceTooLow),
            ("Gas price below configured minimum gas price", Underpriced),
            ("Upfront cost exceeds account balance", InsufficientFunds),
            // anvil
            ("transaction already imported", AlreadyKnown),
            ("Insufficient funds for gas * price + value", InsufficientFunds),
            // hardhat
            ("Known transaction: 0x12", AlreadyKnown),
            ("Nonce too low. Expected nonce to be 1 but got 0.", NonceTooLow),
            ("Sender doesn't have enough funds to send tx. The max upfront cost is: 2", InsufficientFunds),
            ("Transaction maxFeePerGas (1) is too low for the next block, which has a baseFeePerGas of 7", Underpriced),
        ];
        for (message, meaning) in table {
            let error = Error::Rpc { code: -32000, message: message.to_owned() };
            assert_eq!(SendError::from(error), meaning, "{message}");
        }
        for message in ["nonce too high", "exceeds block gas limit", "intrinsic gas too low", ""] {
            let error = Error::Rpc { code: -32000, message: message.to_owned() };
            assert_eq!(SendError::from(error.clone()), SendError::Other(error));
        }
    }
}
