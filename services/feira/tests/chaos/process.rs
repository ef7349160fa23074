//! The processes of the platform: the real binary, started, stopped, killed, never left behind.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::ports::free_port;

/// What is done to a process or a server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Blow {
    /// It is killed, and started again at once.
    Kill,
    /// It is stopped, and goes on later as if nothing had happened.
    Stop,
    /// It is asked to end, and started again when it has.
    Term,
}

impl Blow {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Kill, Self::Stop, Self::Term];

    /// As it is told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill -9",
            Self::Stop => "stop for 9 s",
            Self::Term => "SIGTERM",
        }
    }
}

/// One process and how it is started.
pub struct Process {
    /// What it serves and, where there are several, which it is.
    pub name: &'static str,
    /// Where it listens.
    pub address: String,
    /// The service.
    pub service: &'static str,
    folder: PathBuf,
    child: Option<Child>,
    asked_to_end: bool,
}

impl Process {
    /// A process that serves `service` in a folder of its own in `folder`, where the settings are, on a port of its own.
    pub fn new(name: &'static str, service: &'static str, folder: PathBuf) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        Self { name, address, service, folder, child: None, asked_to_end: false }
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
        self.asked_to_end = false;
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
    pub fn ask_to_end(&mut self) {
        self.signal(Signal::TERM);
        self.asked_to_end = true;
    }

    /// Begins a blow.
    pub fn begin(&mut self, blow: Blow) {
        match blow {
            Blow::Kill => self.kill(),
            Blow::Stop => self.pause(),
            Blow::Term => self.ask_to_end(),
        }
    }

    /// Ends a blow: it runs again. Whether it does; one that was asked to end may need a while for it.
    pub fn end(&mut self, blow: Blow) -> bool {
        match blow {
            Blow::Stop => self.wake(),
            Blow::Kill => self.start(),
            Blow::Term => match self.ended() {
                Some(status) => {
                    assert!(status.success(), "{} was asked to end, and ended with {status}", self.name);
                    self.start();
                }
                None => return false,
            },
        }
        true
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.as_mut()?.try_wait().expect("a child can be looked at")?;
        self.child = None;
        Some(status)
    }

    /// How it ended, if it has and nobody asked it to.
    pub fn ended_by_itself(&mut self) -> Option<ExitStatus> {
        if self.asked_to_end { None } else { self.ended() }
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
