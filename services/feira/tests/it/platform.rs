//! Starting, killing and starting again the processes of a home.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use feira_gateway::{DevKey, Issue};
use feira_ids::{Role, TenantId};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use scylla::client::session_builder::SessionBuilder;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, MutexGuard};

use crate::client::Client;
use crate::ports::free_port;

/// How long showing one rule may take.
pub const RULE: Duration = Duration::from_secs(480);
/// How long a process may take until it is ready.
const START: Duration = Duration::from_secs(120);

/// The businesses of these tests.
pub const SHOPS: [&str; 2] = ["feira-livre", "mumbai-bazaar"];

/// The services, each a process of its own when deployed: those that the settings for one machine list.
pub static SERVICES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let settings: toml::Table = include_str!("../../../../deploy/local/feira.toml").parse().unwrap();
    settings["kafka"]["lanes"].as_table().unwrap().keys().cloned().collect()
});

/// One platform at a time: several at once on a small machine would only wait for each other.
static ONE: Mutex<()> = Mutex::const_new(());

/// A running platform.
pub struct Platform {
    /// Where its gateway is.
    pub url: String,
    folder: TempDir,
    home: Home,
    processes: Vec<Process>,
    _one: MutexGuard<'static, ()>,
}

enum Home {
    Embedded,
    Deployed { config: PathBuf, servers: Servers },
}

/// What a platform has on the servers.
struct Servers {
    kafka: String,
    cql: String,
    name: String,
}

impl Servers {
    /// Takes topics and keyspaces away: hundreds that nobody needs would make the servers slow.
    async fn clear(&self) {
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", &self.kafka).create().unwrap();
        let topics = SERVICES.iter().map(|service| format!("{}.{service}.events.v1", self.name));
        let topics: Vec<_> = topics.chain([format!("{}.lanes.v1", self.name)]).collect();
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        admin.delete_topics(&names, &AdminOptions::new()).await.unwrap();
        let session = SessionBuilder::new().known_node(&self.cql).build().await.unwrap();
        for keyspace in [self.name.clone(), format!("{}_keys", self.name)] {
            session.query_unpaged(format!("DROP KEYSPACE IF EXISTS {keyspace}"), ()).await.unwrap();
        }
    }
}

struct Process {
    name: &'static str,
    child: Child,
}

/// How a command ended.
pub struct Outcome {
    pub code: i32,
    pub output: String,
    pub errors: String,
}

/// One process on a folder of its own.
pub async fn embedded() -> Platform {
    let one = ONE.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://127.0.0.1:{}", free_port());
    let mut platform = Platform { url, folder, home: Home::Embedded, processes: vec![], _one: one };
    platform.up().await;
    platform
}

/// A process for each service, on the servers that `deploy/local/up.sh` starts, with names of its own on them.
pub async fn deployed() -> Platform {
    let one = ONE.lock().await;
    let server = |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    let (kafka, cql) = (server("FEIRA_TEST_KAFKA", "127.0.0.1:19092"), server("FEIRA_TEST_CQL", "127.0.0.1:19042"));
    for address in [&kafka, &cql] {
        let reached = tokio::net::TcpStream::connect(address.as_str()).await;
        assert!(reached.is_ok(), "no server at {address}: run deploy/local/up.sh");
    }
    let unique = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    let folder = tempfile::tempdir().unwrap();
    let gateway = free_port();
    let listens: String =
        SERVICES.iter().map(|service| format!("[{service}]\nlisten = \"127.0.0.1:{}\"\n", free_port())).collect();
    let lanes: String = SERVICES.iter().map(|service| format!("{service} = 4\n")).collect();
    let config = folder.path().join("feira.toml");
    let keys = folder.path().display();
    let text = format!(
        r#"
        [kafka]
        brokers = "{kafka}"
        prefix = "it{unique}."
        [kafka.lanes]
        {lanes}
        [cql]
        nodes = ["{cql}"]
        keyspace = "it{unique}"
        [auth]
        development_folder = "{keys}"
        {listens}
        [gateway]
        listen = "127.0.0.1:{gateway}"
        "#
    );
    std::fs::write(&config, text).unwrap();
    let url = format!("http://127.0.0.1:{gateway}");
    let servers = Servers { kafka, cql, name: format!("it{unique}") };
    let mut platform = Platform { url, folder, home: Home::Deployed { config, servers }, processes: vec![], _one: one };
    platform.up().await;
    platform
}

impl Platform {
    /// Starts what is not running and waits until all of it is ready.
    pub async fn up(&mut self) {
        self.start();
        self.ready().await;
    }

