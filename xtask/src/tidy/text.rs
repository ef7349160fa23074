//! What every file is held to: it opens by saying what it holds, it is one room, it is finished, and it is at home on
//! any machine.

use crate::tokens::{Token, tokens};
use crate::workspace::Finding;

/// The longest a Rust file may grow before it is more than one room.
const LINES_MAX: usize = 800;

/// How the folders of one person's machine begin. Put together here so that this file passes its own check.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/", "root/"), concat!("/", "home/"), concat!("/", "work/"), concat!("/", "Users/")];

/// How a file binds the build to one registry, which each machine's own settings choose.
const REGISTRY_SETTINGS: [(&str, &[&str]); 4] = [
    ("package-lock.json", &["\"resolved\": \"http"]),
    (".toml", &["[source.", "replace-with", "registry = \"http", "[registries."]),
    ("requirements.txt", &["--index-url", "--extra-index-url", "--find-links"]),
    ("pom.xml", &["<repository>", "<pluginRepository>"]),
];

/// What is wrong with a file of any kind.
pub fn check(file: &str, text: &str) -> Vec<Finding> {
    let mut findings = vec![];
    for (i, line) in text.lines().enumerate() {
        for path in MACHINE_PATHS {
            if line.match_indices(path).any(|(at, _)| begins_a_path(line, at)) {
                let what =
                    format!("names a folder of one machine (`{path}`): take it from a setting or the environment");
                findings.push(Finding::at(file, i + 1, what));
            }
        }
        for (ending, settings) in REGISTRY_SETTINGS {
            let found = settings.iter().find(|setting| file.ends_with(ending) && line.contains(**setting));
            let what = |setting| format!("`{setting}` binds the build to one registry: leave that to the machine");
            findings.extend(found.map(|setting| Finding::at(file, i + 1, what(setting))));
        }
    }
    if file.ends_with(".rs") {
        findings.extend(rust(file, text));
    }
    findings
}

/// Whether the path at `at` begins there, and is not the middle of a longer one such as `docs/tmp/`.
fn begins_a_path(line: &str, at: usize) -> bool {
    !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}$/*".contains(c))
}

fn rust(file: &str, text: &str) -> Vec<Finding> {
    let mut findings = vec![];
    if !opens_with_a_sentence(text) {
        findings.push(Finding::at(file, 1, "does not open with a `//!` sentence that says what the file holds"));
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        findings.push(Finding::new(file, format!("has {lines} lines, more than {LINES_MAX}: find its rooms")));
    }
    match tokens(text) {
        Ok(tokens) => findings.extend(unfinished(file, &tokens)),
        Err(error) => findings.push(Finding::new(file, format!("cannot be read as Rust: {error}"))),
    }
    findings
}

/// Whether the first line begins a `//!` paragraph with a capital and that paragraph holds a whole sentence.
fn opens_with_a_sentence(text: &str) -> bool {
    let opening: Vec<_> = text.lines().map_while(|line| line.strip_prefix("//! ")).collect();
    let begins = opening.first().and_then(|line| line.chars().next());
    let sentence = opening.join(" ");
    begins.is_some_and(|c| c.is_uppercase() || c.is_numeric() || c == '`')
        && (sentence.ends_with(['.', ':', '!']) || sentence.contains(". "))
}

/// Work left open: placeholders, traces, and tests that are passed over.
fn unfinished(file: &str, tokens: &[Token]) -> Vec<Finding> {
    let mut findings = vec![];
    for (i, token) in tokens.iter().enumerate() {
        let next = |step: usize| tokens.get(i + step);
        let open = ["todo", "unimplemented", "dbg"].iter().find(|word| token.is_word(word));
        if let Some(word) = open
            && next(1).is_some_and(|token| token.is_sign('!'))
        {
            findings.push(Finding::at(
                file,
                token.line,
                format!("`{word}!` is work left open: finish it or leave it out"),
            ));
        }
        let attribute = token.is_sign('#') && next(1).is_some_and(|token| token.is_sign('['));
        if attribute && next(2).is_some_and(|token| token.is_word("ignore")) {
            findings.push(Finding::at(
                file,
                token.line,
                "a test that is passed over proves nothing: mend or delete it",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENING: &str = "//! Holds one thing.\n";

    fn whats(file: &str, text: &str) -> Vec<String> {
        check(file, text).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_file_opens_by_saying_what_it_holds() {
        assert_eq!(whats("a.rs", OPENING), [""; 0]);
        assert_eq!(whats("a.rs", "//! Holds one thing that takes\n//! two lines to say.\n//!\n//! More.\n"), [""; 0]);
        for text in ["", "use a;\n", "//!\n//! Late.\n", "//! no capital.\n", "//! No sentence\n", "/// Wrong kind.\n"]
        {
            assert_eq!(
                whats("a.rs", text),
                ["a.rs:1: does not open with a `//!` sentence that says what the file holds"]
            );
        }
        assert_eq!(whats("a.md", "anything"), [""; 0]);
    }

    #[test]
    fn a_folder_of_one_machine_is_refused_in_any_file() {
        for path in MACHINE_PATHS {
            assert_eq!(whats("deploy/up.sh", &format!("ok\ncd {path}x\n")).len(), 1, "{path}");
            assert_eq!(whats("a.rs", &format!("{OPENING}const A: &str = \"{path}x\";\n")).len(), 1, "{path}");
            assert_eq!(whats("a.md", &format!("docs{path}x and $HERE{path}x")), [""; 0]);
        }
    }

    #[test]
    fn a_registry_is_left_to_the_machine() {
        assert_eq!(whats("tests/http/package-lock.json", "\"resolved\": \"https://example.org/a.tgz\"").len(), 1);
        assert_eq!(whats(".cargo/config.toml", "[source.mirror]").len(), 1);
        assert_eq!(whats("tests/requirements.txt", "--index-url https://example.org").len(), 1);
        assert_eq!(whats("deploy/local/pom.xml", "<repository>").len(), 1);
        assert_eq!(whats("README.md", "[source.mirror]"), [""; 0]);
    }

    #[test]
    fn work_left_open_is_refused() {
        for code in ["fn a() { todo!() }", "fn a() { unimplemented!() }", "fn a() { dbg!(b); }", "#[ignore] fn a() {}"]
        {
            assert_eq!(whats("a.rs", &format!("{OPENING}{code}\n")).len(), 1, "{code}");
        }
        assert_eq!(whats("a.rs", &format!("{OPENING}#[ignore = \"slow\"]\nfn a() {{}}\n")).len(), 1);
        assert_eq!(whats("a.rs", &format!("{OPENING}// todo!()\nconst A: &str = \"dbg!() #[ignore]\";\n")), [""; 0]);
    }

    #[test]
    fn a_file_is_one_room() {
        let text = format!("{OPENING}{}", "// A line.\n".repeat(LINES_MAX));
        assert_eq!(whats("a.rs", &text), ["a.rs: has 801 lines, more than 800: find its rooms"]);
    }
}
