//! Thirty-two secret bytes in a file that only its owner may read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Reads the secret in `folder/name`, making it where there is none. Two that make it at once agree on one.
///
/// # Errors
/// When the file cannot be read or made, or holds something else than 64 hexadecimal digits.
pub fn load_or_create_secret(folder: &Path, name: &str) -> io::Result<[u8; 32]> {
    fs::create_dir_all(folder)?;
    let path = folder.join(name);
    match read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        read => return read,
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| io::Error::other(error.to_string()))?;
    let mut suffix = [0; 8];
    getrandom::fill(&mut suffix).map_err(|error| io::Error::other(error.to_string()))?;
    // Written whole under another name and then linked: nobody reads half a secret, and who comes second takes the first.
    let draft = folder.join(format!(".{name}.{:016x}", u64::from_be_bytes(suffix)));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(const_hex::encode(secret).as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, &path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => {
            File::open(folder)?.sync_all()?;
            Ok(secret)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read(&path),
        Err(error) => Err(error),
    }
}

fn read(path: &Path) -> io::Result<[u8; 32]> {
    let mut text = String::new();
    File::open(path)?.take(128).read_to_string(&mut text)?;
    from_hex(text.trim()).ok_or_else(|| {
        let what = format!("{} does not hold 64 hexadecimal digits", path.display());
        io::Error::new(io::ErrorKind::InvalidData, what)
    })
}

pub(super) fn from_hex(text: &str) -> Option<[u8; 32]> {
    const_hex::decode_to_array(text).ok()
}
