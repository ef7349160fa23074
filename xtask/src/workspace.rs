//! What the checks look at: the packages of the workspace and the files that belong to it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the workspace that this process was started in.
///
/// # Panics
/// When it was started outside of one: cargo starts it within.
pub fn root() -> PathBuf {
    let here = std::env::current_dir().expect("the folder this was started in is still there");
    let holds = |folder: &&Path| folder.join("Cargo.lock").is_file();
    here.ancestors().find(holds).expect("this is started within the workspace").to_owned()
}

/// Something that is not as it should be, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// A file, with its line where that helps.
    pub place: String,
    /// What is wrong and what to do.
    pub what: String,
}

impl Finding {
    /// A finding on a whole file.
    pub fn new(place: &str, what: impl Into<String>) -> Self {
        Self { place: place.to_owned(), what: what.into() }
    }

    /// A finding on a line, counted from 1.
    pub fn at(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self { place: format!("{file}:{line}"), what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// A package and what it names as its dependencies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// Its name: `feira-cart-domain`.
    pub name: String,
    /// Its folder, from the root: `services/cart/domain`.
    pub folder: String,
    /// What it is built with.
    pub needs: Vec<String>,
    /// What only its tests are built with.
    pub tests_need: Vec<String>,
    /// Its benchmarks, by name.
    pub benches: Vec<String>,
}

impl Package {
    /// Reads the manifest that lies in `folder`; none when it describes no package (the workspace's own).
    ///
    /// # Errors
    /// When the text is not TOML.
    pub fn parse(folder: &str, manifest: &str) -> Result<Option<Self>, String> {
        let table: toml::Table = manifest.parse().map_err(|error| format!("{folder}/Cargo.toml: {error}"))?;
        let Some(name) = table.get("package").and_then(|p| p.get("name")).and_then(toml::Value::as_str) else {
            return Ok(None);
        };
        let mut package = Self { name: name.to_owned(), folder: folder.to_owned(), ..Self::default() };
        let benches = table.get("bench").and_then(toml::Value::as_array).into_iter().flatten();
        let names = benches.filter_map(|bench| bench.get("name").and_then(toml::Value::as_str));
        package.benches.extend(names.map(str::to_owned));
        let mut sections = vec![&table];
        let targets = table.get("target").and_then(toml::Value::as_table);
        sections.extend(targets.into_iter().flat_map(toml::Table::values).filter_map(toml::Value::as_table));
        for section in sections {
            package.needs.extend(named(section, "dependencies"));
            package.needs.extend(named(section, "build-dependencies"));
            package.tests_need.extend(named(section, "dev-dependencies"));
        }
        Ok(Some(package))
    }
}

/// The packages named in a section, by their own names where they are renamed.
fn named(section: &toml::Table, key: &str) -> Vec<String> {
    let Some(dependencies) = section.get(key).and_then(toml::Value::as_table) else { return vec![] };
    let name = |(alias, value): (&String, &toml::Value)| {
        value.get("package").and_then(toml::Value::as_str).unwrap_or(alias).to_owned()
    };
    dependencies.iter().map(name).collect()
}

/// The workspace as it lies on disk.
pub struct Workspace {
    /// Its folder.
    pub root: PathBuf,
    /// Every file that is or will be under version control, from the root.
    pub files: Vec<String>,
    /// Every package.
    pub packages: Vec<Package>,
}

impl Workspace {
    /// Reads the workspace in `root`.
    ///
    /// # Errors
    /// When git does not list the files, or a manifest cannot be read.
    pub fn read(root: &Path) -> Result<Self, String> {
        let files = files(root)?;
        let mut packages = vec![];
        for file in files.iter().filter(|file| file.ends_with("/Cargo.toml")) {
            let folder = file.trim_end_matches("/Cargo.toml");
            let text = std::fs::read_to_string(root.join(file)).map_err(|error| format!("{file}: {error}"))?;
            packages.extend(Package::parse(folder, &text)?);
        }
        Ok(Self { root: root.to_owned(), files, packages })
    }

    /// A file's text; none when it is not text, or was deleted and that is not committed yet.
    pub fn text(&self, file: &str) -> Option<String> {
        std::fs::read_to_string(self.root.join(file)).ok()
    }
}

/// The files under version control, and the new ones that are not ignored.
///
/// # Errors
/// When git does not list them.
pub fn files(root: &Path) -> Result<Vec<String>, String> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cannot run git, which lists the files to check: {error}"))?;
    if !output.status.success() {
        return Err(format!("git does not list the files: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let text = String::from_utf8(output.stdout).map_err(|_| "a file's name is not UTF-8".to_owned())?;
    let mut files: Vec<String> = text.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    files.sort();
    files.dedup();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_its_dependencies_wherever_they_stand() {
        let manifest = r#"
            [package]
            name = "feira-cart-domain"
            [dependencies]
            serde.workspace = true
            other = { package = "feira-ids", path = "x" }
            [target.'cfg(unix)'.dependencies]
            rustix = "1"
            [build-dependencies]
            cc = "1"
            [dev-dependencies]
            proptest = "1"
            [[bench]]
            name = "fold"
            harness = false
        "#;
        let package = Package::parse("services/cart/domain", manifest).unwrap().unwrap();
        assert_eq!(package.needs, ["feira-ids", "serde", "cc", "rustix"]);
        assert_eq!(package.tests_need, ["proptest"]);
        assert_eq!(package.benches, ["fold"]);
    }

    #[test]
    fn a_manifest_without_a_package_is_passed_over() {
        assert_eq!(Package::parse("", "[workspace]\nmembers = []").unwrap(), None);
        assert!(Package::parse("", "[workspace").is_err());
    }
}
