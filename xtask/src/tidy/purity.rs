//! A domain decides from what it is given: no waiting, clock, chance, outside world, or float.
//!
//! The packages that a domain is built with are held to the same, so that nothing comes in through them.

use crate::tokens::{Kind, Token, tokens};
use crate::workspace::Finding;

/// The folders whose sources are pure, beside `services/*/domain`.
const PURE: [&str; 7] = [
    "crates/money/",
    "crates/ids/",
    "crates/calendar/",
    "crates/decider/",
    "crates/mutants/",
    "schemas/events/",
    "schemas/commands/",
];

/// Words that have no place in a pure package, and what to do instead.
const WORDS: [(&[&str], &str); 6] = [
    (&["async", "await"], "waits: what must be fetched comes in with the command, gathered by the server"),
    (&["SystemTime", "Instant"], "reads a clock: the time comes in as `at`"),
    (&["rand", "getrandom", "thread_rng", "RandomState"], "takes a chance: ids and numbers come in with the command"),
    (&["f32", "f64"], "counts in floats: use whole minor or micro units"),
    (&["tokio", "reqwest", "thread_local"], "reaches outside: that is the server's work"),
    (&["println", "print", "eprintln", "eprint"], "writes to the terminal: return an event or a refusal"),
];

/// Modules of the standard library that reach outside.
const MODULES: [&str; 7] = ["fs", "net", "env", "thread", "process", "io", "os"];

/// Whether `file` belongs to a package that must be pure.
pub fn applies(file: &str) -> bool {
    let domain = file.starts_with("services/") && file.split('/').nth(2) == Some("domain");
    file.ends_with(".rs") && (domain || PURE.iter().any(|folder| file.starts_with(folder)))
}

/// What in `source` is not pure.
pub fn check(file: &str, source: &str) -> Vec<Finding> {
    let tokens = match tokens(source) {
        Ok(tokens) => tokens,
        Err(error) => return vec![Finding::new(file, format!("cannot be read as Rust: {error}"))],
    };
    let mut findings = vec![];
    let ordered = file.starts_with("services/");
    for (i, token) in tokens.iter().enumerate() {
        let at = |what: String| Finding::at(file, token.line, what);
        match &token.kind {
            Kind::Word(word) => {
                let advice = WORDS.iter().find(|(words, _)| words.contains(&word.as_str()));
                findings.extend(advice.map(|(_, advice)| at(format!("`{word}` {advice}"))));
                if ordered && ["HashMap", "HashSet"].contains(&word.as_str()) {
                    findings.push(at(format!("`{word}` has an order by chance: use its BTree sister")));
                }
                if word == "now" && i > 1 && tokens[i - 1].is_sign(':') && tokens[i - 2].is_sign(':') {
                    findings.push(at("`now` reads a clock: the time comes in as `at`".to_owned()));
                }
                if word == "std" || word == "core" {
                    let outside = modules(&tokens[i + 1..]);
                    findings.extend(outside.into_iter().map(|m| at(format!("`{word}::{m}` reaches outside"))));
                }
            }
            // A number after a point is a field of a tuple, and two of them look like a float. Tests weigh chances.
            Kind::Literal(text) if is_float(text) && !is_test(file) && !(i > 0 && tokens[i - 1].is_sign('.')) => {
                findings.push(at(format!("`{text}` is a float: use whole minor or micro units")));
            }
            Kind::Literal(_) | Kind::Sign(_) => {}
        }
    }
    findings
}

/// The outside modules named right after `std`: one, or those in a list.
fn modules(after: &[Token]) -> Vec<String> {
    let [first, second, rest @ ..] = after else { return vec![] };
    if !first.is_sign(':') || !second.is_sign(':') {
        return vec![];
    }
    let list = rest.first().is_some_and(|token| token.is_sign('{'));
    let named =
        if list { rest.split(|token| token.is_sign(';')).next().unwrap_or(&[]) } else { &rest[..rest.len().min(1)] };
    named.iter().filter_map(Token::word).filter(|word| MODULES.contains(word)).map(str::to_owned).collect()
}

/// Whether the file holds tests alone.
fn is_test(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

fn is_float(literal: &str) -> bool {
    let digits = literal.starts_with(|c: char| c.is_ascii_digit());
    let other_base = ["0x", "0b", "0o"].iter().any(|base| literal.starts_with(base));
    digits
        && !other_base
        && (literal.contains('.') || literal.contains("f32") || literal.contains("f64") || literal.contains(['e', 'E']))
        && !literal.ends_with("size")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "services/cart/domain/src/cart/decide.rs";

    #[test]
    fn each_way_out_is_refused() {
        for source in [
            "async fn a() {}",
            "fn a() { b.await }",
            "fn a() -> std::time::SystemTime { todo() }",
            "use std::time::Instant;",
            "use std::fs;",
            "use std::net::TcpStream;",
            "fn a() { std::env::var(\"A\"); }",
            "fn a() { std::thread::sleep(b); }",
            "use std::{collections::BTreeMap, fs::File};",
            "fn a() { rand::random() }",
            "fn a() { jiff::Timestamp::now() }",
            "struct A(f32);",
            "fn a(b: f64) {}",
            "const A: u64 = 1.5 as u64;",
            "const A: u64 = 1e3 as u64;",
            "use std::collections::HashMap;",
            "fn a() { println!(\"b\"); }",
            "fn a( {",
        ] {
            assert!(!check(FILE, source).is_empty(), "not refused: {source}");
        }
    }

    #[test]
    fn what_is_pure_passes() {
        let source = r#"
            //! Waits for no clock: async, f64, std::fs and 1.5 are only words here.
            use std::collections::BTreeMap;
            use std::{fmt, sync::Arc};
            const A: &str = "async std::fs 1.5";
            fn a(at: At, b: ((u8, u8), u8)) -> u8 { let now = at; c(A { at: now }); (b.0.1) + 0x1e + 1_000usize as u8 + 'e' as u8 }
        "#;
        assert_eq!(check(FILE, source), []);
        let test = "services/cart/domain/src/cart/tests.rs";
        assert_eq!(check(test, "fn a() { weighted(0.9, b) }"), []);
        assert_eq!(check(test, "fn a(b: f64) {}").len(), 1);
    }

    #[test]
    fn only_domains_and_what_they_are_built_with_are_held_to_it() {
        for file in [FILE, "services/cart/domain/tests/laws.rs", "crates/money/src/lib.rs", "schemas/events/src/lib.rs"]
        {
            assert!(applies(file), "{file}");
        }
        for file in ["services/cart/server/src/lib.rs", "crates/runtime/src/lib.rs", "crates/money/Cargo.toml"] {
            assert!(!applies(file), "{file}");
        }
    }
}