    /// Starts what is not running.
    pub fn start(&mut self) {
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        for name in self.parts() {
            if self.processes.iter().any(|process| process.name == name) {
                continue;
            }
            let process = match &self.home {
                Home::Embedded => {
                    let listen = self.url.trim_start_matches("http://").to_owned();
                    spawn(name, &["run", "--data", &path(self.folder.path()), "--listen", &listen])
                }
                Home::Deployed { config, .. } => {
                    let folder = path(&self.folder.path().join(name));
                    spawn(name, &["serve", name, "--config", &path(config), "--folder", &folder])
                }
            };
            self.processes.push(process);
        }
    }

    /// The names of its processes.
    pub fn parts(&self) -> Vec<&'static str> {
        match &self.home {
            Home::Embedded => vec!["platform"],
            Home::Deployed { .. } => SERVICES.iter().map(String::as_str).chain(["gateway"]).collect(),
        }
    }

    /// Waits until every service decides and every projection has caught up: until a read of each is answered.
    async fn ready(&mut self) {
        let until = Instant::now() + START;
        loop {
            for process in &mut self.processes {
                let ended = process.child.try_wait().unwrap();
                assert!(ended.is_none(), "{} ended by itself: {ended:?}", process.name);
            }
            if self.health().await {
                return;
            }
            assert!(Instant::now() < until, "the platform was not ready in time");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn health(&self) -> bool {
        let mut urls = vec![self.url.clone()];
        if let Home::Deployed { config, .. } = &self.home {
            let text = std::fs::read_to_string(config).unwrap();
            let listens = text.lines().filter_map(|line| line.trim().strip_prefix("listen = "));
            urls.extend(listens.map(|listen| format!("http://{}", listen.trim_matches('"'))));
        }
        for url in urls {
            let answer = reqwest::get(format!("{url}/health/ready")).await;
            if !answer.is_ok_and(|answer| answer.status().is_success()) {
                return false;
            }
        }
        true
    }

    /// Asks every process to end, and waits for it.
    pub async fn down(&mut self) {
        for process in &self.processes {
            signal(&process.child, "TERM").await;
        }
        for mut process in self.processes.drain(..) {
            let ended = tokio::time::timeout(Duration::from_secs(40), process.child.wait()).await;
            let status = ended.unwrap_or_else(|_| panic!("{} did not end when asked", process.name)).unwrap();
            assert!(status.success(), "{} ended with {status}", process.name);
        }
    }

    /// Ends every process at once, as a power cut would.
    pub async fn kill(&mut self) {
        for mut process in self.processes.drain(..) {
            process.child.kill().await.unwrap();
        }
    }

    /// Ends the process that serves `name` at once; answers which that is.
    pub async fn kill_for(&mut self, name: &str) -> &'static str {
        let place = self.processes.iter().position(|process| process.name == name || process.name == "platform");
        let mut process = self.processes.swap_remove(place.expect("it runs"));
        process.child.kill().await.unwrap();
        process.name
    }

    /// Ends the platform at the end of a rule, and takes along what it made on the servers.
    pub async fn stop(mut self) {
        self.down().await;
        if let Home::Deployed { servers, .. } = &self.home {
            servers.clear().await;
        }
    }

    /// Runs the binary with the platform's folder and address.
    pub async fn feira(&self, args: &[&str]) -> Outcome {
        ended(self.command(args).output().await.unwrap())
    }

    /// The binary with the platform's folder and address, to be run.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = binary(args);
        command
            .env("FEIRA_DATA", self.folder.path())
            .env("FEIRA_URL", &self.url)
            .env("XDG_STATE_HOME", self.folder.path().join("state"));
        command
    }

    /// A client with a token of `role`.
    async fn client(&self, args: &[&str]) -> Client {
        let outcome = self.feira(&[&["token"], args].concat()).await;
        assert_eq!(outcome.code, 0, "{}", outcome.errors);
        Client::new(&self.url, outcome.output.trim())
    }

    /// A token that is signed here: a thousand of them are there at once.
    pub fn sign(&self, name: &str, role: Role, shop: Option<&str>) -> String {
        let key = DevKey::load_or_create(self.folder.path()).unwrap();
        let tenant = shop.map(|shop| TenantId::new(shop).unwrap());
        let valid_for = Duration::from_secs(3_600);
        let issue = Issue { sub: name, tenant: tenant.as_ref(), roles: &[role], country: Some("BR"), valid_for };
        key.issue(&issue).unwrap()
    }

    /// Someone who sets up the business `shop`.
    pub fn admin(&self, shop: &str) -> Asking<'_> {
        Asking { platform: self, args: vec!["--role".into(), "admin".into(), "--tenant".into(), shop.into()] }
    }

    /// Someone who answers customers for the business `shop`.
    pub fn agent(&self, shop: &str) -> Asking<'_> {
        Asking { platform: self, args: vec!["--role".into(), "agent".into(), "--tenant".into(), shop.into()] }
    }

    /// Someone who shops.
    pub fn consumer(&self, name: &str) -> Asking<'_> {
        Asking { platform: self, args: vec!["--role".into(), "consumer".into(), "--subject".into(), name.into()] }
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How the binary is told which log is meant.
    pub fn log_args(&self) -> Vec<String> {
        match &self.home {
            Home::Embedded => vec![],
            Home::Deployed { config, .. } => vec!["--config".to_owned(), config.to_str().unwrap().to_owned()],
        }
    }

    /// Runs the binary and tells it which log is meant.
    pub async fn feira_on_log(&self, args: &[&str]) -> Outcome {
        ended(self.command_on_log(args).output().await.unwrap())
    }

    /// The binary, told which log is meant, to be run.
    pub fn command_on_log(&self, args: &[&str]) -> Command {
        let mut command = self.command(args);
        command.args(self.log_args());
        command
    }

    /// All records of the log as JSON, by the name of their lane.
    pub async fn export(&self) -> BTreeMap<String, Vec<Value>> {
        let folder = self.folder.path().join("export");
        let outcome = self.feira_on_log(&["log", "export", folder.to_str().unwrap()]).await;
        assert_eq!(outcome.code, 0, "{}", outcome.errors);
        let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        let lanes = files.filter(|file| file.extension().is_some_and(|ending| ending == "ndjson"));
        let records = |path: &Path| -> Vec<Value> {
            let text = std::fs::read_to_string(path).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        lanes.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), records(&path))).collect()
    }

    /// Where the topics are and what their names begin with, when deployed.
    pub fn topics(&self) -> Option<(&str, String)> {
        match &self.home {
            Home::Embedded => None,
            Home::Deployed { servers, .. } => Some((&servers.kafka, format!("{}.", servers.name))),
        }
    }

    /// How many records the log has, by service, type and lane.
    pub async fn counts(&self) -> Value {
        let outcome = self.feira_on_log(&["log", "show", "--count", "--output", "json"]).await;
        assert_eq!(outcome.code, 0, "{}", outcome.errors);
        serde_json::from_str(&outcome.output).unwrap()
    }

    /// How many events of a type the service has.
    pub async fn count(&self, service: &str, event: &str) -> u64 {
        let counts = self.counts().await;
        counts[service]["by_type"][format!("feira.{service}.v1.{event}")].as_u64().unwrap_or(0)
    }

    /// Turns one byte of the first record over; answers the name of the file.
    pub fn damage_the_log(&self) -> String {
        let files = std::fs::read_dir(self.folder.path().join("log")).unwrap().map(|file| file.unwrap().path());
        let segments = files.filter(|path| path.metadata().unwrap().len() > 100_000);
        let segment = segments.min().expect("a log has a segment");
        let mut bytes = std::fs::read(&segment).unwrap();
        let place = bytes.windows(11).position(|window| window == b"feira-livre").expect("a record names its tenant");
        bytes[place] ^= 1;
        std::fs::write(&segment, bytes).unwrap();
        segment.file_name().unwrap().to_str().unwrap().to_owned()
    }
}

