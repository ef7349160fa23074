//! A platform of its own to ask over HTTP: the binary as it was built for the tests, on an empty folder and a free port.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::step::Beside;

/// How long the platform may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// How the line begins that says that it is.
const READY: &str = "GraphQL http://";

/// A running platform; it ends with this value.
pub struct Platform {
    url: String,
    _process: Beside,
}

impl Platform {
    /// Starts `feira run` on `folder`, emptied before, and waits until it is ready.
    ///
    /// # Errors
    /// When it cannot be started, ends, or is not ready in time; with all that it printed.
    pub fn start(feira: &Path, folder: &Path, log: &Path) -> Result<Self, String> {
        let described = |error: std::io::Error| format!("{}: {error}", feira.display());
        if folder.exists() {
            std::fs::remove_dir_all(folder).map_err(described)?;
        }
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).map_err(described)?.port();
        let mut command = Command::new(feira);
        command.arg("run").arg("--data").arg(folder).args(["--listen", &format!("127.0.0.1:{port}")]);
        let mut process = Beside::start(&mut command, log).map_err(described)?;
        let end = Instant::now() + READY_WITHIN;
        loop {
            let printed = std::fs::read_to_string(log).unwrap_or_default();
            let line = printed.lines().find(|line| line.starts_with(READY));
            if let Some(url) = line.and_then(|line| line.split(' ').nth(1)) {
                return Ok(Self { url: url.to_owned(), _process: process });
            }
            if !process.runs() || Instant::now() >= end {
                return Err(format!(
                    "feira run was not ready within {} s; it printed:\n{printed}",
                    READY_WITHIN.as_secs()
                ));
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// Where it answers GraphQL.
    pub fn url(&self) -> &str {
        &self.url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_ends_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let started = Platform::start(Path::new("false"), &folder.path().join("data"), &folder.path().join("log"));
        assert!(started.err().unwrap().contains("was not ready"));
        assert!(began.elapsed() < READY_WITHIN);
    }
}
