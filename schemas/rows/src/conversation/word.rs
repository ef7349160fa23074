//! Values that are one word in events, and in cells.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::RowError;
use crate::column::Cells;

/// The word that stands for a value in events, and here too.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

/// Reads a value that is one word.
pub(crate) fn said<T: DeserializeOwned>(cells: &mut Cells) -> Result<T, RowError> {
    maybe_said(cells)?.ok_or_else(|| cells.error("is null"))
}

pub(crate) fn maybe_said<T: DeserializeOwned>(cells: &mut Cells) -> Result<Option<T>, RowError> {
    let Some(word) = cells.optional_text()? else {
        return Ok(None);
    };
    let value = serde_json::Value::String(word.to_string());
    serde_json::from_value(value).map(Some).map_err(|_| cells.error("is no word of its column"))
}
