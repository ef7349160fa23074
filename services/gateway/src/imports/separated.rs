//! Rows whose fields are separated by a character, quoted where they hold it.

use std::borrow::Cow;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::columns::{COLUMNS, Column, Fields, REQUIRED};
use super::rows::{Fault, ROW_BYTES_MAX, Row, row, too_long};

/// The most fields of a row.
const FIELDS_MAX: usize = 1_024;

pub(super) struct Separated {
    reader: Reader,
    text: Box<[u8]>,
    text_len: usize,
    ends: Box<[usize]>,
    ends_len: usize,
    /// The line of the next byte.
    line: u64,
    /// The line at which the row being read began; none between rows.
    began: Option<u64>,
    /// Whether the row being read has outgrown its room: it is read to its end and told of.
    overflow: bool,
    /// What each field of a row is; none before the header was read.
    pub columns: Option<Vec<Option<Column>>>,
    pub ignored: Vec<String>,
    pub bad_header: Option<String>,
}

impl Separated {
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            text: vec![0; ROW_BYTES_MAX].into(),
            text_len: 0,
            ends: vec![0; FIELDS_MAX].into(),
            ends_len: 0,
            line: 1,
            began: None,
            overflow: false,
            columns: None,
            ignored: Vec::new(),
            bad_header: None,
        }
    }

    pub(super) fn push(&mut self, mut input: &[u8], rows: &mut Vec<Row>) {
        while !input.is_empty() && self.bad_header.is_none() {
            if self.began.is_none() {
                // Empty lines are passed over here, so that a row's line is where its first character stands.
                let blank = input.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
                self.line += newlines(&input[..blank]);
                input = &input[blank..];
                if input.is_empty() {
                    return;
                }
                self.began = Some(self.line);
            }
            let read = self.read(input, rows);
            self.line += newlines(&input[..read]);
            input = &input[read..];
        }
    }

    pub(super) fn end(&mut self, rows: &mut Vec<Row>) {
        // Without input the reader closes the row it is in; it takes a second round where a buffer was full.
        while self.began.is_some() && self.bad_header.is_none() {
            self.read(&[], rows);
        }
    }

    /// Reads on in the row that has begun; answers how many bytes of `input` it took.
    fn read(&mut self, input: &[u8], rows: &mut Vec<Row>) -> usize {
        let (result, read, written, ended) =
            self.reader.read_record(input, &mut self.text[self.text_len..], &mut self.ends[self.ends_len..]);
        self.text_len += written;
        self.ends_len += ended;
        match result {
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                self.overflow = true;
                (self.text_len, self.ends_len) = (0, 0);
            }
            ReadRecordResult::Record | ReadRecordResult::End => {
                if let Some(line) = self.began.take() {
                    self.finish(line, rows);
                }
                (self.text_len, self.ends_len, self.overflow) = (0, 0, false);
            }
        }
        read
    }

    fn finish(&mut self, line: u64, rows: &mut Vec<Row>) {
        let ends = &self.ends[..self.ends_len];
        let text = &self.text[..self.text_len];
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let fields = starts.zip(ends).map(|(start, end)| text.get(start..*end).unwrap_or_default());
        match &self.columns {
            None if self.overflow => self.bad_header = Some(too_long(line).reason),
            None => match header(fields) {
                Ok((columns, ignored)) => (self.columns, self.ignored) = (Some(columns), ignored),
                Err(reason) => self.bad_header = Some(reason),
            },
            Some(_) if self.overflow => rows.push(Err(too_long(line))),
            Some(columns) if columns.len() != ends.len() => {
                let reason = format!("the row has {} fields, the header {}", ends.len(), columns.len());
                rows.push(Err(Fault::new(line, None, "FIELD_COUNT", reason)));
            }
            Some(columns) => rows.push(read_fields(line, columns, fields)),
        }
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

type Header = (Vec<Option<Column>>, Vec<String>);

fn header<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Result<Header, String> {
    let (mut columns, mut ignored) = (Vec::new(), Vec::new());
    for field in fields {
        let name = std::str::from_utf8(field).map_err(|_| "the header is not UTF-8".to_owned())?;
        let column = Column::called(name);
        if let Some(column) = column
            && columns.contains(&Some(column))
        {
            return Err(format!("the header names {} twice", column.name()));
        }
        if column.is_none() {
            ignored.push(name.chars().take(80).collect());
        }
        columns.push(column);
    }
    for needed in REQUIRED {
        if !columns.contains(&Some(needed)) {
            return Err(format!("the header has no column {}", needed.name()));
        }
    }
    Ok((columns, ignored))
}

fn read_fields<'a>(line: u64, columns: &[Option<Column>], fields: impl Iterator<Item = &'a [u8]>) -> Row {
    let mut texts: Fields<'a> = [const { None }; COLUMNS];
    for (column, field) in columns.iter().zip(fields) {
        let Some(column) = *column else { continue };
        let text = std::str::from_utf8(field)
            .map_err(|_| Fault::new(line, Some(column), "NOT_UTF8", "the text is not UTF-8"))?
            .trim();
        if !text.is_empty() {
            texts[column as usize] = Some(Cow::Borrowed(text));
        }
    }
    row(line, &texts)
}
