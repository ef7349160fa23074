//! The packages in `Cargo.lock`: a new service's are entered there as cargo would, so that nothing else moves.

use super::name::Name;
use crate::workspace::Package;

/// The lock file, package by package.
struct Lock<'a> {
    head: &'a str,
    packages: Vec<String>,
}

const PACKAGE: &str = "[[package]]\n";

impl<'a> Lock<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        let (head, rest) = text.split_at(text.find(PACKAGE).ok_or("it names no package")?);
        let packages = rest.split(PACKAGE).skip(1).map(|package| package.trim_end().to_owned()).collect();
        let lock = Self { head, packages };
        if lock.text() == text { Ok(lock) } else { Err("it is not in the form that cargo writes".to_owned()) }
    }

    fn text(&self) -> String {
        let packages = self.packages.iter().map(|package| format!("{PACKAGE}{package}\n"));
        self.head.to_owned() + &packages.collect::<Vec<_>>().join("\n")
    }

    /// How `name` is written among dependencies: with its version where there are several.
    fn spelled(&self, name: &str) -> Result<String, String> {
        let there = self.packages.iter().filter(|package| named(package) == name).count();
        match there {
            0 => Err(format!("it does not know {name}")),
            1 => Ok(name.to_owned()),
            _ => {
                let ours = self.packages.iter().filter(|package| is_ours(package));
                let mut lines = ours.flat_map(|package| package.lines().filter_map(dependency));
                let spelled = lines.find(|line| line.split(' ').next() == Some(name));
                spelled.map(str::to_owned).ok_or_else(|| format!("no package of ours says which {name} it takes"))
            }
        }
    }

    fn insert(&mut self, package: String) {
        let at = self.packages.iter().position(|other| named(other) > named(&package)).unwrap_or(self.packages.len());
        self.packages.insert(at, package);
    }
}

/// A package's name.
fn named(package: &str) -> &str {
    package.lines().next().and_then(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).unwrap_or("")
}

/// Whether a package is of this workspace: it comes from nowhere else.
fn is_ours(package: &str) -> bool {
    !package.contains("\nsource = ")
}

/// The dependency that a line names.
fn dependency(line: &str) -> Option<&str> {
    line.strip_prefix(" \"")?.strip_suffix("\",")
}

/// `lock` with the packages of the service called `name`, whose manifests are `domain` and `server`.
///
/// # Errors
/// When the lock file has another form, or lacks what the packages are built with; says so.
pub fn with_service(lock: &str, name: &Name, domain: &Package, server: &Package) -> Result<String, String> {
    let mut lock = Lock::parse(lock)?;
    let binary = lock.packages.iter().position(|package| named(package) == "feira").ok_or("it does not know feira")?;
    let version = lock.packages[binary].lines().nth(1).unwrap_or("").to_owned();
    for package in [domain, server] {
        let mut needs = package.needs.iter().chain(&package.tests_need);
        let spelled: Result<Vec<_>, _> = needs.by_ref().map(|need| lock.spelled(need)).collect();
        let mut spelled = spelled?;
        spelled.sort();
        let needs: String = spelled.iter().map(|need| format!(" \"{need}\",\n")).collect();
        lock.insert(format!("name = \"{}\"\n{version}\ndependencies = [\n{needs}]", package.name));
    }
    let binary = lock.packages.iter_mut().find(|package| named(package) == "feira");
    if let Some(binary) = binary {
        *binary = with_dependency(binary, &name.fill("feira-__name__-server"))?;
    }
    Ok(lock.text())
}

/// A package with one dependency more, in its order.
fn with_dependency(package: &str, need: &str) -> Result<String, String> {
    let mut lines: Vec<_> = package.lines().map(str::to_owned).collect();
    let after = |line: &String| dependency(line).is_some_and(|other| other > need);
    let end = |line: &String| line == "]";
    let at = lines.iter().position(|line| after(line) || end(line)).ok_or("feira is built with nothing")?;
    lines.insert(at, format!(" \"{need}\","));
    Ok(lines.join("\n"))
}

/// `lock` with every package of the workspace under another version.
///
/// # Errors
/// When the lock file has another form.
pub fn with_version(lock: &str, from: &str, to: &str) -> Result<String, String> {
    let mut lock = Lock::parse(lock)?;
    let (from, to) = (format!("\nversion = \"{from}\""), format!("\nversion = \"{to}\""));
    for package in lock.packages.iter_mut().filter(|package| is_ours(package)) {
        *package = package.replacen(&from, &to, 1);
    }
    Ok(lock.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"# This file is generated.
version = 4

[[package]]
name = "feira"
version = "0.1.0"
dependencies = [
 "feira-cart-server",
 "feira-verify",
 "sha2 0.11.1",
]

[[package]]
name = "feira-cart-server"
version = "0.1.0"

[[package]]
name = "feira-verify"
version = "0.1.0"

[[package]]
name = "sha2"
version = "0.1.0"
source = "registry"

[[package]]
name = "sha2"
version = "0.11.1"
source = "registry"
"#;

    fn package(name: &str, needs: &[&str]) -> Package {
        let needs = needs.iter().map(|&need| need.to_owned()).collect();
        Package { name: name.to_owned(), needs, ..Package::default() }
    }

    #[test]
    fn packages_are_entered_in_their_order_with_what_they_take() {
        let name = Name::parse("loyalty").unwrap();
        let domain = package("feira-loyalty-domain", &["sha2", "feira-verify"]);
        let server = package("feira-loyalty-server", &["feira-loyalty-domain"]);
        let entered = with_service(LOCK, &name, &domain, &server).unwrap();
        let expected = "[[package]]\nname = \"feira-loyalty-domain\"\nversion = \"0.1.0\"\ndependencies = [\n \
                        \"feira-verify\",\n \"sha2 0.11.1\",\n]\n\n[[package]]\nname = \"feira-loyalty-server\"\n";
        assert!(entered.contains(expected), "{entered}");
        assert!(entered.contains(" \"feira-cart-server\",\n \"feira-loyalty-server\",\n \"feira-verify\",\n"));
        assert!(
            entered.find("feira-loyalty-domain\"\nversion").unwrap()
                < entered.find("\"feira-verify\"\nversion").unwrap()
        );
    }

    #[test]
    fn what_is_not_locked_is_named() {
        let name = Name::parse("loyalty").unwrap();
        let refused = with_service(LOCK, &name, &package("a", &["tokio"]), &package("b", &[])).unwrap_err();
        assert_eq!(refused, "it does not know tokio");
    }

    #[test]
    fn only_packages_of_the_workspace_change_their_version() {
        let changed = with_version(LOCK, "0.1.0", "0.1.0-trial").unwrap();
        assert_eq!(changed.matches("0.1.0-trial").count(), 3);
        assert!(changed.contains("name = \"sha2\"\nversion = \"0.1.0\"\n"));
    }
}
