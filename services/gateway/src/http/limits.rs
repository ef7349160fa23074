//! What a query may be before anything is done with it: its words, its nesting, its fields and their other names.
//!
//! The library checks depth and cost only after walking every fragment as often as it is spread, which a short query
//! can make longer than the age of the universe. So sizes are computed here first, each fragment once.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

/// The most words and signs of a query.
pub(crate) const TOKENS_MAX: usize = 2_000;
/// The deepest nesting of brackets: the parser calls itself for each.
pub(crate) const NESTING_MAX: usize = 64;
/// The most aliases, counted with every spread of a fragment.
pub(crate) const ALIASES_MAX: u64 = 200;
/// The most fields, counted with every spread of a fragment.
pub(crate) const FIELDS_MAX: u64 = 2_000;

/// Refuses a text that is too much to parse.
pub(crate) fn check_text(query: &str) -> Result<(), String> {
    let bytes = query.as_bytes();
    let (mut at, mut tokens, mut nesting) = (0, 0usize, 0usize);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                at += 1;
                continue;
            }
            b'#' => {
                at = bytes[at..].iter().position(|b| matches!(b, b'\n' | b'\r')).map_or(bytes.len(), |end| at + end);
                continue;
            }
            b'"' => at = after_string(bytes, at),
            b'(' | b'[' | b'{' => {
                nesting += 1;
                at += 1;
            }
            b')' | b']' | b'}' => {
                nesting = nesting.saturating_sub(1);
                at += 1;
            }
            byte if is_word(byte) => {
                at = bytes[at..].iter().position(|b| !is_word(*b)).map_or(bytes.len(), |end| at + end)
            }
            _ => at += 1,
        }
        tokens += 1;
        if tokens > TOKENS_MAX {
            return Err(format!("the query has more than {TOKENS_MAX} words and signs"));
        }
        if nesting > NESTING_MAX {
            return Err(format!("the query nests brackets more than {NESTING_MAX} deep"));
        }
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where the string that begins at `at` has ended; the end of the text when it does not.
fn after_string(bytes: &[u8], at: usize) -> usize {
    let block = bytes[at..].starts_with(b"\"\"\"");
    let mut at = if block { at + 3 } else { at + 1 };
    while at < bytes.len() {
        if block {
            if bytes[at..].starts_with(b"\\\"\"\"") {
                at += 4;
            } else if bytes[at..].starts_with(b"\"\"\"") {
                return at + 3;
            } else {
                at += 1;
            }
        } else {
            match bytes[at] {
                b'\\' => at += 2,
                b'"' => return at + 1,
                // A plain string ends with its line, closed or not.
                b'\n' | b'\r' => return at,
                _ => at += 1,
            }
        }
    }
    bytes.len()
}

/// How much of something there is, with every spread of a fragment.
#[derive(Clone, Copy, Default)]
struct Size {
    fields: u64,
    aliases: u64,
}

/// Refuses a document that is too much to check or run.
pub(crate) fn check_document(document: &ExecutableDocument) -> Result<(), String> {
    let mut sizes = HashMap::new();
    for (_, operation) in document.operations.iter() {
        let size = size(document, &operation.node.selection_set.node, &mut sizes)?;
        if size.aliases > ALIASES_MAX {
            return Err(format!("the query has more than {ALIASES_MAX} aliases"));
        }
        if size.fields > FIELDS_MAX {
            return Err(format!("the query has more than {FIELDS_MAX} fields"));
        }
    }
    // A fragment that no operation spreads is walked by the library all the same.
    for name in document.fragments.keys() {
        of_fragment(document, name.as_str(), &mut sizes)?;
    }
    Ok(())
}

/// Sizes of fragments; none while one is being computed.
type Sizes<'a> = HashMap<&'a str, Option<Size>>;

fn size<'a>(document: &'a ExecutableDocument, set: &'a SelectionSet, sizes: &mut Sizes<'a>) -> Result<Size, String> {
    let mut total = Size::default();
    for selection in &set.items {
        let inner = match &selection.node {
            Selection::Field(field) => {
                total.fields = total.fields.saturating_add(1);
                total.aliases = total.aliases.saturating_add(u64::from(field.node.alias.is_some()));
                size(document, &field.node.selection_set.node, sizes)?
            }
            Selection::InlineFragment(fragment) => size(document, &fragment.node.selection_set.node, sizes)?,
            Selection::FragmentSpread(spread) => of_fragment(document, spread.node.fragment_name.node.as_str(), sizes)?,
        };
        total.fields = total.fields.saturating_add(inner.fields);
        total.aliases = total.aliases.saturating_add(inner.aliases);
    }
    Ok(total)
}

fn of_fragment<'a>(document: &'a ExecutableDocument, name: &str, sizes: &mut Sizes<'a>) -> Result<Size, String> {
    // A spread of what is not there is for the library to refuse.
    let Some((name, fragment)) = document.fragments.get_key_value(name) else { return Ok(Size::default()) };
    match sizes.get(name.as_str()) {
        Some(Some(size)) => return Ok(*size),
        Some(None) => return Err(format!("fragment {name} spreads itself")),
        None => {}
    }
    sizes.insert(name.as_str(), None);
    let size = size(document, &fragment.node.selection_set.node, sizes)?;
    if size.fields > FIELDS_MAX {
        return Err(format!("fragment {name} has more than {FIELDS_MAX} fields"));
    }
    sizes.insert(name.as_str(), Some(size));
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str) -> Result<(), String> {
        check_text(query)?;
        check_document(&async_graphql::parser::parse_query(query).map_err(|error| error.to_string())?)
    }

    #[test]
    fn words_in_strings_and_comments_do_not_count() {
        let words = "word ".repeat(TOKENS_MAX);
        assert_eq!(check(&format!("# {words}\n{{ a(b: \"{words}\", c: \"\"\"{words} \\\"\"\" \"\"\") }}")), Ok(()));
        assert!(check(&format!("{{ {words} }}")).unwrap_err().contains("words"));
    }

    #[test]
    fn deep_brackets_are_refused_before_the_parser_sees_them() {
        for open in ["{a", "(a:[", "[", "{a(b:{c:"] {
            assert!(check_text(&open.repeat(TOKENS_MAX)).is_err());
        }
    }

    #[test]
    fn a_fragment_bomb_is_refused_at_once() {
        let mut query = String::from("{ ...f0 }");
        for i in 0..60 {
            query.push_str(&format!(" fragment f{i} on Query {{ ...f{n} ...f{n} }}", n = i + 1));
        }
        query.push_str(" fragment f60 on Query { __typename }");
        assert!(check(&query).unwrap_err().contains("fields"));
    }

    #[test]
    fn a_fragment_that_spreads_itself_is_refused_at_once() {
        assert!(check("{ ...a } fragment a on Query { ...b ...b } fragment b on Query { ...a ...a }").is_err());
    }

    #[test]
    fn aliases_are_counted_with_every_spread() {
        let aliases: String = (0..30).map(|i| format!(" a{i}: __typename")).collect();
        let spread = |times| format!("{{ {} }} fragment f on Query {{ {aliases} }}", "...f ".repeat(times));
        assert_eq!(check(&spread(6)), Ok(()));
        assert!(check(&spread(7)).unwrap_err().contains("aliases"));
    }
}
