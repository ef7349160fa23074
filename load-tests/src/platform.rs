//! The platform under load: one that runs, or one that is started for the while.

use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// A running platform on this machine.
pub struct Platform {
    /// Where it answers.
    pub url: String,
    feira: PathBuf,
    data: PathBuf,
    started: Option<(Child, TempDir)>,
}

impl Platform {
    /// One that runs already. Other machines are left alone.
    pub fn there(feira: &Path, url: &str, data: &Path) -> Result<Self, String> {
        let host = url.trim_start_matches("http://").split(['/', ':']).next().unwrap_or_default();
        let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if !local {
            return Err(format!("{url} is not on this machine; load is put on this machine only"));
        }
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { url, feira: feira.to_owned(), data: data.to_owned(), started: None })
    }

    /// Starts one on a folder of its own, and waits until it is ready.
    pub fn start(feira: &Path) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("no folder can be made: {error}"))?;
        let mut child = Command::new(feira)
            .args(["run", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path())
            .env("FEIRA_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{} does not start: {error}", feira.display()))?;
        let lines = child.stdout.take().map(|out| BufReader::new(out).lines());
        let url = lines.into_iter().flatten().map_while(Result::ok).find_map(|line| {
            line.strip_prefix("GraphQL ").and_then(|url| url.strip_suffix("/graphql")).map(str::to_owned)
        });
        let Some(url) = url else {
            let _ended = child.wait();
            return Err("the platform ended before it was ready".to_owned());
        };
        Ok(Self { url, feira: feira.to_owned(), data: folder.path().to_owned(), started: Some((child, folder)) })
    }

    /// A token.
    pub fn token(&self, args: &[&str]) -> Result<String, String> {
        let output = self.run(&[&["token", "--hours", "24"], args].concat())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Runs the binary on this platform.
    pub fn run(&self, args: &[&str]) -> Result<Output, String> {
        let mut command = Command::new(&self.feira);
        command.args(args).env("FEIRA_DATA", &self.data).env("FEIRA_URL", &self.url).env("FEIRA_LOG", "warn");
        command.output().map_err(|error| format!("{} does not start: {error}", self.feira.display()))
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if let Some((child, _)) = &mut self.started {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
