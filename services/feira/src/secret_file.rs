//! The secret by which the processes of one installation know each other.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use feira_runtime::Secret;

use crate::failure::Failure;

/// Reads the secret from `path`.
pub fn read(path: &Path) -> Result<Secret, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::because(format!("cannot read the secret in {}", path.display()), error))?;
    Secret::new(text.trim().as_bytes())
        .map_err(|error| Failure::because(format!("the secret in {} cannot be used", path.display()), error))
}

/// Reads the secret in `folder`, made there where there is none: for development. Processes that start at once agree
/// on one.
pub fn load_or_create(folder: &Path) -> Result<Secret, Failure> {
    let path = folder.join("rpc-secret");
    if !path.is_file() {
        make(folder, &path)
            .map_err(|error| Failure::because(format!("cannot make the secret {}", path.display()), error))?;
    }
    read(&path)
}

fn make(folder: &Path, path: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let hex = random_hex()?;
    // Written whole under another name and then linked: nobody reads half a secret, and who comes second takes the first.
    let draft = folder.join(format!(".rpc-secret.{}", &random_hex()?[..16]));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(hex.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => File::open(folder)?.sync_all(),
    }
}

fn random_hex() -> io::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(const_hex::encode(bytes))
}
