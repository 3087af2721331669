//! A studio in a process of its own: what an institution's staff use in their browsers.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::{Node, World, chain::free_port, cli::binary, run, until};

/// A running `testamur-issuer serve`. It is killed when dropped; its folder stays until then.
pub struct Studio {
    child: Child,
    folder: PathBuf,
    /// Its origin: scheme, host and port.
    pub url: String,
}

impl Studio {
    /// Makes an issuer in a folder of this world, as `init` does, lets people in with roles and passwords, and starts it.
    pub fn start(world: &World, node: &Node, people: &[(&str, &str, &str)]) -> Self {
        Self::start_with(world, node, &node.url, people, |_| String::new())
    }

    /// As [`Self::start`], reaching the node by another URL, and with more in the table `[studio]` of the configuration:
    /// what `more` makes of the studio's own URL.
    pub fn start_with(
        world: &World,
        node: &Node,
        node_url: &str,
        people: &[(&str, &str, &str)],
        more: impl FnOnce(&str) -> String,
    ) -> Self {
        let folder = world.folder().join("issuer");
        let config = folder.join("issuer.toml");
        let address = format!("127.0.0.1:{}", free_port());
        issuer(&config, &["init", "--domain", "university.example", "--node", node_url]);
        let token = node.token(&world.issuer.address, "submit,revoke");
        fs::copy(token, folder.join("node.token")).expect("copied");
        let text = fs::read_to_string(&config).expect("written by init");
        let more = more(&format!("http://{address}"));
        fs::write(&config, format!("{text}\n[studio]\nlisten = {address:?}\n{more}\n")).expect("written");
        for (name, role, password) in people {
            let file = folder.join(format!("{name}.password"));
            fs::write(&file, password).expect("written");
            issuer(&config, &["user", "add", name, "--role", role, "--password-file", file.to_str().expect("UTF-8")]);
        }
        Self::serve(folder, format!("http://{address}"))
    }

    /// Kills it as a crash would (SIGKILL), and starts it again on its folder.
    pub fn crash(mut self) -> Self {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
        Self::serve(std::mem::take(&mut self.folder), std::mem::take(&mut self.url))
    }

    /// Asks it to end (SIGTERM) and waits until it has; panics unless it ended well.
    pub fn stop(mut self) {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill runs");
        assert!(killed.success());
        let status = self.child.wait().expect("ended");
        assert!(status.success(), "{status}: {}", self.log());
    }

    fn serve(folder: PathBuf, url: String) -> Self {
        let log = File::options().create(true).append(true).open(folder.join("studio.log")).expect("writable");
        let child = Command::new(binary("testamur-issuer"))
            .args(["serve", "--config"])
            .arg(folder.join("issuer.toml"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the studio starts");
        let mut studio = Self { child, folder, url };
        until("the studio answers", || {
            let ended = studio.child.try_wait().expect("a child can be asked");
            assert!(ended.is_none(), "the studio ended: {}", studio.log());
            reqwest::blocking::get(format!("{}/studio/api/openapi.json", studio.url))
                .ok()
                .filter(|page| page.status().is_success())
        });
        studio
    }

    /// Its folder: configuration, templates, data.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Everything it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("studio.log")).unwrap_or_default()
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn issuer(config: &Path, arguments: &[&str]) {
    let config = ["--config", config.to_str().expect("UTF-8")];
    run("testamur-issuer", arguments.iter().chain(&config)).expect(0);
}
