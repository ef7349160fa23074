//! `feira run` as a process of its own, on a folder that goes when the benchmark ends.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
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
        Self { address, process, folder }
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

    /// The memory that it holds, in MiB.
    pub fn resident_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let kib =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or(0) / 1_024
    }
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
