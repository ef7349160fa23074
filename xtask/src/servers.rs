//! The real servers that tests and benchmarks run on: whether they are there, and the scripts that start and stop them.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Where Kafka and Cassandra answer.
const ADDRESSES: [&str; 2] = ["127.0.0.1:19092", "127.0.0.1:19042"];

/// Whether any of them is up: then whoever started it also stops it.
pub fn any_up() -> bool {
    let answers = |address: &str| {
        address.parse().is_ok_and(|address| TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok())
    };
    ADDRESSES.into_iter().any(answers)
}

/// Starts what is not up, and waits until all are ready.
pub fn up(root: &Path) -> Command {
    script(root, "deploy/local/up.sh")
}

/// Stops what [`up`] started.
pub fn down(root: &Path) -> Command {
    script(root, "deploy/local/down.sh")
}

fn script(root: &Path, path: &str) -> Command {
    let mut command = Command::new("bash");
    command.arg(root.join(path)).current_dir(root);
    command
}
