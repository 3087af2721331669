//! Embeds the JSON-LD contexts that packages carry, each compared with its pinned hash.

use std::{env, fs, path::Path};

use self::Source::{Crate, Npm};
use sha2::{Digest, Sha256};

/// Where a context comes from.
enum Source {
    /// The crate `ssi-contexts`.
    Crate(&'static str),
    /// A package of npm, if scripts/setup-contexts was run.
    Npm,
}

const TABLE: &[(&str, Source, &str)] = include!("contexts/table.rs");

fn main() {
    // A folder that is always there: a missing file would make every build run this again.
    println!("cargo::rerun-if-changed=contexts");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let (mut carried, mut absent) = (String::new(), String::new());
    for (number, (url, source, pinned)) in TABLE.iter().enumerate() {
        let Some(bytes) = bytes(url, source) else {
            absent += &format!("{url:?},");
            continue;
        };
        let found = hex::encode(Sha256::digest(&bytes));
        assert!(found == *pinned, "the context {url} is not the pinned one: {found} instead of {pinned}");
        let file = Path::new(&out).join(format!("{number}.json"));
        fs::write(&file, bytes).expect("OUT_DIR can be written to");
        carried += &format!("({url:?}, include_bytes!({file:?})),");
    }
    let code = format!("static CARRIED: &[(&str, &[u8])] = &[{carried}];\nstatic ABSENT: &[&str] = &[{absent}];\n");
    fs::write(Path::new(&out).join("carried.rs"), code).expect("OUT_DIR can be written to");
}

fn bytes(url: &str, source: &Source) -> Option<Vec<u8>> {
    match source {
        Crate(text) => Some(text.as_bytes().to_vec()),
        Npm => fs::read(Path::new("contexts/node_modules/.contexts").join(file_name(url))).ok(),
    }
}

/// As in extract.mjs: what is not a letter, a digit or a dot becomes one hyphen.
fn file_name(url: &str) -> String {
    let words: Vec<_> = url.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').filter(|w| !w.is_empty()).collect();
    words.join("-") + ".json"
}
