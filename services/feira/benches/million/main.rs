//! A feed of a million products: how fast it goes in, what memory client and server need together meanwhile, and that an
//! import which is broken off in the middle and begun again ends in the same state.
//!
//! `FEIRA_FEED` names a feed (tab-separated, with a header, the id first) whose rows are repeated under new ids; without
//! it they are made up. `FEIRA_BENCH_ROWS` is how many rows there are. More than [`MEMORY_MAX_MIB`] above what the idle
//! server has, or another state at the end, and the benchmark fails.

#[path = "../thread/feed.rs"]
mod feed;
// Two benchmarks share it, and each uses a part.
#[path = "../thread/platform.rs"]
#[allow(dead_code)]
mod platform;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::time::{Duration, Instant};

use feira_ids::Role;
use platform::{Platform, resident_kib};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// The business whose feed it is.
const BUSINESS: &str = "mumbai-bazaar";
/// How many rows the feed has when nothing else is said.
const ROWS: usize = 1_000_000;
/// The most that client and server may need together above what the idle server has.
const MEMORY_MAX_MIB: u64 = 256;
/// What is wanted, rows a second.
const GOAL: f64 = 20_000.0;
/// How long an idle server is left alone before its memory is looked at.
const SETTLE: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let rows = std::env::var("FEIRA_BENCH_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROWS);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
    let feed = folder.path().join("feed.tsv");
    write_feed(&feed, rows);
    println!("a feed of {rows} rows, {} MiB", feed.metadata().expect("it is there").len() >> 20);

    let (whole, whole_done) = at_once(&feed, &folder, rows);
    let (resumed, resumed_done) = broken_off(&feed, &folder, rows, whole.took / 2);
    let mut failed = false;
    let mut check = |holds: bool, what: String| {
        println!("{} {what}", if holds { "ok    " } else { "FAILED" });
        failed |= !holds;
    };
    check(
        whole.peak_mib <= MEMORY_MAX_MIB,
        format!("memory of client and server above the idle server: {} MiB, at most {MEMORY_MAX_MIB}", whole.peak_mib),
    );
    check(
        resumed.peak_mib <= MEMORY_MAX_MIB,
        format!("the same of the import that was begun again: {} MiB", resumed.peak_mib),
    );
    check(whole_done == resumed_done, format!("the same state: {} and {}", whole_done, resumed_done));
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// What an import needed.
struct Needed {
    took: Duration,
    peak_mib: u64,
}

/// The state that an import leaves: what stands on the log of the catalog, by kind, and a hash of the whole list as
/// clients see it.
#[derive(PartialEq)]
struct State {
    events: BTreeMap<String, u64>,
    products: usize,
    hash: String,
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} products of {:?}, {}", self.products, self.events, &self.hash[..12])
    }
}

/// Imports all of it.
fn at_once(feed: &Path, folder: &TempDir, rows: usize) -> (Needed, State) {
    let platform = Platform::start();
    std::thread::sleep(SETTLE);
    let idle_kib = resident_kib(platform.id());
    let begun = Instant::now();
    let mut import = Import::start(&platform, feed, folder.path(), idle_kib);
    let position = import.wait();
    let took = begun.elapsed();
    let seconds = took.as_secs_f64();
    let rate = rows as f64 / seconds;
    let short = if rate < GOAL { format!(", short of {GOAL:.0}") } else { String::new() };
    println!(
        "at once: {seconds:.1} s, {rate:.0} rows/s{short}; server idle {} MiB, at the end {} MiB, client and server above \
         idle at most {} MiB",
        idle_kib >> 10,
        resident_kib(platform.id()) >> 10,
        import.peak_mib(),
    );
    (Needed { took, peak_mib: import.peak_mib() }, state(&platform, &position))
}

/// Kills the client and the server half-way, and begins again.
fn broken_off(feed: &Path, folder: &TempDir, rows: usize, half: Duration) -> (Needed, State) {
    let mut platform = Platform::start();
    std::thread::sleep(SETTLE);
    let idle_kib = resident_kib(platform.id());
    let mut import = Import::start(&platform, feed, folder.path(), idle_kib);
    let begun = Instant::now();
    while begun.elapsed() < half {
        assert!(!import.ended(), "the import ended before it was broken off");
    }
    import.kill();
    platform.kill();
    platform.again();
    let begun = Instant::now();
    let mut import = Import::start(&platform, feed, folder.path(), idle_kib);
    let position = import.wait();
    let took = begun.elapsed();
    let seconds = took.as_secs_f64();
    println!(
        "broken off after {:.1} s and begun again: {seconds:.1} s, {:.0} rows/s",
        half.as_secs_f64(),
        rows as f64 / seconds
    );
    (Needed { took, peak_mib: import.peak_mib() }, state(&platform, &position))
}

