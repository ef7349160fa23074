//! The processes of the platform: the real binary, started, stopped, killed, never left behind.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::ports::free_port;

/// One process and how it is started.
pub struct Process {
    /// What it serves and, where there are several, which it is.
    pub name: &'static str,
    /// Where it listens.
    pub address: String,
    service: &'static str,
    folder: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// A process that serves `service` in a folder of its own in `folder`, where the settings are, on a port of its own.
    pub fn new(name: &'static str, service: &'static str, folder: PathBuf) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        Self { name, address, service, folder, child: None }
    }

    /// Starts it.
    pub fn start(&mut self) {
        assert!(self.child.is_none(), "{} runs", self.name);
        let log = |ending| {
            let path = self.folder.join(format!("{}.{ending}", self.name));
            File::options().create(true).append(true).open(path).expect("a log file can be written")
        };
        let child = Command::new(env!("CARGO_BIN_EXE_feira"))
            .args(["serve", self.service])
            .arg("--config")
            .arg(self.folder.join("feira.toml"))
            .arg("--folder")
            .arg(self.folder.join(self.name))
            .env(format!("FEIRA_{}_LISTEN", self.service.to_uppercase()), &self.address)
            .stdin(Stdio::null())
            .stdout(log("out"))
            .stderr(log("log"))
            .spawn()
            .expect("the binary starts");
        self.child = Some(child);
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("a child can be killed");
        child.wait().expect("a child can be waited for");
    }

    /// Stops it where it is.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn wake(&self) {
        self.signal(Signal::CONT);
    }

    /// Asks it to end.
    pub fn ask_to_end(&self) {
        self.signal(Signal::TERM);
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.as_mut()?.try_wait().expect("a child can be looked at")?;
        self.child = None;
        Some(status)
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("it runs");
        kill_process(Pid::from_child(child), signal).expect("a child can be signalled");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
