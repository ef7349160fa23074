//! `cargo xtask try-new-service`: makes a service in a copy of the tree, builds it, and runs what proves that it is whole.
//!
//! What comes from outside is built once for both trees: the copy builds into the same target folder, and its packages
//! have a version of their own, so that neither tree's are taken for the other's. The tree itself is not touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use super::lock;
use crate::servers;
use crate::test::step::Steps;
use crate::test::tools::{cargo, target_folder};
use crate::workspace;

/// The service that is made: one that nobody has.
const NAME: &str = "newcomer";

/// What the version of the copy's packages ends with.
const VERSION: &str = "-trial";

/// What is built at once, and of it the targets. That the binary and this tool are among it gives what comes from outside
/// the same features and profiles as in the whole workspace, so that none of it is built again.
const PACKAGES: [&str; 7] =
    ["feira", "xtask", "feira-newcomer-domain", "feira-newcomer-server", "feira-codec", "feira-rows", "feira-ids"];
const TARGETS: [&str; 5] = ["--lib", "--bin", "xtask", "--test", "it"];

/// The rules of the platform that are shown with the new service in it: as one process, and as a process among others.
const RULES: [&str; 4] = [
    "embedded::a_restart_keeps_everything",
    "embedded::the_log_is_shown_alike_from_the_folder_and_through_the_process",
    "deployed::a_restart_keeps_everything",
    "deployed::a_platform_that_runs_is_sound",
];

const MINUTE: Duration = Duration::from_secs(60);

/// How long everything may take, also where nothing is built yet.
const LIMIT: Duration = Duration::from_secs(12 * 60);

/// Runs the trial and answers whether the new service is whole.
pub fn trial(root: &Path) -> ExitCode {
    match tried(root) {
        Ok((passed, all)) => {
            println!("new service: {passed} ok of {all}");
            if passed == all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{error}");
            println!("new service: 0 ok of 1");
            ExitCode::FAILURE
        }
    }
}

/// How many steps passed, and how many there are.
fn tried(root: &Path) -> Result<(usize, usize), String> {
    let target = target_folder(root);
    let _servers = Servers::there(root, &target)?;
    let folder = target.join("new-service");
    let tree = folder.join("tree");
    let steps = Steps::new(&folder.join("logs"), LIMIT).map_err(|error| format!("{}: {error}", folder.display()))?;
    copy(root, &tree)?;
    let binary = target.join("debug").join("feira");
    let _kept = Kept::keep(&binary)?;
    let this = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let xtask = |arguments: &[&str]| {
        let mut command = Command::new(&this);
        command.args(arguments);
        command
    };
    let with_packages = |verb: &[&str], more: &[&str]| {
        let packages = PACKAGES.iter().flat_map(|package| ["--package", package]);
        let arguments = verb.iter().copied().chain(["--locked"]).chain(TARGETS).chain(packages);
        cargo(&arguments.chain(more.iter().copied()).collect::<Vec<_>>())
    };
    let rules = [&["--", "--exact"][..], &RULES].concat();
    let mut settings = Command::new(&binary);
    settings.args(["config", "check", "--config", "deploy/local/feira.toml"]);
    let mut all = [
        ("a service is made", MINUTE, xtask(&["new-service", NAME])),
        ("format", MINUTE, cargo(&["fmt", "--all", "--check"])),
        ("everything is in its place", MINUTE, xtask(&["tidy"])),
        ("build", 10 * MINUTE, with_packages(&["test", "--no-run"], &[])),
        // The rules of the homes take their time, or servers; of this tool some make the very service that is there.
        (
            "its tests",
            5 * MINUTE,
            with_packages(&["test"], &["--", "--skip", "embedded::", "--skip", "deployed::", "--skip", "scaffold::"]),
        ),
        ("it has a place among processes", MINUTE, settings),
        ("it runs with the others in both homes", 5 * MINUTE, with_packages(&["test"], &rules)),
        ("lints", 10 * MINUTE, with_packages(&["clippy"], &["--", "-D", "warnings"])),
    ];
    let mut passed = 0;
    let count = all.len();
    for (name, limit, command) in &mut all {
        let done = steps.run(name, *limit, command.current_dir(&tree).env("CARGO_TARGET_DIR", &target));
        if !done.ok {
            // Each step stands on the one before.
            println!("{}", done.output.trim_end());
            break;
        }
        passed += 1;
    }
    Ok((passed, count))
}

