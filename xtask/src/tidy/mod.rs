//! The checks that keep the project as it is laid out: arrows between packages, pure domains, finished files.

mod arrows;
mod pages;
mod purity;
mod roles;
mod text;

use std::path::Path;

use crate::workspace::{Finding, Workspace};

/// Everything that is out of place in the workspace at `root`, in the order of the files.
///
/// # Errors
/// When the workspace cannot be read.
pub fn check(root: &Path) -> Result<Vec<Finding>, String> {
    let workspace = Workspace::read(root)?;
    let mut findings = arrows::check(&workspace.packages);
    let places = pages::Places::new(&workspace.files);
    for file in &workspace.files {
        let Some(content) = workspace.text(file) else { continue };
        findings.extend(text::check(file, &content));
        findings.extend(places.check(file, &content));
        if purity::applies(file) {
            findings.extend(purity::check(file, &content));
        }
    }
    if let (Some(table), Some(page)) = (workspace.text(roles::TABLE), workspace.text(roles::PAGE)) {
        findings.extend(roles::check(&table, &page));
    }
    findings.sort();
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_in_its_place() {
        let findings = check(&crate::workspace::root()).unwrap();
        let list: String = findings.iter().map(|finding| format!("\n{finding}")).collect();
        assert!(findings.is_empty(), "{} out of place:{list}", findings.len());
    }

    #[test]
    fn what_is_out_of_place_is_found_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "services/cart/domain/Cargo.toml",
            "[package]\nname = \"feira-cart-domain\"\n[dependencies]\ntokio = \"1\"\n",
        );
        write("services/cart/domain/src/lib.rs", "async fn a() {}\n");
        write("ignored/b.rs", "todo!()");
        write(".gitignore", "ignored\n");
        let git = std::process::Command::new("git").args(["init", "--quiet"]).current_dir(folder.path()).status();
        assert!(git.unwrap().success());
        let places: Vec<_> = check(folder.path()).unwrap().into_iter().map(|finding| finding.place).collect();
        let source = "services/cart/domain/src/lib.rs:1";
        assert_eq!(places, ["services/cart/domain/Cargo.toml", source, source]);
    }
}
