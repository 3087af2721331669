//! What the command line says, word for word: help, usage errors, and verdicts that need no chain.
//!
//! `TRYCMD=overwrite cargo test -p testamur --test golden` writes what it says now; read the difference.

#[test]
fn golden_runs() {
    trycmd::TestCases::new().env("NO_COLOR", "1").case("tests/cmd/*.toml").case("tests/cmd/*.trycmd");
}
