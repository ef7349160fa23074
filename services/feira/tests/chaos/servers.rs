//! A Kafka and a Cassandra of this test's own, so that killing them disturbs nobody.
//!
//! They are started by `deploy/local`, on ports above the usual ones and with the jars that are there already, and end
//! with this value.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/local");
/// The ports that the two servers listen on when nothing is added.
const PORTS: [u16; 5] = [19092, 19093, 19042, 17000, 17199];

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    Kafka,
    Cassandra,
}

impl Server {
    fn option(self) -> &'static str {
        match self {
            Self::Kafka => "--kafka",
            Self::Cassandra => "--cassandra",
        }
    }

    fn folder(self) -> &'static str {
        self.option().trim_start_matches('-')
    }
}

/// The servers of one run.
pub struct Servers {
    stack: PathBuf,
    above: u16,
}

impl Servers {
    /// Begins to start both on empty folders in `folder`. What a run that was cut off has left there is ended first.
    pub fn begin(folder: &Path) -> (Self, Child) {
        let stack = folder.join("stack");
        let mut servers = Self { stack, above: 0 };
        servers.run(&["down.sh", "--kill"]);
        servers.above = free_ports();
        let starting = servers.script(&["up.sh", "--fresh"]).spawn().expect("bash is there");
        (servers, starting)
    }

    /// Where Kafka answers.
    pub fn kafka(&self) -> String {
        format!("127.0.0.1:{}", PORTS[0] + self.above)
    }

    /// Where Cassandra answers.
    pub fn cql(&self) -> String {
        format!("127.0.0.1:{}", PORTS[2] + self.above)
    }

    /// Ends one at once, as a crash would.
    pub fn kill(&self, server: Server) {
        self.run(&["down.sh", server.option(), "--kill"]);
    }

    /// Asks one to end, and waits until it has.
    pub fn end(&self, server: Server) {
        self.run(&["down.sh", server.option()]);
    }

    /// Stops one where it is.
    pub fn pause(&self, server: Server) {
        self.signal(server, Signal::STOP);
    }

    /// Lets it go on.
    pub fn wake(&self, server: Server) {
        self.signal(server, Signal::CONT);
    }

    fn signal(&self, server: Server, signal: Signal) {
        let file = self.stack.join(server.folder()).join("pid");
        let text = std::fs::read_to_string(&file).expect("a server that was started has left its number");
        let pid = text.trim().parse().ok().and_then(Pid::from_raw).expect("it is a number");
        kill_process(pid, signal).expect("the server can be signalled");
    }

    /// Begins to start one again, on the data it had.
    pub fn begin_again(&self, server: Server) -> Child {
        self.script(&["up.sh", server.option()]).spawn().expect("bash is there")
    }

    fn run(&self, script: &[&str]) {
        let status = self.script(script).status().expect("bash is there");
        assert!(status.success(), "{script:?} ended with {status}; run deploy/local/up.sh by hand to see why");
    }

    fn script(&self, script: &[&str]) -> Command {
        let set = |name| std::env::var_os(name).map(PathBuf::from);
        let jars =
            set("FEIRA_JARS").or_else(|| set("FEIRA_STACK")).unwrap_or_else(|| Path::new(SCRIPTS).join(".stack"));
        let mut command = Command::new("bash");
        command.arg(Path::new(SCRIPTS).join(script[0])).args(&script[1..]);
        command
            .env("FEIRA_STACK", &self.stack)
            .env("FEIRA_JARS", jars)
            .env("FEIRA_PORTS_ABOVE", self.above.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // A test that fails already says why; this would only hide it.
        let _ = self.script(&["down.sh", "--kill"]).status();
    }
}

/// How far above the usual ports all of them are free.
fn free_ports() -> u16 {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let above = (200..12_000).step_by(100).find(|above| PORTS.iter().all(|port| free(port + above)));
    above.expect("there are five free ports")
}
