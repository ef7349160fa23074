//! Queries read once: what was parsed and found within the limits is remembered by its text.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::ServerError;
use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection};
use lru::LruCache;

use super::limits;

/// How many are remembered.
const REMEMBERED_MAX: usize = 512;
/// Longer texts are parsed each time.
const REMEMBERED_BYTES_MAX: usize = 8 * 1024;

/// A document within the limits.
pub(crate) struct Document {
    pub parsed: ExecutableDocument,
    /// Whether any operation asks for the schema.
    pub introspects: bool,
}

/// Why a text is no document to run.
pub(crate) enum DocumentError {
    Parse(Box<ServerError>),
    Limit(String),
}

/// The documents seen last.
pub(crate) struct Documents(Mutex<LruCache<Box<str>, Arc<Document>>>);

impl Documents {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(LruCache::new(NonZeroUsize::new(REMEMBERED_MAX).expect("not zero"))))
    }

    /// The document that `query` says.
    pub(crate) fn read(&self, query: &str) -> Result<Arc<Document>, DocumentError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(query).cloned();
        if let Some(document) = known {
            return Ok(document);
        }
        limits::check_text(query).map_err(DocumentError::Limit)?;
        let parsed = async_graphql::parser::parse_query(query)
            .map_err(|error| DocumentError::Parse(Box::new(ServerError::from(error))))?;
        limits::check_document(&parsed).map_err(DocumentError::Limit)?;
        let document = Arc::new(Document { introspects: introspects(&parsed), parsed });
        if query.len() <= REMEMBERED_BYTES_MAX {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).put(query.into(), document.clone());
        }
        Ok(document)
    }
}

impl Document {
    /// The kind of the operation that `name` picks; none when it picks none, which the library will say.
    pub(crate) fn operation(&self, name: Option<&str>) -> Option<OperationType> {
        let mut operations = self.parsed.operations.iter();
        let picked = match name {
            Some(name) => operations.find(|(known, _)| known.is_some_and(|known| known == name)),
            None => operations.next(),
        };
        picked.map(|(_, operation)| operation.node.ty)
    }
}

/// Whether `__schema` or `__type` is asked for, in an operation or in any fragment of it.
fn introspects(document: &ExecutableDocument) -> bool {
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    let mut sets: Vec<_> = operations.chain(fragments).collect();
    while let Some(set) = sets.pop() {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) if matches!(field.node.name.node.as_str(), "__schema" | "__type") => {
                    return true;
                }
                Selection::Field(_) | Selection::FragmentSpread(_) => {}
                Selection::InlineFragment(fragment) => sets.push(&fragment.node.selection_set.node),
            }
        }
    }
    false
}
