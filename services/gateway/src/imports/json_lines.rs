//! Rows that are JSON objects, one a line.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::columns::{COLUMNS, Column, Fields};
use super::rows::{Fault, ROW_BYTES_MAX, Row, row, too_long};

pub(super) struct JsonLines {
    /// The part of a line that has come so far.
    begun: Vec<u8>,
    overflow: bool,
    line: u64,
}

impl JsonLines {
    pub(super) fn new() -> Self {
        Self { begun: Vec::new(), overflow: false, line: 1 }
    }

    pub(super) fn push(&mut self, mut input: &[u8], rows: &mut Vec<Row>) {
        while let Some(end) = input.iter().position(|byte| *byte == b'\n') {
            self.take(&input[..end]);
            self.finish(rows);
            self.line += 1;
            input = &input[end + 1..];
        }
        self.take(input);
    }

    pub(super) fn end(&mut self, rows: &mut Vec<Row>) {
        self.finish(rows);
    }

    fn take(&mut self, bytes: &[u8]) {
        if self.begun.len() + bytes.len() > ROW_BYTES_MAX {
            self.overflow = true;
            self.begun.clear();
        }
        if !self.overflow {
            self.begun.extend_from_slice(bytes);
        }
    }

    fn finish(&mut self, rows: &mut Vec<Row>) {
        if self.overflow {
            rows.push(Err(too_long(self.line)));
        } else if !self.begun.trim_ascii().is_empty() {
            rows.push(object(self.line, &self.begun));
        }
        self.begun.clear();
        self.overflow = false;
    }
}

fn object(line: u64, text: &[u8]) -> Row {
    let fault = |reason: String| Fault::new(line, None, "NOT_JSON", reason);
    let object: Map<String, Value> =
        serde_json::from_slice(text).map_err(|error| fault(format!("the line is no JSON object: {error}")))?;
    let mut fields: Fields<'_> = [const { None }; COLUMNS];
    for (name, value) in &object {
        let Some(column) = Column::called(name) else { continue };
        let text = match value {
            Value::Null => continue,
            Value::String(text) => Cow::Borrowed(text.trim()),
            Value::Number(number) => Cow::Owned(number.to_string()),
            Value::Array(texts) if texts.iter().all(Value::is_string) => {
                // Several links are separated by commas: one that holds a comma says it the other way a link can.
                let comma = if column.holds_links() { "%2C" } else { "," };
                let texts = texts.iter().filter_map(Value::as_str).map(|text| text.trim().replace(',', comma));
                Cow::Owned(texts.collect::<Vec<_>>().join(","))
            }
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                return Err(Fault::new(line, Some(column), "NOT_TEXT", "the value is no text"));
            }
        };
        if !text.is_empty() {
            fields[column as usize] = Some(text);
        }
    }
    row(line, &fields)
}
