//! The secret by which the processes of one installation know each other.

use std::fs;
use std::path::Path;

use feira_gateway::load_or_create_secret;
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
    const NAME: &str = "rpc-secret";
    let path = folder.join(NAME);
    load_or_create_secret(folder, NAME)
        .map_err(|error| Failure::because(format!("cannot read or make the secret {}", path.display()), error))?;
    // The text is the secret, for whoever is given the file too.
    read(&path)
}
