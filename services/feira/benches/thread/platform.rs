//! `feira run` as a process of its own, on a folder that goes when the benchmark ends.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use feira_bench::{ROUNDS, Round};
use feira_gateway::{DevKey, Issue};
use feira_ids::{Role, TenantId};
use tempfile::TempDir;

/// How long a process is left alone before its memory is looked at.
const REST: Duration = Duration::from_secs(2);
/// How long the tokens are good.
const TOKENS_VALID: Duration = Duration::from_secs(24 * 60 * 60);

/// A running platform.
pub struct Platform {
    /// Where it answers.
    pub address: SocketAddr,
    process: Process,
    folder: TempDir,
}

impl Platform {
    /// Starts it on an empty folder, and waits until it is ready.
    pub fn start() -> Self {
        // Beside the project's own build, so that it is measured on a disk and not in memory.
        Self::on(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made"))
    }

    fn on(folder: TempDir) -> Self {
        let (process, address) = Self::run(&folder);
        Self { address, process, folder }
    }

    fn run(folder: &TempDir) -> (Process, SocketAddr) {
        let child = Command::new(env!("CARGO_BIN_EXE_feira"))
            .args(["run", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path())
            .env("FEIRA_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the platform starts");
        let mut process = Process(child);
        let lines = BufReader::new(process.0.stdout.take().expect("its output is piped")).lines();
        let ready = lines.map_while(Result::ok).find_map(|line| {
            line.strip_prefix("GraphQL http://").and_then(|rest| rest.strip_suffix("/graphql")).map(str::to_owned)
        });
        let address = ready.expect("it says where it answers").parse().expect("an address");
        (process, address)
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.process.0.kill().expect("it is a child of ours");
        self.process.0.wait().expect("it is a child of ours");
    }

    /// Starts it again on its folder.
    pub fn again(&mut self) {
        (self.process, self.address) = Self::run(&self.folder);
    }

    /// Its data.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.0.id()
    }

    /// Ends it as an operator would, and starts it again on the same folder.
    pub fn restart(self) -> Self {
        let Self { mut process, folder, .. } = self;
        let id = process.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("it is told to end").success());
        assert!(process.0.wait().expect("it ends").success(), "the platform did not end well");
        Self::on(folder)
    }

    /// The URL of its gateway.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A token for `name` as `role`, of a business or of none.
    pub fn token(&self, name: &str, role: Role, business: Option<&str>, country: &str) -> String {
        let key = DevKey::load_or_create(self.folder.path()).expect("the platform has a key");
        let tenant = business.map(|business| TenantId::new(business).expect("a business"));
        let roles = [role];
        let issue = Issue {
            sub: name,
            tenant: tenant.as_ref(),
            roles: &roles,
            country: Some(country),
            valid_for: TOKENS_VALID,
        };
        key.issue(&issue).expect("a token can be signed")
    }

    /// What a command of the binary says about this platform.
    pub fn feira(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_feira"));
        command.args(arguments).env("FEIRA_DATA", self.folder.path()).env("FEIRA_URL", self.url());
        let output = command.env("FEIRA_LOG", "warn").output().expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("it says text")
    }

    /// How many events of each type there are on a service's log.
    pub fn logged(&self, service: &str) -> BTreeMap<String, u64> {
        let text = self.feira(&["--output", "json", "log", "show", "--count", "--service", service]);
        let counts: serde_json::Value = serde_json::from_str(&text).expect("counts are JSON");
        serde_json::from_value(counts[service]["by_type"].clone()).expect("numbers by type")
    }

    /// The memory that it holds once it rests, looked at a few times.
    pub fn resident(&self) -> Vec<Round> {
        std::thread::sleep(REST);
        (0..ROUNDS)
            .map(|_| {
                std::thread::sleep(REST / 10);
                Round::of(self.resident_mib(), Duration::from_secs(1))
            })
            .collect()
    }

    fn resident_mib(&self) -> u64 {
        resident_kib(self.id()).div_ceil(1_024)
    }
}

/// The memory that a process holds, in KiB; none once it is gone.
pub fn resident_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0)
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
