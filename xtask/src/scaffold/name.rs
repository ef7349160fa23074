//! What a service may be called, and the forms in which its name stands in code.

/// The longest name: tables and topics begin with it.
const LETTERS_MAX: usize = 24;

/// Names that would be mistaken for something else, and for what.
const RESERVED: [(&str, &[&str]); 6] = [
    (
        "a word of Rust",
        &[
            "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
            "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
            "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct",
            "super", "trait", "true", "try", "type", "typeof", "union", "unsafe", "unsized", "use", "virtual", "where",
            "while", "yield",
        ],
    ),
    (
        "a package that the code is built with",
        &["alloc", "bytes", "core", "proptest", "serde", "std", "tempfile", "test", "thiserror", "tokio", "tracing"],
    ),
    (
        "a name in the code of every service",
        &[
            "accepted",
            "answer",
            "arc",
            "at",
            "clone",
            "command",
            "config",
            "copy",
            "debug",
            "decide",
            "decider",
            "default",
            "domain",
            "drop",
            "duration",
            "err",
            "event",
            "evolve",
            "given",
            "host",
            "hosted",
            "house",
            "id",
            "input",
            "instant",
            "json",
            "meta",
            "mutation",
            "none",
            "ok",
            "opened",
            "option",
            "path",
            "processes",
            "projection",
            "projections",
            "rejection",
            "reject",
            "result",
            "role",
            "row",
            "running",
            "sample",
            "samples",
            "send",
            "server",
            "service",
            "some",
            "state",
            "store",
            "string",
            "sync",
            "table",
            "tenant",
            "tests",
            "title",
            "value",
            "vec",
            "view",
            "writes",
        ],
    ),
    ("a section of the settings", &["auth", "cql", "gateway", "kafka", "rpc"]),
    (
        "the beginning of a variable that the environment sets",
        &["data", "folder", "golden", "jars", "listen", "log", "output", "stack", "token", "url"],
    ),
    ("a part of the platform itself", &["feira", "lane", "lanes", "platform", "xtask"]),
];

/// The name of a service, in its one form: lower-case letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// Why a text is no name for a service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// It has other characters, or too few or too many.
    #[error(
        "a service is named by 2 to {LETTERS_MAX} lower-case letters, not {0:?}: the name stands in topics, Avro \
         namespaces, tables and the environment, and no other form is allowed in all of them"
    )]
    Form(String),
    /// It means something else already.
    #[error("a service cannot be called {name:?}: that is {meaning}")]
    Reserved {
        /// The name.
        name: String,
        /// What it is.
        meaning: &'static str,
    },
}

impl Name {
    /// Reads a name.
    ///
    /// # Errors
    /// [`BadName`] when no service can be called that.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let fits = (2..=LETTERS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase());
        if !fits {
            return Err(BadName::Form(text.chars().take(60).collect()));
        }
        match RESERVED.iter().find(|(_, names)| names.contains(&text)) {
            Some((meaning, _)) => Err(BadName::Reserved { name: text.to_owned(), meaning }),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// As it stands in topics and modules: `loyalty`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it begins types: `Loyalty`.
    pub fn camel(&self) -> String {
        let (first, rest) = self.0.split_at(1);
        first.to_ascii_uppercase() + rest
    }

    /// `template` with the name in each of its forms.
    pub fn fill(&self, template: &str) -> String {
        let template = template.replace("__name__", &self.0).replace("__Name__", &self.camel());
        template.replace("__NAME__", &self.0.to_ascii_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_in_each_of_its_forms() {
        let name = Name::parse("loyalty").unwrap();
        assert_eq!(
            name.fill("feira___name___server::__Name__Row __NAME___PROJECTION __name__.set"),
            "feira_loyalty_server::LoyaltyRow LOYALTY_PROJECTION loyalty.set"
        );
    }

    #[test]
    fn what_is_not_lower_case_letters_is_refused() {
        for text in ["", "a", "Loyalty", "gift-cards", "gift_cards", "card2", "café", "../x", &"a".repeat(25)] {
            assert!(matches!(Name::parse(text), Err(BadName::Form(_))), "{text:?}");
        }
    }

    #[test]
    fn what_means_something_else_is_refused_with_its_meaning() {
        for (text, meaning) in
            [("match", "word of Rust"), ("serde", "built with"), ("event", "every service"), ("kafka", "settings")]
        {
            let refused = Name::parse(text).unwrap_err().to_string();
            assert!(refused.contains(meaning), "{refused}");
        }
    }
}
