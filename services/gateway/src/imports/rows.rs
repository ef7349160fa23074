//! Rows out of a stream of bytes, in any of the forms a feed has.

use feira_commands::catalog::Input;
use serde::Deserialize;

use super::columns::{Column, Fields};
use super::json_lines::JsonLines;
use super::product;
use super::separated::Separated;

/// The longest row.
pub(super) const ROW_BYTES_MAX: usize = 64 * 1024;

/// The form of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// Separated by tabs.
    Tsv,
    /// Separated by commas.
    Csv,
    /// A JSON object a line.
    Jsonl,
}

/// A row as read.
pub(super) type Row = Result<GoodRow, Fault>;

/// A row that makes a product.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GoodRow {
    pub line: u64,
    pub id: String,
    pub input: Input,
    pub on_hand: Option<i64>,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub line: u64,
    pub column: Option<&'static str>,
    pub code: String,
    pub reason: String,
    pub id: Option<String>,
}

impl Fault {
    pub(super) fn new(line: u64, column: Option<Column>, code: &str, reason: impl Into<String>) -> Self {
        Self { line, column: column.map(Column::name), code: code.to_owned(), reason: reason.into(), id: None }
    }
}

/// Takes bytes as they come and gives rows.
pub(super) struct RowReader {
    form: Form,
    /// The first bytes, until there are enough to know a byte order mark by.
    head: Option<Vec<u8>>,
    rows: Vec<Row>,
}

enum Form {
    Separated(Box<Separated>),
    JsonLines(JsonLines),
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl RowReader {
    pub(super) fn new(format: Format) -> Self {
        let form = match format {
            Format::Tsv => Form::Separated(Box::new(Separated::new(b'\t'))),
            Format::Csv => Form::Separated(Box::new(Separated::new(b','))),
            Format::Jsonl => Form::JsonLines(JsonLines::new()),
        };
        Self { form, head: Some(Vec::new()), rows: Vec::new() }
    }

    /// Takes in what came next.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let Some(head) = &mut self.head else { return self.feed(bytes) };
        head.extend_from_slice(bytes);
        if head.len() >= BYTE_ORDER_MARK.len() {
            self.feed_head();
        }
    }

    /// Takes in that nothing more comes.
    pub(super) fn end(&mut self) {
        self.feed_head();
        match &mut self.form {
            Form::Separated(reader) => reader.end(&mut self.rows),
            Form::JsonLines(reader) => reader.end(&mut self.rows),
        }
    }

    fn feed_head(&mut self) {
        if let Some(head) = self.head.take() {
            let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&head);
            self.feed(text);
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        match &mut self.form {
            Form::Separated(reader) => reader.push(bytes, &mut self.rows),
            Form::JsonLines(reader) => reader.push(bytes, &mut self.rows),
        }
    }

    /// Whether the columns are known.
    pub(super) fn has_header(&self) -> bool {
        match &self.form {
            Form::Separated(reader) => reader.columns.is_some(),
            Form::JsonLines(_) => true,
        }
    }

    /// Whether the header, if it has come, can be used.
    pub(super) fn take_header(&mut self) -> Result<(), String> {
        match &mut self.form {
            Form::Separated(reader) => reader.bad_header.take().map_or(Ok(()), Err),
            Form::JsonLines(_) => Ok(()),
        }
    }

    /// The names of the columns that are passed over.
    pub(super) fn ignored(&self) -> &[String] {
        match &self.form {
            Form::Separated(reader) => &reader.ignored,
            Form::JsonLines(_) => &[],
        }
    }

    /// The rows read since this was last asked.
    pub(super) fn take_rows(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.rows)
    }
}

/// The row that `fields` make.
pub(super) fn row(line: u64, fields: &Fields<'_>) -> Row {
    let good = |read: product::Read| GoodRow { line, id: read.id, input: read.input, on_hand: read.on_hand };
    product::read(fields).map(good).map_err(|(column, code, reason)| Fault {
        id: fields[Column::Id as usize].as_deref().map(|id| id.chars().take(200).collect()),
        ..Fault::new(line, Some(column), code, reason)
    })
}

/// A row longer than any may be.
pub(super) fn too_long(line: u64) -> Fault {
    let reason = format!("the row is longer than {ROW_BYTES_MAX} bytes: is a quotation mark not closed?");
    Fault::new(line, None, "ROW_TOO_LONG", reason)
}
