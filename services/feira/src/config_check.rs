//! `feira config check`: the settings as `serve` reads them, secrets masked.

use std::path::Path;
use std::process::ExitCode;

use toml::{Table, Value};

use crate::cli::Output;
use crate::failure::Failure;
use crate::settings::Settings;

/// What stands in place of a secret.
const MASK: &str = "(set)";

/// Reads the settings, and prints them.
pub fn check(path: &Path, output: Output) -> Result<ExitCode, Failure> {
    let (_, mut table) = Settings::read_with_table(path)?;
    mask(&mut table);
    let unwritten =
        |error: Box<dyn std::error::Error + Send + Sync>| Failure::because("cannot print the settings", error);
    match output {
        Output::Json => println!("{}", serde_json::to_string(&table).map_err(|error| unwritten(error.into()))?),
        Output::Text => print!("{}", toml::to_string(&table).map_err(|error| unwritten(error.into()))?),
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes out what nobody may read over a shoulder. The name of a file that holds a secret is none.
fn mask(table: &mut Table) {
    for (key, value) in table {
        match value {
            Value::Table(inner) => mask(inner),
            value => {
                let names_a_file = key.ends_with("_file") || key.ends_with("_folder");
                if !names_a_file && ["password", "secret"].iter().any(|word| key.contains(word)) {
                    *value = Value::String(MASK.to_owned());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_their_files_are_named() {
        let text = "[cql]\npassword = \"12345\"\nuser = \"u\"\n[rpc]\nsecret_file = \"f\"\n[auth]\nsecret = 7\n";
        let mut table: Table = toml::from_str(text).unwrap();
        mask(&mut table);
        let shown = toml::to_string(&table).unwrap();
        assert!(!shown.contains("12345") && !shown.contains('7') && shown.contains("secret_file = \"f\""), "{shown}");
    }
}
