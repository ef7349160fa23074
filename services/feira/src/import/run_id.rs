//! The id of a run of an import, kept until the run is complete.
//!
//! Ids of commands come from it and the row's line. Broken off and started again, the same file to the same gateway goes
//! on under the same run, so that every row is decided once. Another content is another run. What was decided since is
//! not decided again under an old run: the first import that completes ends all others of its business, and a run that is
//! a day old is not taken up.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use crate::failure::Failure;

/// How long after its beginning a run that was broken off is taken up again.
const TAKEN_UP: Duration = Duration::from_secs(24 * 60 * 60);

/// The id of a run, and where it is kept.
pub struct RunId {
    id: String,
    file: PathBuf,
}

impl RunId {
    /// The run of `feed` at `url` for `tenant` that was broken off, or a new one.
    pub fn of(url: &str, tenant: &str, feed: &Path) -> Result<Self, Failure> {
        let failed = |error| Failure::because("cannot keep the run's id, by which a broken-off import goes on", error);
        Self::kept(&state_folder(), url, tenant, feed).map_err(failed)
    }

    fn kept(folder: &Path, url: &str, tenant: &str, feed: &Path) -> io::Result<Self> {
        let mut target = Sha256::new();
        for part in [url, tenant] {
            target.update((part.len() as u64).to_be_bytes());
            target.update(part.as_bytes());
        }
        let mut content = Sha256::new();
        io::copy(&mut File::open(feed)?, &mut HashWriter(&mut content))?;
        let folder = folder.join(name(target));
        fs::create_dir_all(&folder)?;
        let file = folder.join(name(content));
        if let Some(id) = read(&file)? {
            return Ok(Self { id, file });
        }
        let id = new_id()?;
        let draft = folder.join(format!(".{id}"));
        let mut written = File::create(&draft)?;
        written.write_all(id.as_bytes())?;
        written.sync_all()?;
        fs::rename(&draft, &file)?;
        Ok(Self { id, file })
    }

    /// The id, a UUID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The run is complete, and so is every other to the same gateway for the same business: taken up now, they would
    /// be told that rows are in which this one has changed since.
    pub fn forget(self) {
        let folder = self.file.parent().unwrap_or(&self.file);
        if let Err(error) = fs::remove_dir_all(folder) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot remove {}; remove it by hand before the next import",
                folder.display()
            );
        }
    }
}

fn name(hash: Sha256) -> String {
    const_hex::encode(&hash.finalize()[..16])
}

/// An id that was written whole, not too long ago; a torn one was never used.
fn read(file: &Path) -> io::Result<Option<String>> {
    match fs::metadata(file).and_then(|metadata| metadata.modified()) {
        Ok(begun) if SystemTime::now().duration_since(begun).is_ok_and(|age| age > TAKEN_UP) => return Ok(None),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    match fs::read_to_string(file) {
        Ok(id) => Ok((id.len() == 36 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')).then_some(id)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A random UUID, version 4.
fn new_id() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = const_hex::encode(bytes);
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

/// Where a user's programs keep what outlives them. Source: XDG Base Directory Specification, "XDG_STATE_HOME".
fn state_folder() -> PathBuf {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state")));
    base.unwrap_or_else(std::env::temp_dir).join("feira/imports")
}

struct HashWriter<'h>(&'h mut Sha256);

impl Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_was_broken_off_goes_on_and_a_complete_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let feed = folder.path().join("feed.tsv");
        fs::write(&feed, "id\ttitle\n1\tCafé\n").unwrap();
        let run = |url| RunId::kept(&folder.path().join("imports"), url, "feira-livre", &feed).unwrap();
        let first = run("http://a");
        assert_eq!(run("http://a").id(), first.id());
        assert_ne!(run("http://b").id(), first.id());
        let former = first.id().to_owned();
        first.forget();
        assert_ne!(run("http://a").id(), former);
        let second = run("http://a").id().to_owned();
        fs::write(&feed, "id\ttitle\n1\tChá\n").unwrap();
        assert_ne!(run("http://a").id(), second);
    }

    #[test]
    fn what_another_import_has_changed_since_is_not_taken_for_done() {
        let folder = tempfile::tempdir().unwrap();
        let feed = |name: &str| {
            let feed = folder.path().join(name);
            fs::write(&feed, name).unwrap();
            feed
        };
        let run = |tenant, feed: &Path| RunId::kept(&folder.path().join("imports"), "http://a", tenant, feed).unwrap();
        let (monday, tuesday) = (feed("monday"), feed("tuesday"));
        let broken_off = run("feira-livre", &monday).id().to_owned();
        let elsewhere = run("mumbai-bazaar", &monday).id().to_owned();
        run("feira-livre", &tuesday).forget();
        assert_ne!(run("feira-livre", &monday).id(), broken_off);
        assert_eq!(run("mumbai-bazaar", &monday).id(), elsewhere);
    }

    #[test]
    fn a_run_of_long_ago_is_not_taken_up() {
        let folder = tempfile::tempdir().unwrap();
        let feed = folder.path().join("feed.tsv");
        fs::write(&feed, "id\n").unwrap();
        let run = || RunId::kept(&folder.path().join("imports"), "http://a", "feira-livre", &feed).unwrap();
        let old = run();
        let kept = File::options().write(true).open(&old.file).unwrap();
        kept.set_modified(SystemTime::now() - TAKEN_UP - Duration::from_secs(60)).unwrap();
        assert_ne!(run().id(), old.id());
    }

    #[test]
    fn a_torn_id_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run");
        fs::write(&file, "0f3c").unwrap();
        assert_eq!(read(&file).unwrap(), None);
        let id = new_id().unwrap();
        assert_eq!((id.len(), &id[14..15]), (36, "4"));
    }
}
