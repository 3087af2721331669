//! A mirror in a process of its own: it knows nothing but an endpoint and the registry.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::{World, chain::free_port, cli::binary, until};

/// A running mirror. It is killed when dropped; its folder stays.
pub struct Mirror {
    child: Child,
    folder: PathBuf,
    /// The base URL of its API.
    pub url: String,
}

impl Mirror {
    /// Starts one for any issuer, on a folder that need not exist.
    pub fn start(folder: &Path, world: &World) -> Self {
        Self::through(folder, &world.chain.url, world)
    }

    /// Starts it on another line to the chain.
    pub fn through(folder: &Path, rpc: &str, world: &World) -> Self {
        fs::create_dir_all(folder).expect("a folder");
        let listen = format!("127.0.0.1:{}", free_port());
        let log = File::options().create(true).append(true).open(folder.join("mirror.log")).expect("writable");
        let child = Command::new(binary("testamur-node"))
            .args(["mirror", "--rpc", rpc, "--registry", &world.registry, "--listen", &listen, "--data-dir"])
            .arg(folder.join("data"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the mirror starts");
        let mut mirror = Self { child, folder: folder.to_owned(), url: format!("http://{listen}") };
        until("the mirror answers", || {
            let ended = mirror.child.try_wait().expect("a child can be asked");
            assert!(ended.is_none(), "the mirror ended: {}", mirror.log());
            mirror.get("/healthz").ok().filter(|response| response.status().is_success())
        });
        mirror
    }

    /// `GET` of a path.
    pub fn get(&self, path: &str) -> reqwest::Result<reqwest::blocking::Response> {
        reqwest::blocking::get(format!("{}{path}", self.url))
    }

    /// Everything it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("mirror.log")).unwrap_or_default()
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
