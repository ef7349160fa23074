//! One step of the test run: a command with an end to waiting, its output in a file, its time on a line.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a running command is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What became of a step.
pub struct Done {
    /// Whether the command said that all went well, in time.
    pub ok: bool,
    /// All that it printed, errors in their place.
    pub output: String,
}

/// Runs steps and keeps what they print, one file each.
pub struct Steps {
    logs: PathBuf,
    began: Instant,
    end: Instant,
}

impl Steps {
    /// Steps whose output goes into `logs`, which is emptied, and that have `limit` all together.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(logs: &Path, limit: Duration) -> io::Result<Self> {
        if logs.exists() {
            std::fs::remove_dir_all(logs)?;
        }
        std::fs::create_dir_all(logs)?;
        let began = Instant::now();
        Ok(Self { logs: logs.to_owned(), began, end: began + limit })
    }

    /// Runs `command` to its end, at most `limit`, and prints a line with its time.
    pub fn run(&self, name: &str, limit: Duration, command: &mut Command) -> Done {
        println!("{}     … {name}", self.clock());
        let path = self.logs.join(format!("{}.log", name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")));
        let began = Instant::now();
        // Even at the end there is time to close what was opened.
        let left = self.end.saturating_duration_since(began).max(Duration::from_secs(30));
        let limit = limit.min(left);
        let result = to_the_end(command, &path, limit);
        let mut output = read(&path);
        let ok = match result {
            Ok(Some(status)) => status.success(),
            Ok(None) => {
                output.push_str(&format!("\nended after {} s without a result\n", limit.as_secs()));
                false
            }
            Err(error) => {
                output.push_str(&format!("\ncannot run {}: {error}\n", command.get_program().to_string_lossy()));
                false
            }
        };
        self.report(name, ok, began.elapsed());
        Done { ok, output }
    }

    /// Prints the line of a step that ended.
    pub fn report(&self, name: &str, ok: bool, took: Duration) {
        let verdict = if ok { "ok    " } else { "FAILED" };
        println!("{} {verdict} {name} ({:.1} s)", self.clock(), took.as_secs_f64());
    }

    /// Where a command that runs beside the steps may write.
    pub fn log_file(&self, name: &str) -> PathBuf {
        self.logs.join(name)
    }

    fn clock(&self) -> String {
        let seconds = self.began.elapsed().as_secs();
        format!("[{:>2}:{:02}]", seconds / 60, seconds % 60)
    }
}

/// A process that runs beside the steps and ends with this value, with all that it started.
pub struct Beside(Child);

impl Beside {
    /// Starts `command` with its output in `log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command, log: &Path) -> io::Result<Self> {
        spawn(command, log).map(Self)
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // First as an operator would, so that it can close what it has open.
        signal("-TERM", &self.0);
        let end = Instant::now() + Duration::from_secs(10);
        while self.runs() && Instant::now() < end {
            sleep(LOOK_EVERY);
        }
        end_all(&mut self.0);
    }
}

fn to_the_end(command: &mut Command, log: &Path, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let mut child = spawn(command, log)?;
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            end_all(&mut child);
            return Ok(None);
        }
        sleep(LOOK_EVERY);
    }
}

/// Starts a command at the head of a process group of its own, so that it can be ended with all that it started.
fn spawn(command: &mut Command, log: &Path) -> io::Result<Child> {
    let file = File::create(log)?;
    let errors = file.try_clone()?;
    command.stdin(Stdio::null()).stdout(file).stderr(errors).process_group(0).spawn()
}

fn signal(signal: &str, child: &Child) {
    let group = format!("-{}", child.id());
    // A group that has ended already is what was wanted.
    let _ = Command::new("kill").args([signal, "--", &group]).stderr(Stdio::null()).status();
}

fn end_all(child: &mut Child) {
    signal("-KILL", child);
    let _ = child.wait();
}

fn read(path: &Path) -> String {
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn run(script: &str, limit_ms: u64) -> Done {
        let folder = tempfile::tempdir().unwrap();
        let steps = Steps::new(&folder.path().join("logs"), Duration::from_secs(60)).unwrap();
        steps.run("a step", Duration::from_millis(limit_ms), &mut shell(script))
    }

    #[test]
    fn a_step_keeps_output_and_errors_in_their_order() {
        let done = run("echo one; echo two >&2; echo three; exit 3", 20_000);
        assert_eq!((done.ok, done.output.as_str()), (false, "one\ntwo\nthree\n"));
        assert!(run("true", 20_000).ok);
    }

    #[test]
    fn a_step_that_hangs_is_ended_with_what_it_started() {
        let began = Instant::now();
        let done = run("echo begun; sleep 600 & wait", 300);
        assert!(
            !done.ok && done.output.contains("begun") && done.output.contains("without a result"),
            "{}",
            done.output
        );
        assert!(began.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn a_command_that_is_not_there_fails_the_step() {
        let folder = tempfile::tempdir().unwrap();
        let steps = Steps::new(&folder.path().join("logs"), Duration::from_secs(60)).unwrap();
        let done = steps.run("nothing", Duration::from_secs(1), &mut Command::new("no-such-command-anywhere"));
        assert!(!done.ok && done.output.contains("cannot run no-such-command-anywhere"));
    }

    #[test]
    fn what_runs_beside_the_steps_ends_with_them() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("beside.log");
        let mut beside = Beside::start(&mut shell("echo $$; exec sleep 600"), &log).unwrap();
        assert!(beside.runs());
        let group = beside.0.id().to_string();
        drop(beside);
        assert!(!Command::new("kill").args(["-0", &group]).stderr(Stdio::null()).status().unwrap().success());
    }
}
