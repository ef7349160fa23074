//! All benchmarks, one after the other, each printing its figures beside its reference.
//!
//! They are found in the manifests, so that a new one takes part by being there. What missed a goal or fell behind its
//! reference is named once more at the end; only the latter is a failure.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use crate::servers;
use crate::test::tools::cargo;
use crate::workspace::Workspace;

/// How the lines begin with which a benchmark ends, in the words of `crates/bench`.
const SHORT: &str = "short: ";
const BEHIND: &str = "below ";

/// Runs the benchmarks of `packages`, or all, on the real servers where they use them.
pub fn run(root: &Path, packages: &[&str]) -> ExitCode {
    let workspace = match Workspace::read(root) {
        Ok(workspace) => workspace,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let wanted = |name: &str| packages.is_empty() || packages.contains(&name);
    let chosen: Vec<_> = workspace.packages.iter().filter(|package| wanted(&package.name)).collect();
    let benches: Vec<_> = chosen
        .iter()
        .flat_map(|package| package.benches.iter().map(|bench| (package.name.as_str(), bench.as_str())))
        .collect();
    if benches.is_empty() {
        eprintln!(
            "no benchmarks in {}",
            if packages.is_empty() { "the workspace".to_owned() } else { packages.join(", ") }
        );
        return ExitCode::FAILURE;
    }
    // All at once, so that what they stand on is built once, and nothing is built between two of them.
    let of_packages = packages.iter().flat_map(|package| ["--package", package]);
    let of = if packages.is_empty() { vec!["--workspace"] } else { of_packages.collect() };
    let names: BTreeSet<&str> = benches.iter().map(|(_, bench)| *bench).collect();
    let targets: Vec<&str> = names.iter().flat_map(|bench| ["--bench", bench]).collect();
    let built = [&["bench", "--locked", "--no-run"], &*of, &*targets].concat();
    if !succeeds(cargo(&built).current_dir(root)) {
        return ExitCode::FAILURE;
    }
    let started_here = !servers::any_up();
    if !succeeds(&mut servers::up(root)) {
        return ExitCode::FAILURE;
    }
    let (mut failed, mut told) = (vec![], vec![]);
    for bench in names {
        let packages = benches.iter().filter(|(_, name)| *name == bench).map(|(package, _)| *package);
        let package = packages.collect::<Vec<_>>().join(", ");
        println!("\n== {package}: {bench}");
        let mut command =
            cargo(&[&["bench", "--quiet", "--locked", "--no-fail-fast", "--bench", bench], &*of].concat());
        if !shows(command.current_dir(root), &mut told) {
            failed.push(format!("{package}: {bench}"));
        }
    }
    if started_here && !succeeds(&mut servers::down(root)) {
        failed.push("stop servers".to_owned());
    }
    println!("\n== all of it");
    told.iter().for_each(|line| println!("{line}"));
    failed.iter().for_each(|bench| println!("failed: {bench}"));
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a benchmark, shows what it says, and keeps what it says of goals and references.
fn shows(command: &mut Command, told: &mut Vec<String>) -> bool {
    let mut child = match command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("cannot run {}: {error}", command.get_program().to_string_lossy());
            return false;
        }
    };
    let output = child.stdout.take().into_iter().flat_map(|output| BufReader::new(output).lines());
    for line in output.map_while(Result::ok) {
        println!("{line}");
        if line.starts_with(SHORT) || line.starts_with(BEHIND) {
            told.push(line);
        }
    }
    child.wait().is_ok_and(|status| status.success())
}

/// Runs a command on this terminal.
fn succeeds(command: &mut Command) -> bool {
    match command.stdin(Stdio::null()).status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("cannot run {}: {error}", command.get_program().to_string_lossy());
            false
        }
    }
}
