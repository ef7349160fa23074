//! How many tests ran for what: read from what `cargo test` prints, so that a home that ran none cannot hide.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// What a test is about. Each must have run some tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The log in memory that does what real ones do wrong.
    LogSimulated,
    /// Our own segmented log.
    LogEmbedded,
    /// The log on Kafka.
    LogKafka,
    /// The store in one process.
    StoreEmbedded,
    /// The store on a CQL server.
    StoreCql,
    /// The whole platform on a made-up clock, with everything going wrong.
    Simulation,
    /// The whole platform in one process.
    HomeEmbedded,
    /// The platform as processes on Kafka and CQL.
    HomeDeployed,
    /// Everything else that cargo runs.
    Rest,
    /// A reader of the topics that knows only the published schemas.
    TopicReader,
    /// The audits of GraphQL over HTTP.
    HttpAudits,
    /// A service made by `cargo xtask new-service`.
    NewService,
}

impl Group {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 12] = [
        Self::LogSimulated,
        Self::LogEmbedded,
        Self::LogKafka,
        Self::StoreEmbedded,
        Self::StoreCql,
        Self::Simulation,
        Self::HomeEmbedded,
        Self::HomeDeployed,
        Self::Rest,
        Self::TopicReader,
        Self::HttpAudits,
        Self::NewService,
    ];

    /// What the test `name` in `program` of `package` is about.
    pub fn of(package: &str, program: &str, name: &str) -> Self {
        match package {
            "feira-event-log" => Self::LogSimulated,
            "feira-event-log-embedded" => Self::LogEmbedded,
            "feira-event-log-kafka" => Self::LogKafka,
            "feira-projection-store-embedded" => Self::StoreEmbedded,
            "feira-projection-store-cql" => Self::StoreCql,
            "feira-simulation" => Self::Simulation,
            "feira" if name.starts_with("embedded::") => Self::HomeEmbedded,
            "feira" if name.starts_with("deployed::") || program.starts_with("chaos-") => Self::HomeDeployed,
            _ => Self::Rest,
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::LogSimulated => "log: simulated",
            Self::LogEmbedded => "log: embedded",
            Self::LogKafka => "log: Kafka",
            Self::StoreEmbedded => "store: embedded",
            Self::StoreCql => "store: CQL",
            Self::Simulation => "home: simulated",
            Self::HomeEmbedded => "home: embedded",
            Self::HomeDeployed => "home: Kafka + CQL",
            Self::Rest => "all others",
            Self::TopicReader => "topics read from Python",
            Self::HttpAudits => "GraphQL over HTTP audits",
            Self::NewService => "a new service",
        })
    }
}

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// As they should.
    pub passed: u64,
    /// Otherwise.
    pub failed: u64,
}

/// The counts of all groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<Group, Count>);

impl Tally {
    /// Adds to a group.
    pub fn add(&mut self, group: Group, passed: u64, failed: u64) {
        let count = self.0.entry(group).or_default();
        count.passed += passed;
        count.failed += failed;
    }

    /// The count of a group.
    pub fn of(&self, group: Group) -> Count {
        self.0.get(&group).copied().unwrap_or_default()
    }

    /// All together.
    pub fn total(&self) -> Count {
        self.0.values().fold(Count::default(), |sum, count| Count {
            passed: sum.passed + count.passed,
            failed: sum.failed + count.failed,
        })
    }

    /// The groups in which no test passed.
    pub fn empty(&self) -> Vec<Group> {
        Group::ALL.into_iter().filter(|group| self.of(*group).passed == 0).collect()
    }

    /// Adds what `cargo test` printed; `packages` says whose each test program is.
    pub fn read(&mut self, output: &str, packages: &Programs) {
        // Documentation tests name no program; they are no home's suite.
        let (mut package, mut program) = ("", "");
        let mut named = Count::default();
        for line in output.lines() {
            let line = line.trim();
            if line.starts_with("Doc-tests ") {
                (package, program) = ("", "");
            } else if let Some(running) = line.strip_prefix("Running ").and_then(program_of) {
                (package, program) = (packages.package(running), running);
            } else if let Some((name, passed)) = test_of(line) {
                let (passed, failed) = if passed { (1, 0) } else { (0, 1) };
                named.passed += passed;
                named.failed += failed;
                self.add(Group::of(package, program, name), passed, failed);
            } else if let Some(summary) = summary_of(line) {
                // A test that writes past the harness can tear its line apart: the summary has the last word.
                let group = Group::of(package, program, "");
                self.add(
                    group,
                    summary.passed.saturating_sub(named.passed),
                    summary.failed.saturating_sub(named.failed),
                );
                named = Count::default();
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<26} {:>7} {:>7}", "tests of", "passed", "failed")?;
        for group in Group::ALL {
            let count = self.of(group);
            writeln!(f, "{group:<26} {:>7} {:>7}", count.passed, count.failed)?;
        }
        Ok(())
    }
}

/// How many of a script's checks passed and failed, from its line `audits: 61 ok of 61`; without one, one failed.
pub fn figures(printed: &str, what: &str) -> Count {
    let line = printed.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(": "));
    let read = line
        .and_then(|line| line.split_once(" ok of "))
        .and_then(|(ok, all)| Some((ok.parse().ok()?, all.parse().ok()?)));
    let (passed, all): (u64, u64) = read.unwrap_or((0, 1));
    Count { passed, failed: all.saturating_sub(passed) }
}

/// The file name in `unittests src/lib.rs (target/debug/deps/feira_ids-0123)`.
fn program_of(running: &str) -> Option<&str> {
    let path = running.rsplit_once('(')?.1.trim_end_matches(')');
    path.rsplit('/').next()
}

