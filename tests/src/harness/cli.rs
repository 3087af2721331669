//! The programs as a user calls them.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
    sync::Once,
};

/// What a program printed, and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// Exit status.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Panics with the output unless it ended as expected.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {}", self.stdout))
    }
}

/// Runs one of our programs to its end.
pub fn run<A: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = A>) -> Ran {
    let mut command = Command::new(binary(program));
    command.args(arguments).env("NO_COLOR", "1");
    let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// One of the workspace's programs, built with the profile of these tests; brought up to date at the first call.
pub fn binary(program: &str) -> PathBuf {
    static BUILD: Once = Once::new();
    let folder = target_folder();
    BUILD.call_once(|| {
        let mut build = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
        build.args(["build", "--quiet", "--workspace", "--bins"]);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        let status = build.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).status();
        assert!(status.is_ok_and(|status| status.success()), "the programs do not build");
    });
    folder.join(program)
}

/// `target/debug` or `target/release`: tests lie in its folder `deps`.
fn target_folder() -> PathBuf {
    let test = env::current_exe().expect("a running test has a path");
    let folder = test.ancestors().find(|folder| folder.ends_with("debug") || folder.ends_with("release"));
    folder.expect("tests run from cargo's target folder").to_owned()
}
