//! A mail server of other people's (`tests/js/smtp.mjs`), which can refuse, put off, break off and hold.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use serde_json::Value;

/// How long an event is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running mail server. It ends when dropped.
pub struct MailServer {
    child: Child,
    input: ChildStdin,
    events: Receiver<Value>,
    /// Where it listens.
    pub port: u16,
}

/// `tests/js`, where other people's packages have been installed; `None`, loudly, where not.
pub fn javascript(test: &str, package: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("js");
    if folder.join("node_modules").join(package).is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED {test}: {package} is not installed (run scripts/setup-js)");
    None
}

impl MailServer {
    /// Starts it; what it is to do stands in `smtp.mjs`. `None`, loudly, where it is not installed.
    pub fn start(test: &str, wishes: &Value) -> Option<Self> {
        let folder = javascript(test, "smtp-server")?;
        let mut child = Command::new("node")
            .args(["smtp.mjs", &wishes.to_string()])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node.js, with which its packages were installed");
        let (input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let (sender, events) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                if sender.send(event).is_err() {
                    break;
                }
            }
        });
        let mut server = Self { child, input, events, port: 0 };
        server.port = server.event("port").as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
        Some(server)
    }

    /// What the next event says, which must be of this kind.
    #[track_caller]
    pub fn event(&self, kind: &str) -> Value {
        let event = self.events.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("no {kind}: {error}"));
        event.get(kind).unwrap_or_else(|| panic!("{event} and no {kind}")).clone()
    }

    /// So many mails, as they come.
    #[track_caller]
    pub fn mails(&self, count: usize) -> Vec<Value> {
        (0..count).map(|_| self.event("mail")).collect()
    }

    /// Lets the mail go that is held.
    pub fn let_go(&mut self) {
        writeln!(self.input, "go").expect("it listens");
    }

    /// Ends it, and returns the events that nobody has looked at.
    pub fn end(mut self) -> Vec<Value> {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.events.iter().collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
