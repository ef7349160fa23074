//! Log lines of the process, on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

/// What is logged where nothing else is set: the stores' libraries tell their own housekeeping as news.
pub const USUAL: &str = "info,fjall=warn,lsm_tree=warn";

/// Begins to write what the process has to say. Standard output is for results.
pub fn start(format: LogFormat, usual: &str) {
    let filter = EnvFilter::try_from_env("FEIRA_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let colours = io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colours);
    match format {
        LogFormat::Text => lines.with_target(false).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}
