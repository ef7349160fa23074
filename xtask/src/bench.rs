//! All benchmarks, one after the other, each printing its figures beside its reference.
//!
//! They are found in the manifests, so that a new one takes part by being there.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use crate::servers;
use crate::test::tools::cargo;
use crate::workspace::Workspace;

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
    let started_here = !servers::any_up();
    if !succeeds(&mut servers::up(root)) {
        return ExitCode::FAILURE;
    }
    let mut failed = vec![];
    for (package, bench) in benches {
        println!("\n== {package}: {bench}");
        if !succeeds(cargo(&["bench", "--quiet", "--locked", "--package", package, "--bench", bench]).current_dir(root))
        {
            failed.push(format!("{package}: {bench}"));
        }
    }
    if started_here && !succeeds(&mut servers::down(root)) {
        failed.push("stop servers".to_owned());
    }
    failed.iter().for_each(|bench| println!("failed: {bench}"));
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
