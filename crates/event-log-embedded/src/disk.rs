//! The few file operations that can fail in ways the log must survive, behind one trait so that tests can fail them.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use feira_event_log::LogError;

/// The disk under a log.
pub trait Disk: Send + Sync + 'static {
    /// Writes all of `bytes` at `offset`.
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    /// Returns once what was written is durable.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// Makes an empty file, in place of one that may be there.
    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)
    }
}

/// The operating system's.
pub struct Os;

impl Disk for Os {}

/// Makes a file's entry in its folder durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Why a batch is refused when the disk did not take it, and what to do.
pub fn refusal(error: &io::Error, folder: &Path) -> String {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => {
            format!("disk full ({error}): make room where {} lies, then send it again", folder.display())
        }
        _ => format!("the disk under {} did not take it ({error})", folder.display()),
    }
}

/// Says of a failed operation what it was and on what.
pub fn failed<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> LogError + 'a {
    move |source| LogError::Io { action, path: path.to_owned(), source }
}

/// Says that a byte of a file is not as it was written.
pub fn damaged(path: &Path, byte: u64, reason: impl Into<String>) -> LogError {
    LogError::Damaged { place: format!("{}, byte {byte}", path.display()), reason: reason.into() }
}

/// What an operator can do about damage.
pub const RESTORE: &str = "restore the folder from a copy";
