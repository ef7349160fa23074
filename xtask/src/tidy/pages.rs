//! What pages for people point to is there: links within the project, and paths written as code.

use std::collections::BTreeSet;

use crate::workspace::Finding;

/// The folders whose paths are followed when they stand in code quotes.
const FOLDERS: [&str; 9] =
    [".ci/", "crates/", "deploy/", "docs/", "load-tests/", "schemas/", "services/", "tests/", "xtask/"];

/// Every file of the project and every folder that holds one, as paths from the root.
pub struct Places(BTreeSet<String>);

impl Places {
    /// The places that `files` make.
    pub fn new(files: &[String]) -> Self {
        let mut places = BTreeSet::new();
        for file in files {
            places.insert(file.clone());
            let folders = file.match_indices('/').map(|(at, _)| file[..at].to_owned());
            places.extend(folders);
        }
        Self(places)
    }

    /// What a page points to that is not there.
    pub fn check(&self, page: &str, text: &str) -> Vec<Finding> {
        if !page.ends_with(".md") {
            return vec![];
        }
        let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut findings = vec![];
        for (i, line) in text.lines().enumerate() {
            let links = line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
            let linked = links.filter_map(|link| resolve(folder, link));
            let quoted = line.split('`').skip(1).step_by(2).filter_map(path);
            for place in linked.chain(quoted).filter(|place| !self.0.contains(place)) {
                findings.push(Finding::at(page, i + 1, format!("points to `{place}`, which is not there")));
            }
        }
        findings
    }
}

/// The place a link within the project means; none for links elsewhere.
fn resolve(folder: &str, link: &str) -> Option<String> {
    let target = link.split('#').next().unwrap_or(link);
    if target.is_empty() || target.contains(':') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The place a quoted path means; none for commands, patterns and what lies elsewhere.
fn path(quoted: &str) -> Option<String> {
    let whole = FOLDERS.iter().any(|folder| quoted.starts_with(folder));
    let plain = quoted.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c));
    (whole && plain).then(|| quoted.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(page: &str, text: &str) -> Vec<String> {
        let files = ["docs/roles.md", "crates/ids/src/lib.rs", "README.md"].map(str::to_owned);
        Places::new(&files).check(page, text).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn what_is_there_may_be_pointed_to() {
        let page =
            "[a](roles.md#who) [b](../README.md) [c](https://example.org/x) [d](#here) `crates/ids` `crates/ids/`";
        assert_eq!(findings("docs/index.md", page), [""; 0]);
        assert_eq!(findings("docs/index.md", "`services/*/domain` `docs/<name>.md` `make test`"), [""; 0]);
        assert_eq!(findings("a.rs", "[a](nowhere.md)"), [""; 0]);
    }

    #[test]
    fn what_is_not_there_is_found() {
        let found = findings("docs/index.md", "ok\n[a](gone.md) and `crates/gone/src/lib.rs`\n");
        let expected = ["docs/gone.md", "crates/gone/src/lib.rs"];
        assert_eq!(found, expected.map(|p| format!("docs/index.md:2: points to `{p}`, which is not there")));
    }
}
