//! The keyring in a folder keeps the rules of every keyring, and its files are right.
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use feira_sealing::{FileKeyring, KeyError, Keyring, suite};
use libtest_mimic::{Arguments, Trial};
use tokio::runtime::Runtime;

fn main() {
    let mut trials: Vec<Trial> = suite::rules()
        .into_iter()
        .map(|rule| {
            Trial::test(rule.name, move || {
                let folder = tempfile::tempdir()?;
                let open = || FileKeyring::open(&folder.path().join("keys")).map(Arc::new);
                let (one, other) = (open()?, open()?);
                Runtime::new()?.block_on((rule.run)((one, other)));
                Ok(())
            })
        })
        .collect();
    trials.push(Trial::test("keys_are_there_when_it_opens_again", || {
        opens_again();
        Ok(())
    }));
    trials.push(Trial::test("files_are_for_their_owner_and_name_nobody", || {
        files_are_private();
        Ok(())
    }));
    trials.push(Trial::test("a_damaged_file_is_said_to_be_damaged", || {
        damage_is_said();
        Ok(())
    }));
    trials.push(Trial::test("nothing_of_a_destroyed_key_is_left", || {
        nothing_is_left();
        Ok(())
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn run<T>(work: impl Future<Output = T>) -> T {
    Runtime::new().expect("a runtime starts").block_on(work)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let key = run(FileKeyring::open(folder.path()).unwrap().key("shop/ana")).unwrap();
    assert_eq!(run(FileKeyring::open(folder.path()).unwrap().existing("shop/ana")).unwrap(), key);
}

fn files_are_private() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    run(FileKeyring::open(&keys).unwrap().key("shop/ana")).unwrap();
    let files = files(&keys);
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(!files[0].to_str().unwrap().contains("ana"));
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&files[0]), mode(files[0].parent().unwrap()), mode(&keys)), (0o600, 0o700, 0o700));
}

fn damage_is_said() {
    let folder = tempfile::tempdir().unwrap();
    run(FileKeyring::open(folder.path()).unwrap().key("shop/ana")).unwrap();
    let file = files(folder.path()).remove(0);
    let whole = std::fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[20] ^= 1;
    for bytes in [&flipped[..], &whole[..47], &whole[..10], b""] {
        std::fs::write(&file, bytes).unwrap();
        let keyring = FileKeyring::open(folder.path()).unwrap();
        assert!(matches!(run(keyring.key("shop/ana")), Err(KeyError::Damaged { .. })));
    }
}

fn nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = FileKeyring::open(folder.path()).unwrap();
    run(keyring.key("shop/ana")).unwrap();
    run(keyring.destroy("shop/ana")).unwrap();
    let files = files(folder.path());
    assert!(files.len() == 1 && std::fs::read(&files[0]).unwrap().is_empty(), "{files:?}");
}
