//! The tools that the test run calls: cargo, and Python packages of its own under the target folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Python packages in a folder of their own, pinned by `requirements.txt` files.
pub struct Python {
    folder: PathBuf,
}

impl Python {
    /// The folder under `target`.
    pub fn new(target: &Path) -> Self {
        Self { folder: target.join("tools").join("python") }
    }

    /// The command that installs what `requirements` name; does little when they are there.
    pub fn install(&self, requirements: &[PathBuf]) -> Command {
        let list: String = requirements.iter().map(|file| format!(" -r '{}'", file.display())).collect();
        let folder = self.folder.display();
        let make = format!("test -x '{folder}/bin/pip' || python3 -m venv '{folder}'");
        let fill = format!("'{folder}/bin/pip' install --quiet --disable-pip-version-check{list}");
        let mut command = Command::new("sh");
        command.args(["-ec", &format!("{make}\n{fill}")]);
        command
    }

    /// A command that was installed.
    pub fn command(&self, name: &str) -> Command {
        Command::new(self.folder.join("bin").join(name))
    }
}

/// A command of cargo, the one that runs this program.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Where cargo builds.
pub fn target_folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}
