//! Files as they will be: all are written, or none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One file as it will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The file, from the root.
    pub file: String,
    /// What it says now; none when it is not there.
    pub before: Option<Vec<u8>>,
    /// What it will say.
    pub after: Vec<u8>,
}

/// Why files were not written. What was written before is taken back.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {file}; everything is as it was")]
pub struct Unwritten {
    /// The file.
    pub file: String,
    /// What the system says.
    #[source]
    pub source: io::Error,
}

/// Writes all of `changes` under `root`.
///
/// # Errors
/// [`Unwritten`] when a file cannot be written: then all are as they were.
pub fn write(root: &Path, changes: &[Change]) -> Result<(), Unwritten> {
    let mut made = Vec::new();
    for (done, change) in changes.iter().enumerate() {
        let path = root.join(&change.file);
        let written = folders(&path, &mut made).and_then(|()| fs::write(&path, &change.after));
        if let Err(source) = written {
            take_back(root, &changes[..=done], &made);
            return Err(Unwritten { file: change.file.clone(), source });
        }
    }
    Ok(())
}

/// Makes the folders that lead to `path`, and notes those that were not there.
fn folders(path: &Path, made: &mut Vec<PathBuf>) -> io::Result<()> {
    let missing: Vec<_> = path.ancestors().skip(1).take_while(|folder| !folder.exists()).collect();
    for folder in missing.into_iter().rev() {
        fs::create_dir(folder)?;
        made.push(folder.to_owned());
    }
    Ok(())
}

/// Puts everything back. What cannot be put back either stays, as whatever is at fault with the disk will show.
fn take_back(root: &Path, changes: &[Change], made: &[PathBuf]) {
    for change in changes.iter().rev() {
        let path = root.join(&change.file);
        let _ = match &change.before {
            Some(before) => fs::write(&path, before),
            None => fs::remove_file(&path),
        };
    }
    for folder in made.iter().rev() {
        let _ = fs::remove_dir(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_one_file_cannot_be_written_none_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("list"), "one\n").unwrap();
        // A folder stands where the third is to be.
        fs::create_dir(folder.path().join("taken")).unwrap();
        let change = |file: &str, before: Option<&str>| Change {
            file: file.to_owned(),
            before: before.map(|before| before.as_bytes().to_vec()),
            after: b"new".to_vec(),
        };
        let changes = [change("list", Some("one\n")), change("a/b/c.rs", None), change("taken", None)];
        let refused = write(folder.path(), &changes).unwrap_err();
        assert_eq!(refused.file, "taken");
        assert_eq!(fs::read_to_string(folder.path().join("list")).unwrap(), "one\n");
        assert!(!folder.path().join("a").exists());
        assert!(write(folder.path(), &changes[..2]).is_ok());
        assert_eq!(fs::read_to_string(folder.path().join("a/b/c.rs")).unwrap(), "new");
    }
}