/// Kafka and Cassandra: those that are up, or some of this trial's own, which end with this value.
struct Servers(Option<Command>);

impl Servers {
    fn there(root: &Path, target: &Path) -> Result<Self, String> {
        if servers::any_up() {
            return Ok(Self(None));
        }
        let own = |mut command: Command| {
            command.env("FEIRA_STACK", target.join("new-service-stack"));
            command.env("FEIRA_JARS", root.join("deploy/local/.stack"));
            command
        };
        let mut up = own(servers::up(root));
        match up.arg("--fresh").status() {
            Ok(status) if status.success() => Ok(Self(Some(own(servers::down(root))))),
            Ok(status) => Err(format!("the servers did not start: {status}")),
            Err(error) => Err(format!("cannot start the servers: {error}")),
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        if let Some(down) = &mut self.0
            && let Err(error) = down.status()
        {
            eprintln!("the servers were not stopped: {error}");
        }
    }
}

/// Copies every file of the project, under another version, into a tree that git knows.
fn copy(root: &Path, tree: &Path) -> Result<(), String> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| format!("{path}: {error}")
    };
    if tree.exists() {
        fs::remove_dir_all(tree).map_err(failed(tree))?;
    }
    for file in workspace::files(root)?.iter().filter(|file| root.join(file).is_file()) {
        let to = tree.join(file);
        let folder = to.parent().unwrap_or(tree);
        fs::create_dir_all(folder).map_err(failed(folder))?;
        fs::copy(root.join(file), &to).map_err(failed(&to))?;
    }
    let (manifest, locked) = (tree.join("Cargo.toml"), tree.join("Cargo.lock"));
    let text = fs::read_to_string(&manifest).map_err(failed(&manifest))?;
    let version = version(&text).ok_or("the workspace has no version")?;
    let other = format!("{version}{VERSION}");
    let text = text.replacen(&format!("version = \"{version}\""), &format!("version = \"{other}\""), 1);
    fs::write(&manifest, text).map_err(failed(&manifest))?;
    let lock = fs::read_to_string(&locked).map_err(failed(&locked))?;
    let lock = lock::with_version(&lock, &version, &other).map_err(|what| format!("Cargo.lock: {what}"))?;
    fs::write(&locked, lock).map_err(failed(&locked))?;
    let init = Command::new("git").args(["init", "--quiet"]).current_dir(tree).status();
    match init {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("git, which lists the files to check, ended with {status}")),
        Err(error) => Err(format!("cannot run git, which lists the files to check: {error}")),
    }
}

/// The version that all packages of the workspace have.
fn version(manifest: &str) -> Option<String> {
    let manifest: toml::Table = manifest.parse().ok()?;
    Some(manifest.get("workspace")?.get("package")?.get("version")?.as_str()?.to_owned())
}

/// The binary of the tree itself, set aside while the copy's has its place, and put back at the end.
struct Kept {
    binary: PathBuf,
    aside: PathBuf,
}

impl Kept {
    fn keep(binary: &Path) -> Result<Self, String> {
        let kept = Self { binary: binary.to_owned(), aside: binary.with_extension("kept") };
        if binary.exists() {
            fs::rename(binary, &kept.aside).map_err(|error| format!("{}: {error}", binary.display()))?;
        }
        Ok(kept)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let put_back = if self.aside.exists() {
            fs::rename(&self.aside, &self.binary)
        } else if self.binary.exists() {
            fs::remove_file(&self.binary)
        } else {
            Ok(())
        };
        if let Err(error) = put_back {
            eprintln!("{} is of another tree; build it again: {error}", self.binary.display());
        }
    }
}
