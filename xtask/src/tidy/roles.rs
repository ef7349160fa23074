//! The page on who may do what says what the table of operations says.
//!
//! The table is read from its source, since a tool is built with no package of the project.

use std::collections::BTreeMap;

use crate::tokens::{Kind, Token, tokens};
use crate::workspace::Finding;

/// Where the table is.
pub const TABLE: &str = "schemas/commands/src/operation.rs";

/// The page for people.
pub const PAGE: &str = "docs/roles.md";

/// The roles in the order of the page's columns.
const ROLES: [&str; 6] = ["Consumer", "Agent", "Admin", "Analyst", "Operator", "Service"];

/// Rows of the table that the page lacks, and rows of the page that are in no table.
pub fn check(source: &str, page: &str) -> Vec<Finding> {
    let operations = match tokens(source) {
        Ok(tokens) => operations(&tokens),
        Err(error) => return vec![Finding::new(TABLE, format!("cannot be read as Rust: {error}"))],
    };
    let rows: Vec<_> = operations.iter().map(|(name, roles)| row(name, roles)).collect();
    let lacking = rows.iter().filter(|row| !page.lines().any(|line| line == row.as_str()));
    let mut findings: Vec<_> = lacking.map(|row| Finding::new(PAGE, format!("lacks the row: {row}"))).collect();
    for (i, line) in page.lines().enumerate() {
        if line.starts_with("| `") && !rows.iter().any(|row| row == line) {
            findings.push(Finding::at(PAGE, i + 1, "says what the table of operations does not"));
        }
    }
    findings
}

fn row(name: &str, roles: &[String]) -> String {
    let cells = ROLES.iter().map(|role| if roles.iter().any(|known| known == role) { " yes |" } else { " |" });
    format!("| `{name}` |{}", cells.collect::<String>())
}

/// Each operation's name and roles, in the order of the table.
fn operations(tokens: &[Token]) -> Vec<(String, Vec<String>)> {
    let mut lists: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut operations = vec![];
    for (i, token) in tokens.iter().enumerate() {
        let rest = &tokens[i + 1..];
        let field = rest.first().is_some_and(|token| token.is_sign(':'));
        if token.is_word("const")
            && let Some(name) = rest.first().and_then(Token::word)
        {
            let until = rest.iter().position(|token| token.is_sign(';')).unwrap_or(rest.len());
            lists.insert(name, roles(&rest[..until]));
        } else if token.is_word("name")
            && field
            && let Some(Kind::Literal(text)) = rest.get(1).map(|token| &token.kind)
        {
            operations.push((text.trim_matches('"').to_owned(), vec![]));
        } else if token.is_word("roles")
            && field
            && let Some((_, granted)) = operations.last_mut()
        {
            let until = rest.iter().position(|token| token.is_sign('}')).unwrap_or(rest.len());
            let named = rest.get(1).and_then(Token::word).and_then(|list| lists.get(list));
            *granted = named.cloned().unwrap_or_else(|| roles(&rest[..until]));
        }
    }
    operations
}

/// The words that follow `Role::`.
fn roles(tokens: &[Token]) -> Vec<String> {
    let paths =
        tokens.windows(4).filter(|path| path[0].is_word("Role") && path[1].is_sign(':') && path[2].is_sign(':'));
    paths.filter_map(|path| path[3].word()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
        const KEEPERS: &[Role] = &[Role::Admin, Role::Service];
        pub const OPERATIONS: &[Operation] = &[
            Operation { name: "catalog.put", kind: "product", roles: KEEPERS },
            Operation { name: "cart.undo", kind: "cart", roles: &[Role::Consumer] },
        ];
    "#;

    const PUT: &str = "| `catalog.put` | | | yes | | | yes |";
    const UNDO: &str = "| `cart.undo` | yes | | | | | |";

    #[test]
    fn a_page_that_says_the_same_passes() {
        assert_eq!(check(SOURCE, &format!("# Who\n\n{PUT}\n{UNDO}\n")), []);
    }

    #[test]
    fn a_row_too_few_and_a_row_too_many_are_found() {
        let findings = check(SOURCE, &format!("{PUT}\n| `cart.undo` | yes | yes | | | | |\n"));
        let texts: Vec<_> = findings.iter().map(Finding::to_string).collect();
        let lacking = format!("docs/roles.md: lacks the row: {UNDO}");
        assert_eq!(texts, [lacking.as_str(), "docs/roles.md:2: says what the table of operations does not"]);
    }
}
