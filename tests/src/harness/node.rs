//! A node in a process of its own, on a folder that outlives it.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::{Account, chain::free_port, cli::binary, run, until};

/// What a story may want to have otherwise.
pub struct NodeOptions<'a> {
    /// The JSON-RPC endpoint that it uses.
    pub rpc: &'a str,
    /// The chain's EIP-155 id.
    pub chain_id: u64,
    /// Whose digests it takes.
    pub issuers: Vec<String>,
    /// The account that anchors.
    pub operator: &'a Account,
    /// Seconds after which an open batch is sealed, and changes of status are sent.
    pub max_age_seconds: f64,
}

/// A running node. It is killed when dropped; its folder stays until then.
pub struct Node {
    child: Child,
    folder: PathBuf,
    /// The base URL of its API.
    pub url: String,
}

impl Node {
    /// Writes the configuration into a folder and starts a node on it.
    pub fn start(folder: &Path, options: &NodeOptions) -> Self {
        let url = format!("http://127.0.0.1:{}", free_port());
        let config = format!(
            "data_dir = {data:?}\nlisten = {listen:?}\nissuers = {issuers:?}\n\n\
             [chain]\nrpc = {rpc:?}\npublic_rpc = [{rpc:?}]\nid = {chain}\npoll_seconds = 0.1\n\n\
             [operator]\nkey_file = {key:?}\n\n[seal]\nmax_age_seconds = {age}\n\n\
             [status]\nmax_age_seconds = {age}\n",
            data = folder.join("data"),
            listen = url.trim_start_matches("http://"),
            issuers = options.issuers,
            rpc = options.rpc,
            chain = options.chain_id,
            key = options.operator.key_file,
            age = options.max_age_seconds,
        );
        fs::write(folder.join("node.toml"), config).expect("written");
        Self::restart(folder, &url)
    }

    /// Starts a node on a folder that has been used before.
    pub fn restart(folder: &Path, url: &str) -> Self {
        let log = File::options().create(true).append(true).open(folder.join("node.log")).expect("writable");
        let child = Command::new(binary("testamur-node"))
            .args(["serve", "--config"])
            .arg(folder.join("node.toml"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the node starts");
        let mut node = Self { child, folder: folder.to_owned(), url: url.to_owned() };
        until("the node answers", || {
            let ended = node.child.try_wait().expect("a child can be asked");
            assert!(ended.is_none(), "the node ended: {}", node.log());
            node.get("/healthz").ok().filter(|response| response.status().is_success())
        });
        node
    }

    /// Makes a token with these scopes and returns the file that holds it.
    pub fn token(&self, issuer: &str, scopes: &str) -> PathBuf {
        let file = self.folder.join(format!("{issuer}.{scopes}.token"));
        let config = self.folder.join("node.toml");
        let arguments = ["token", "create", "--issuer", issuer, "--scope", scopes, "--config"];
        let paths = [config.as_os_str(), "--out".as_ref(), file.as_os_str()];
        run("testamur-node", arguments.iter().map(AsRef::as_ref).chain(paths)).expect(0);
        file
    }

    /// `GET` of a path.
    pub fn get(&self, path: &str) -> reqwest::Result<reqwest::blocking::Response> {
        reqwest::blocking::get(format!("{}{path}", self.url))
    }

    /// Everything it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("node.log")).unwrap_or_default()
    }

    /// Kills it as a crash would (SIGKILL) and returns its URL, for [`Self::restart`].
    pub fn kill(mut self) -> String {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
        std::mem::take(&mut self.url)
    }

    /// Asks it to end (SIGTERM) and waits until it has; panics unless it ended well.
    pub fn stop(mut self) -> String {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill runs");
        assert!(killed.success());
        let status = self.child.wait().expect("ended");
        assert!(status.success(), "{status}: {}", self.log());
        std::mem::take(&mut self.url)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
