//! `testamur-issuer serve` in a process of its own, on a folder that outlives it.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::{binary, chain::free_port, until};

/// A running server of learners' pages. It is killed when dropped.
pub struct ShareServer {
    child: Child,
    config: PathBuf,
    /// What browsers call it.
    pub url: String,
}

impl ShareServer {
    /// Adds a table `[share]`, with what more is to stand there, to a configuration; returns the pages' URL. Tables for
    /// `[mail]` may follow in `more`.
    pub fn configure(config: &Path, more: &str) -> String {
        let url = format!("http://127.0.0.1:{}", free_port());
        let listen = url.trim_start_matches("http://");
        let mut file = OpenOptions::new().append(true).open(config).expect("a configuration");
        write!(file, "\n[share]\nlisten = {listen:?}\npublic_url = {url:?}\n{more}\n").expect("written");
        url
    }

    /// Starts it with a configuration that has such a table.
    pub fn start(config: &Path, url: &str) -> Self {
        let log = File::options().create(true).append(true).open(config.with_extension("log")).expect("writable");
        let child = Command::new(binary("testamur-issuer"))
            .arg("--config")
            .arg(config)
            .arg("serve")
            .env("RUST_LOG", "debug")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("it starts");
        let mut server = Self { child, config: config.to_owned(), url: url.to_owned() };
        until("the pages' server answers", || {
            let ended = server.child.try_wait().expect("a child can be asked");
            assert!(ended.is_none(), "it ended: {}", server.log());
            reqwest::blocking::get(format!("{}/healthz", server.url)).ok().filter(|answer| answer.status().is_success())
        });
        server
    }

    /// Everything it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.config.with_extension("log")).unwrap_or_default()
    }

    /// Kills it as a crash would (SIGKILL).
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    /// Asks it to end (SIGTERM) and waits until it has; panics unless it ended well.
    pub fn stop(mut self) {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill runs");
        assert!(killed.success());
        let status = self.child.wait().expect("ended");
        assert!(status.success(), "{status}: {}", self.log());
    }
}

impl Drop for ShareServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