/// Someone on the way to a token.
pub struct Asking<'p> {
    platform: &'p Platform,
    args: Vec<String>,
}

impl Asking<'_> {
    /// With a token.
    pub async fn client(self) -> Client {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        self.platform.client(&args).await
    }

    /// Lists a product with a token of its own.
    pub async fn put(self, sku: &str, price: &str, currency: &str) -> Value {
        self.client().await.put(sku, price, currency).await
    }
}

impl Drop for Platform {
    /// A rule that failed leaves no process behind.
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _already_ended = process.child.start_kill();
        }
    }
}

/// Runs the binary.
pub async fn feira(args: &[&str]) -> Outcome {
    ended(binary(args).output().await.unwrap())
}

fn ended(output: std::process::Output) -> Outcome {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome { code: output.status.code().unwrap_or(-1), output: text(output.stdout), errors: text(output.stderr) }
}

fn binary(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_feira"));
    command.args(args).env("FEIRA_LOG", "warn").stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Starts a process; what it says is shown with the test's own output when the test fails.
fn spawn(name: &'static str, args: &[&str]) -> Process {
    let mut child = binary(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (output, errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    tokio::spawn(async move {
        let mut lines = BufReader::new(errors).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            println!("{name}: {line}");
        }
    });
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if line.starts_with("GraphQL") {
                println!("{name}: {line}");
            }
        }
    });
    Process { name, child }
}

async fn signal(child: &Child, signal: &str) {
    if let Some(id) = child.id() {
        let sent = Command::new("kill").args([&format!("-{signal}"), &id.to_string()]).status().await.unwrap();
        assert!(sent.success());
    }
}

/// Numbers that are told by their seed.
pub struct Dice(u64);

impl Dice {
    /// Of a seed that is another each time, and is said.
    pub fn thrown() -> Self {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
        println!("seed {seed}");
        Self(seed)
    }

    /// Another row of them, that goes on by itself.
    pub fn split(&mut self) -> Self {
        Self(self.next() | 1)
    }

    /// The next one below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
