//! Any credential is answered; what is read without a chain is never valid.
#![no_main]

use libfuzzer_sys::fuzz_target;
use testamur_core::{Document, UnixSeconds, checked::Checked, observation::Unseen, policy::Policy, verify};

fuzz_target!(|data: &[u8]| {
    if let Ok(document) = Document::from_credential(data) {
        let report = verify::verify(&document, &Err(Unseen::Unreachable), &Checked::default(), &Policy::default(), UnixSeconds(0));
        assert_ne!(report.verdict(), verify::Verdict::Valid);
    }
});