/// `feira import products` as a process of its own, watched while it runs.
struct Import {
    process: Child,
    report: PathBuf,
    server: u32,
    idle_kib: u64,
    peak_kib: u64,
}

impl Import {
    fn start(platform: &Platform, feed: &Path, state: &Path, idle_kib: u64) -> Self {
        let report = state.join("report.jsonl");
        let process = Command::new(env!("CARGO_BIN_EXE_feira"))
            .args(["import", "products", "--tenant", BUSINESS, "--output", "json"])
            .arg(feed)
            .args(["--url", &platform.url(), "--data"])
            .arg(platform.folder())
            .env("XDG_STATE_HOME", state)
            .stdout(File::create(&report).expect("a file can be made"))
            .spawn()
            .expect("the binary runs");
        Self { process, report, server: platform.id(), idle_kib, peak_kib: 0 }
    }

    /// Whether it is over; looks at the memory of both.
    fn ended(&mut self) -> bool {
        let both = resident_kib(self.server) + resident_kib(self.process.id());
        self.peak_kib = self.peak_kib.max(both.saturating_sub(self.idle_kib));
        std::thread::sleep(Duration::from_millis(20));
        self.process.try_wait().expect("it is a child of ours").is_some()
    }

    /// Waits for its end. Answers where on the log that is.
    fn wait(&mut self) -> String {
        while !self.ended() {}
        let status = self.process.wait().expect("it is a child of ours");
        // Rows that are refused have a code of their own: a real feed has some.
        assert!(matches!(status.code(), Some(0 | 3)), "the import ended with {status}");
        let report = std::fs::read_to_string(&self.report).expect("it was written");
        let last: serde_json::Value = report.lines().next_back().and_then(|line| line.parse().ok()).expect("JSON");
        last["done"]["position"].as_str().unwrap_or_else(|| panic!("{last}")).to_owned()
    }

    fn kill(&mut self) {
        self.process.kill().expect("it is a child of ours");
        self.process.wait().expect("it is a child of ours");
    }

    fn peak_mib(&self) -> u64 {
        self.peak_kib >> 10
    }
}

/// What clients see at `position`, page by page, and what stands on the log.
fn state(platform: &Platform, position: &str) -> State {
    let token = platform.token("Asha", Role::Admin, Some(BUSINESS), "IN");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (products, hash) = runtime.block_on(async {
        let client = reqwest::Client::new();
        let (mut hash, mut products, mut after) = (Sha256::new(), 0, serde_json::Value::Null);
        loop {
            let query = "query($after: String, $position: Position) { \
                         products(first: 100, after: $after, position: $position) { \
                         edges { node { sku title price { amount currency } } } pageInfo { hasNextPage endCursor } } }";
            let asked = serde_json::json!({ "query": query, "variables": { "after": after, "position": position } });
            let request = client.post(format!("{}/graphql", platform.url())).bearer_auth(&token).json(&asked);
            let answer: serde_json::Value =
                request.send().await.expect("the gateway answers").json().await.expect("an answer is JSON");
            // The rows are written behind the log, and a request waits for them only so long.
            if answer["errors"][0]["extensions"]["code"] == "PROJECTION_LAG" {
                continue;
            }
            let page = &answer["data"]["products"];
            for edge in page["edges"].as_array().unwrap_or_else(|| panic!("{answer}")) {
                hash.update(edge["node"].to_string());
                products += 1;
            }
            if page["pageInfo"]["hasNextPage"] != true {
                return (products, hash.finalize());
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    });
    let hash = const_hex::encode(hash);
    let mut events = platform.logged("catalog");
    events.retain(|name, _| name.starts_with("feira.catalog."));
    State { events, products, hash }
}

/// Writes `rows` rows: those of the feed that is named, again and again under new ids, or made-up ones.
fn write_feed(path: &PathBuf, rows: usize) {
    let mut out = BufWriter::new(File::create(path).expect("a file can be made"));
    let text = match std::env::var_os("FEIRA_FEED") {
        Some(feed) => {
            let lines = BufReader::new(File::open(&feed).unwrap_or_else(|error| panic!("{}: {error}", feed.display())));
            lines.lines().map(|line| line.expect("the feed is text")).collect::<Vec<_>>()
        }
        None => feed::feed(0, 10_000).lines().map(str::to_owned).collect(),
    };
    let (header, lines) = text.split_first().expect("a feed has a header");
    writeln!(out, "{header}").expect("the feed can be written");
    for (number, line) in lines.iter().cycle().take(rows).enumerate() {
        let (id, rest) = line.split_once('\t').expect("the id is the first column");
        writeln!(out, "{id}-{}\t{rest}", number / lines.len()).expect("the feed can be written");
    }
    out.flush().expect("the feed can be written");
}
