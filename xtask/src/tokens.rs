//! Rust source as a flat list of tokens with their lines, so that comments and texts are never mistaken for code.

use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The line it begins on, from 1.
    pub line: usize,
    /// What it is.
    pub kind: Kind,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name or keyword.
    Word(String),
    /// A sign, or a bracket.
    Sign(char),
    /// A number, text or character as written.
    Literal(String),
}

impl Token {
    /// Whether it is the word `text`.
    pub fn is_word(&self, text: &str) -> bool {
        matches!(&self.kind, Kind::Word(word) if word == text)
    }

    /// Whether it is `sign`.
    pub fn is_sign(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }

    /// The word it is.
    pub fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            Kind::Sign(_) | Kind::Literal(_) => None,
        }
    }
}

/// The tokens of `source`. A documentation comment reads as an attribute with a text, as the compiler has it.
///
/// # Errors
/// When it is no Rust.
pub fn tokens(source: &str) -> Result<Vec<Token>, String> {
    let stream = TokenStream::from_str(source).map_err(|error| error.to_string())?;
    let mut flat = vec![];
    flatten(stream, &mut flat);
    Ok(flat)
}

fn flatten(stream: TokenStream, flat: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Ident(word) => flat.push(Token { line, kind: Kind::Word(word.to_string()) }),
            TokenTree::Punct(sign) => flat.push(Token { line, kind: Kind::Sign(sign.as_char()) }),
            TokenTree::Literal(literal) => flat.push(Token { line, kind: Kind::Literal(literal.to_string()) }),
            TokenTree::Group(group) => {
                let brackets = match group.delimiter() {
                    Delimiter::Parenthesis => Some(('(', ')')),
                    Delimiter::Brace => Some(('{', '}')),
                    Delimiter::Bracket => Some(('[', ']')),
                    Delimiter::None => None,
                };
                let end = group.span_close().start().line;
                flat.extend(brackets.map(|(open, _)| Token { line, kind: Kind::Sign(open) }));
                flatten(group.stream(), flat);
                flat.extend(brackets.map(|(_, close)| Token { line: end, kind: Kind::Sign(close) }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_texts_are_not_words() {
        let source = "//! async f64\n/* std::fs */\nconst A: &str = \"async\"; // await\nfn r#async() {}\n";
        let words: Vec<_> = tokens(source).unwrap().iter().filter_map(Token::word).map(str::to_owned).collect();
        assert_eq!(words, ["doc", "const", "A", "str", "fn", "r#async"]);
    }

    #[test]
    fn a_token_knows_its_line() {
        let tokens = tokens("fn a() {\n    b\n}\n").unwrap();
        assert_eq!(tokens.iter().map(|token| token.line).collect::<Vec<_>>(), [1, 1, 1, 1, 1, 2, 3]);
    }

    #[test]
    fn what_is_no_rust_is_refused() {
        assert!(tokens("fn a( {").is_err());
    }
}
