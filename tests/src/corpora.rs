//! Test data of other projects. It lies beside the checkout and is never copied into it.

use std::path::{Path, PathBuf};

/// A folder of the corpora, or `None` with a loud line that names the test which is skipped for its lack.
pub fn folder(name: &str, test: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora").join(name);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED {test}: the corpus {name} is not beside this checkout");
    None
}
