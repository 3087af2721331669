//! The pages of `web/` in a real browser: they are looked at by programs of `web/tests/`.

use std::{
    env,
    path::{Path, PathBuf},
};

/// `web/`, where a page has been built and a browser is there; `None`, loudly, where not.
pub fn pages(test: &str, page: &str) -> Option<PathBuf> {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web");
    let chromium = env::var("TESTAMUR_CHROMIUM").unwrap_or("/usr/bin/chromium".to_owned());
    if !web.join("dist").join(page).is_file() || !web.join("node_modules/playwright-core").is_dir() {
        eprintln!(
            "SKIPPED {test}: {page} is not built (run scripts/setup-wasm, scripts/build-wasm and scripts/setup-web)"
        );
        return None;
    }
    if !Path::new(&chromium).exists() {
        eprintln!("SKIPPED {test}: no {chromium} (install Chromium, or name one in TESTAMUR_CHROMIUM)");
        return None;
    }
    Some(web)
}
