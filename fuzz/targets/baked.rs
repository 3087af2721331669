//! Any image is answered, and no second credential is left in the picture.
#![no_main]

use libfuzzer_sys::fuzz_target;
use testamur_credentials::baked::unbake;

fuzz_target!(|data: &[u8]| {
    if let Ok(Some((_, baked))) = unbake(data) {
        assert!(!matches!(unbake(&baked.picture.bytes), Ok(Some(_))));
    }
});