/// The name and result in `test shelf::tests::holds ... ok`.
fn test_of(line: &str) -> Option<(&str, bool)> {
    let (name, result) = line.strip_prefix("test ")?.split_once(" ... ")?;
    match result {
        "ok" => Some((name.trim_end(), true)),
        "FAILED" => Some((name.trim_end(), false)),
        _ => None,
    }
}

/// The figures in `test result: ok. 3 passed; 1 failed; 0 ignored; …`.
fn summary_of(line: &str) -> Option<Count> {
    let figures = line.strip_prefix("test result: ")?;
    let figure = |what: &str| {
        let before = figures.split(';').find_map(|part| part.trim().strip_suffix(what))?;
        before.rsplit(' ').next()?.parse().ok()
    };
    Some(Count { passed: figure(" passed")?, failed: figure(" failed")? })
}

/// Which test program belongs to which package, as cargo says when it builds them.
#[derive(Clone, Debug, Default)]
pub struct Programs(BTreeMap<String, String>);

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    package_id: String,
    executable: Option<String>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

impl Programs {
    /// Reads the messages of `cargo test --no-run --message-format=json`; other lines are passed over.
    pub fn read(messages: &str) -> Self {
        let mut programs = BTreeMap::new();
        for line in messages.lines().filter(|line| line.starts_with('{')) {
            let Ok(message) = serde_json::from_str::<Message>(line) else { continue };
            let Some(program) = message.executable.as_deref().and_then(|path| path.rsplit('/').next()) else {
                continue;
            };
            if message.profile.is_some_and(|profile| profile.test) {
                programs.insert(program.to_owned(), package_name(&message.package_id).to_owned());
            }
        }
        Self(programs)
    }

    fn package(&self, program: &str) -> &str {
        self.0.get(program).map_or("", String::as_str)
    }
}

/// The name in `path+file:///…/crates/ids#feira-ids@0.1.0`, or the folder's where both are the same.
fn package_name(id: &str) -> &str {
    let (path, version) = id.rsplit_once('#').unwrap_or((id, ""));
    version.split_once('@').map_or_else(|| path.rsplit('/').next().unwrap_or(path), |(name, _)| name)
}

/// The parts of `cargo test`'s output that tell of failures, whole.
pub fn failures(output: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    let mut last_program = "";
    for line in output.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("Running ") || trimmed.starts_with("Doc-tests ") {
            last_program = line;
        }
        if trimmed == "failures:" && !inside {
            inside = true;
            kept.push_str(&format!("{last_program}\n"));
        }
        if inside || trimmed.starts_with("error") {
            kept.push_str(line);
            kept.push('\n');
        }
        if trimmed.starts_with("test result:") {
            inside = false;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUILT: &str = r#"
   Compiling feira-ids v0.1.0
{"reason":"compiler-artifact","package_id":"path+file:///x/crates/event-log#feira-event-log@0.1.0","profile":{"test":true},"executable":"/x/deps/feira_event_log-01"}
{"reason":"compiler-artifact","package_id":"path+file:///x/services/feira#0.1.0","profile":{"test":true},"executable":"/x/deps/it-02"}
{"reason":"compiler-artifact","package_id":"path+file:///x/services/feira#0.1.0","profile":{"test":false},"executable":"/x/feira"}
{"reason":"build-finished","success":true}
"#;

    const RAN: &str = "
     Running unittests src/lib.rs (target/debug/deps/feira_event_log-01)

running 3 tests
test simulated::a_batch_is_whole ... ok
test suite::a_fence_holds ... FAILED
test torn ... %3|17|noise ok

failures:

---- suite::a_fence_holds stdout ----
expected Fenced

failures:
    suite::a_fence_holds

test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.07s

     Running tests/it/main.rs (/x/target/debug/deps/it-02)
test embedded::the_thread ... ok
test deployed::the_thread ... ok
test flags::help ... ok
test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.07s
   Doc-tests feira_ids
test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    fn tally() -> Tally {
        let mut tally = Tally::default();
        tally.read(RAN, &Programs::read(BUILT));
        tally
    }

    #[test]
    fn each_test_counts_for_what_it_is_about() {
        let tally = tally();
        assert_eq!(tally.of(Group::LogSimulated), Count { passed: 2, failed: 1 });
        assert_eq!(tally.of(Group::HomeEmbedded), Count { passed: 1, failed: 0 });
        assert_eq!(tally.of(Group::HomeDeployed), Count { passed: 1, failed: 0 });
        assert_eq!(tally.of(Group::Rest), Count { passed: 1, failed: 0 });
        assert_eq!(tally.total(), Count { passed: 5, failed: 1 });
    }

    #[test]
    fn a_group_that_ran_nothing_is_named() {
        let empty = tally().empty();
        assert!(empty.contains(&Group::LogKafka) && empty.contains(&Group::StoreCql));
        assert!(!empty.contains(&Group::LogSimulated));
        assert_eq!(Tally::default().empty(), Group::ALL);
    }

    #[test]
    fn a_script_says_how_many_of_its_checks_passed() {
        assert_eq!(figures("warn 1: x\naudits: 60 ok of 61\n", "audits"), Count { passed: 60, failed: 1 });
        assert_eq!(figures("topics: 7 ok of 7", "topics"), Count { passed: 7, failed: 0 });
        assert_eq!(figures("topics: 7 ok of 7", "audits"), Count { passed: 0, failed: 1 });
        assert_eq!(figures("the server is gone", "audits"), Count { passed: 0, failed: 1 });
    }

    #[test]
    fn failures_are_shown_whole_with_their_program() {
        let shown = failures(RAN);
        assert!(shown.contains("feira_event_log-01") && shown.contains("expected Fenced"), "{shown}");
        assert!(!shown.contains("the_thread"), "{shown}");
    }
}
