//! Keys in a folder: one file for each subject, readable by its owner alone.
//!
//! A key file comes into being whole or not at all, and the first one stands: it is written and synced under another
//! name, then linked to its own, which fails when there is one. A destroyed key leaves a mark that is looked for before
//! the key is, and again after one was made, so that none comes back. What a disk keeps of a deleted file is up to the
//! disk.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::{Key, KeyCache, KeyError, Keyring, check_subject};

/// How a key file begins.
const MAGIC: &[u8; 8] = b"feirakey";

/// Keys in a folder.
pub struct FileKeyring {
    folder: Arc<Folder>,
    cache: KeyCache,
}

struct Folder(PathBuf);

impl FileKeyring {
    /// Opens the keyring in `folder`, making it where there is none.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`] when the folder cannot be made.
    pub fn open(folder: &Path) -> Result<Self, KeyError> {
        make_folder(folder).map_err(|error| failed("make the folder of keys", error))?;
        Ok(Self { folder: Arc::new(Folder(folder.to_owned())), cache: KeyCache::new() })
    }

    async fn find(&self, subject: &str, make: bool) -> Result<Key, KeyError> {
        check_subject(subject)?;
        if let Some(key) = self.cache.get(subject) {
            return Ok(key);
        }
        let begun = self.cache.begin();
        let (folder, name) = (self.folder.clone(), subject.to_owned());
        let key = blocking(move || folder.find(&name, make)).await?;
        self.cache.put(subject, &key, begun);
        Ok(key)
    }
}

#[async_trait]
impl Keyring for FileKeyring {
    async fn key(&self, subject: &str) -> Result<Key, KeyError> {
        self.find(subject, true).await
    }

    async fn existing(&self, subject: &str) -> Result<Key, KeyError> {
        self.find(subject, false).await
    }

    async fn destroy(&self, subject: &str) -> Result<(), KeyError> {
        check_subject(subject)?;
        let (folder, name) = (self.folder.clone(), subject.to_owned());
        let destroyed = blocking(move || folder.destroy(&name)).await;
        self.cache.remove(subject);
        destroyed
    }
}

impl Folder {
    fn find(&self, subject: &str, make: bool) -> Result<Key, KeyError> {
        let place = Place::of(&self.0, subject);
        if place.is_destroyed()? {
            return Err(KeyError::Erased);
        }
        match fs::read(&place.key) {
            Ok(bytes) => return decode(subject, &bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed("read a key", error)),
        }
        if !make {
            // It may have been destroyed since the mark was looked for.
            return Err(if place.is_destroyed()? { KeyError::Erased } else { KeyError::Missing });
        }
        place.settle(subject, &Key::generate()?)
    }

    fn destroy(&self, subject: &str) -> Result<(), KeyError> {
        let place = Place::of(&self.0, subject);
        let mark = || {
            make_folder(&place.folder)?;
            File::create(&place.destroyed)?.sync_all()?;
            sync_folder(&place.folder)
        };
        mark().map_err(|error| failed("mark a key as destroyed", error))?;
        place.remove_key()
    }
}

/// Where a subject's files are. Names are hashes: a subject's name may itself be personal.
struct Place {
    folder: PathBuf,
    key: PathBuf,
    destroyed: PathBuf,
}

impl Place {
    fn of(root: &Path, subject: &str) -> Self {
        let name = const_hex::encode(Sha256::digest(subject));
        // A folder for each first byte, so that none grows without bound.
        let folder = root.join(&name[..2]);
        Self { key: folder.join(format!("{name}.key")), destroyed: folder.join(format!("{name}.destroyed")), folder }
    }

    fn is_destroyed(&self) -> Result<bool, KeyError> {
        self.destroyed.try_exists().map_err(|error| failed("look for the mark of a destroyed key", error))
    }

    /// Puts `key` in its place and gives the key that stands there: another one where somebody was first.
    fn settle(&self, subject: &str, key: &Key) -> Result<Key, KeyError> {
        self.make(subject, key).map_err(|error| failed("make a key", error))?;
        // Whoever destroyed it meanwhile may have looked before it was there.
        if self.is_destroyed()? {
            self.remove_key()?;
            return Err(KeyError::Erased);
        }
        match fs::read(&self.key) {
            Ok(bytes) => decode(subject, &bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(KeyError::Erased),
            Err(error) => Err(failed("read a key", error)),
        }
    }

    /// Puts `key` in its place, unless there is one.
    fn make(&self, subject: &str, key: &Key) -> io::Result<()> {
        make_folder(&self.folder)?;
        // As random as the key, so that no two makers meet.
        let digest = Sha256::new().chain_update("name").chain_update(key.as_bytes()).finalize();
        let name = const_hex::encode(&digest[..8]);
        let new = self.folder.join(format!("{name}.new"));
        let written = (|| {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
            file.write_all(&encode(subject, key))?;
            file.sync_all()?;
            match fs::hard_link(&new, &self.key) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
                _ => Ok(()),
            }
        })();
        let removed = fs::remove_file(&new);
        written.and(removed)?;
        sync_folder(&self.folder)
    }

    fn remove_key(&self) -> Result<(), KeyError> {
        let remove = || match fs::remove_file(&self.key) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => sync_folder(&self.folder),
        };
        remove().map_err(|error| failed("remove a key", error))
    }
}

/// The file of `key`: eight bytes that say what it is, the key, and eight bytes of hash over subject and key.
fn encode(subject: &str, key: &Key) -> Vec<u8> {
    [&MAGIC[..], key.as_bytes(), &check(subject, key.as_bytes())].concat()
}

fn decode(subject: &str, bytes: &[u8]) -> Result<Key, KeyError> {
    let damaged = |reason: &str| KeyError::Damaged { reason: reason.to_owned() };
    let body = bytes.strip_prefix(MAGIC).ok_or_else(|| damaged("the file does not begin as a key file"))?;
    let (key, sum) = body.split_at_checked(32).ok_or_else(|| damaged("the file is too short"))?;
    if sum != check(subject, key) {
        return Err(damaged("the file's hash does not fit"));
    }
    Key::from_bytes(key).ok_or_else(|| damaged("the file is too short"))
}

fn check(subject: &str, key: &[u8]) -> [u8; 8] {
    let digest = Sha256::new().chain_update(key).chain_update(subject).finalize();
    let mut sum = [0; 8];
    sum.copy_from_slice(&digest[..8]);
    sum
}

/// Makes `folder` and those above it, for their owner alone, and syncs the one above.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    folder.parent().map_or(Ok(()), sync_folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    // A relative path of one part has the current folder above it.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyError> + Send + 'static,
) -> Result<T, KeyError> {
    let stopped = |_| KeyError::Unavailable { what: "the process is stopping".into(), source: None };
    tokio::task::spawn_blocking(work).await.map_err(stopped)?
}

fn failed(what: &str, error: io::Error) -> KeyError {
    KeyError::Unavailable { what: what.to_owned(), source: Some(Box::new(error)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_made_while_it_was_destroyed_is_taken_away_again() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder(root.path().to_owned());
        let place = Place::of(root.path(), "shop/ana");
        // The maker saw no mark; then came the destroyer; now the maker goes on.
        folder.destroy("shop/ana").unwrap();
        assert!(matches!(place.settle("shop/ana", &Key::generate().unwrap()), Err(KeyError::Erased)));
        assert!(!place.key.exists());
    }
}
