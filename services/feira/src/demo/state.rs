//! What a run of the demo asks, each command kept under its id before it is sent, so that a broken-off run is finished
//! and nothing is done twice.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// A run of the demo.
#[derive(Debug)]
pub struct Run {
    kept: Kept,
    file: PathBuf,
}

/// What is kept of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// 32 hexadecimal digits.
    run: String,
    /// The command id of every step.
    commands: BTreeMap<String, String>,
    /// What was worked out once and must be the same when it is asked again.
    values: BTreeMap<String, String>,
    /// It was played to its end.
    done: bool,
}

impl Run {
    /// The run in `folder`, or a new one; it is on disk when this returns.
    pub fn open(folder: &Path, new: bool) -> Result<Self, Failure> {
        let file = folder.join("demo.json");
        let kept = if new { None } else { read(&file)? };
        let kept = match kept {
            Some(kept) => kept,
            None => Kept { run: random_hex()?, ..Kept::default() },
        };
        let run = Self { kept, file };
        run.write()?;
        Ok(run)
    }

    /// The run's id.
    pub fn id(&self) -> &str {
        &self.kept.run
    }

    /// The run's id as a UUID, as imports want it.
    pub fn uuid(&self, of: u8) -> String {
        let hex = &self.kept.run;
        format!("{}-{}-4{}-8{}-{}{of:02x}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..30])
    }

    /// Whether it was played to its end before.
    pub fn is_done(&self) -> bool {
        self.kept.done
    }

    /// The command id of a step; kept before it is used.
    pub fn command(&mut self, step: &str) -> Result<String, Failure> {
        if let Some(id) = self.kept.commands.get(step) {
            return Ok(id.clone());
        }
        let id = format!("demo-{}-{step}", self.kept.run);
        self.kept.commands.insert(step.to_owned(), id.clone());
        self.write()?;
        Ok(id)
    }

    /// What was worked out for `name` the first time; kept before it is used.
    pub fn value(&mut self, name: &str, work_out: impl FnOnce() -> String) -> Result<String, Failure> {
        if let Some(value) = self.kept.values.get(name) {
            return Ok(value.clone());
        }
        let value = work_out();
        self.kept.values.insert(name.to_owned(), value.clone());
        self.write()?;
        Ok(value)
    }

    /// It was played to its end.
    pub fn done(&mut self) -> Result<(), Failure> {
        self.kept.done = true;
        self.write()
    }

    fn write(&self) -> Result<(), Failure> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
            Failure::because(format!("cannot keep what the demo asks in {}", self.file.display()), error)
        };
        let text = serde_json::to_vec_pretty(&self.kept).map_err(|error| failed(error.into()))?;
        let draft = self.file.with_extension("json.new");
        let write = || {
            let mut file = File::create(&draft)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&draft, &self.file)
        };
        write().map_err(|error| failed(error.into()))
    }
}

fn read(file: &Path) -> Result<Option<Kept>, Failure> {
    match fs::read_to_string(file) {
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(|error| {
            Failure::because(format!("{} cannot be read; begin anew with --new", file.display()), error)
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::because(format!("cannot read {}", file.display()), error)),
    }
}

fn random_hex() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Failure::new(format!("no random numbers: {error}")))?;
    Ok(const_hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_taken_up_with_the_same_ids_and_values_until_another_is_begun() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = Run::open(folder.path(), false).unwrap();
        let one = first.command("a/one").unwrap();
        assert_ne!(one, first.command("a/two").unwrap());
        assert_eq!(first.value("moment", || "1".to_owned()).unwrap(), "1");
        let mut again = Run::open(folder.path(), false).unwrap();
        assert_eq!(again.command("a/one").unwrap(), one);
        assert_eq!(again.value("moment", || "2".to_owned()).unwrap(), "1");
        assert!(!again.is_done());
        again.done().unwrap();
        assert!(Run::open(folder.path(), false).unwrap().is_done());
        let mut another = Run::open(folder.path(), true).unwrap();
        assert_ne!(another.command("a/one").unwrap(), one);
        let uuid = another.uuid(1);
        assert_eq!((uuid.len(), &uuid[14..15], &uuid[19..20]), (36, "4", "8"));
    }
}
