//! The run that looks for mutants: built apart, so that nothing of them is in any other program.

use std::path::Path;
use std::process::{ExitCode, Stdio};

use crate::test::tools::cargo;

/// Looks for all mutants, or those named.
pub fn run(root: &Path, names: &[&str]) -> ExitCode {
    let build = ["run", "--release", "--locked", "--quiet", "--package", "feira-simulation"];
    let program = ["--features", "mutants", "--bin", "mutants", "--"];
    let mut command = cargo(&[&build[..], &program, names].concat());
    match command.current_dir(root).stdin(Stdio::null()).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cannot run cargo: {error}");
            ExitCode::FAILURE
        }
    }
}
