//! `feira run` as a process of its own, on a folder that goes when the benchmark ends.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A running platform.
pub struct Platform {
    /// Where it answers.
    pub address: SocketAddr,
    process: Child,
    folder: TempDir,
}

impl Platform {
    /// Starts it, and waits until it is ready.
    pub fn start() -> Self {
        // Beside the project's own build, so that it is measured on a disk and not in memory.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
        let (process, address) = Self::run(&folder);
        Self { address, process, folder }
    }

    fn run(folder: &TempDir) -> (Child, SocketAddr) {
        let mut process = Command::new(env!("CARGO_BIN_EXE_feira"))
            .args(["run", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path())
            .env("FEIRA_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the platform starts");
        let lines = BufReader::new(process.stdout.take().expect("its output is piped")).lines();
        let ready = lines.map_while(Result::ok).find_map(|line| {
            line.strip_prefix("GraphQL http://").and_then(|rest| rest.strip_suffix("/graphql")).map(str::to_owned)
        });
        let address = ready.expect("it says where it answers").parse().expect("an address");
        (process, address)
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.process.kill().expect("it is a child of ours");
        self.process.wait().expect("it is a child of ours");
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
        self.process.id()
    }

    /// A token for `role`.
    pub fn token(&self, role: &str, tenant: Option<&str>) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_feira"));
        command.args(["token", "--role", role, "--data"]).arg(self.folder.path());
        if let Some(tenant) = tenant {
            command.args(["--tenant", tenant]);
        }
        let output = command.output().expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("a token is text").trim().to_owned()
    }

    /// The memory that it holds, in KiB.
    pub fn resident_kib(&self) -> u64 {
        resident_kib(self.process.id())
    }

    /// How many events of each type whose name begins with `prefix` a service has on its log.
    pub fn events(&self, service: &str, prefix: &str) -> BTreeMap<String, u64> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_feira"));
        command.args(["log", "show", "--count", "--output", "json", "--service", service]);
        command.args(["--url", &format!("http://{}", self.address), "--data"]).arg(self.folder.path());
        let output = command.output().expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let counts: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the counts are JSON");
        let types = counts[service]["by_type"].as_object().unwrap_or_else(|| panic!("{counts}"));
        let of = |(name, count): (&String, &serde_json::Value)| Some((name.clone(), count.as_u64()?));
        types.iter().filter_map(of).filter(|(name, _)| name.starts_with(prefix)).collect()
    }
}

/// The memory that a process holds, in KiB; none once it is gone.
pub fn resident_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0)
}

impl Drop for Platform {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The SKU of product `number` of the feed.
pub fn sku(number: usize) -> String {
    format!("BENCH-{number:06}")
}

/// A feed of `rows` products as long as real ones.
pub fn feed(rows: usize) -> String {
    let mut feed =
        String::from("id\ttitle\tdescription\tavailability\tcondition\tprice\tsale_price\tlink\timage_link\tbrand\n");
    for number in 0..rows {
        let (sku, price) = (sku(number), 99 + number % 5_000);
        feed.push_str(&format!(
            "{sku}\tHandwoven cotton kurta, size {}, colour {}\tA kurta for every day, washed once before it was sewn.\t\
             in stock\tnew\t{price}.00 INR\t{}.50 INR\thttps://shop.example/p/{sku}\thttps://shop.example/i/{sku}.jpg\t\
             Bazaar\n",
            number % 7,
            number % 31,
            price - 10
        ));
    }
    feed
}
