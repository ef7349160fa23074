//! A row as it is stored: its contents, and the timestamps by which later writes are judged.
//!
//! Layout: version, flags, the timestamp of the last delete if any, of the last upsert if the row is there, then for
//! each column behind the key a tag (never written, null, content), its own timestamp when the cells' differ, and the
//! content. Deletes are carried out when they are written: what stands in a record is there.

use std::sync::Arc;

use bytes::Bytes;
use feira_projection_store::{ColumnType, Table, Value};

const VERSION: u8 = 1;
const DELETED: u8 = 1;
const UPSERTED: u8 = 2;
/// The cells' timestamps are not all that of the upsert.
const DIFFERENT: u8 = 4;

const NEVER: u8 = 0;
const NULL: u8 = 1;
const CONTENT: u8 = 2;

/// A row with all its timestamps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    deleted: Option<i64>,
    upserted: Option<i64>,
    /// By place behind the key.
    cells: Vec<Option<Cell>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Cell {
    timestamp: i64,
    content: Option<Value>,
}

impl Record {
    /// A row of `table` that was never written, in a partition last deleted at `deleted`.
    pub fn absent(table: &Table, deleted: Option<i64>) -> Self {
        Self { deleted, upserted: None, cells: vec![None; table.cell_columns().len()] }
    }

    /// Whether the row is there.
    pub fn is_there(&self) -> bool {
        self.upserted.is_some()
    }

    /// When it was last deleted.
    pub fn deleted(&self) -> Option<i64> {
        self.deleted
    }

    /// Writes cells, given by their place in the table. Answers whether anything changed.
    pub fn upsert(
        &mut self,
        table: &Table,
        cells: impl IntoIterator<Item = (usize, Option<Value>)>,
        timestamp: i64,
    ) -> bool {
        if self.deleted.is_some_and(|deleted| timestamp <= deleted) {
            return false;
        }
        let mut changed = self.upserted < Some(timestamp);
        self.upserted = self.upserted.max(Some(timestamp));
        for (place, content) in cells {
            let cell = &mut self.cells[place - table.key_len()];
            if cell.as_ref().is_none_or(|stands| stands.yields(timestamp, content.as_ref())) {
                *cell = Some(Cell { timestamp, content });
                changed = true;
            }
        }
        changed
    }

    /// Deletes what was written at or before `timestamp`. Answers whether anything changed.
    pub fn delete(&mut self, timestamp: i64) -> bool {
        if self.deleted >= Some(timestamp) {
            return false;
        }
        self.deleted = Some(timestamp);
        self.upserted = self.upserted.filter(|upserted| *upserted > timestamp);
        for cell in &mut self.cells {
            *cell = cell.take().filter(|cell| cell.timestamp > timestamp);
        }
        true
    }

    /// Appends the bytes to store.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let different = self.cells.iter().flatten().any(|cell| Some(cell.timestamp) != self.upserted);
        let flag = |flag: u8, set: bool| if set { flag } else { 0 };
        let flags = flag(DELETED, self.deleted.is_some())
            | flag(UPSERTED, self.upserted.is_some())
            | flag(DIFFERENT, different);
        bytes.extend_from_slice(&[VERSION, flags]);
        for timestamp in [self.deleted, self.upserted].into_iter().flatten() {
            bytes.extend_from_slice(&timestamp.to_be_bytes());
        }
        for cell in &self.cells {
            let Some(cell) = cell else {
                bytes.push(NEVER);
                continue;
            };
            bytes.push(if cell.content.is_some() { CONTENT } else { NULL });
            if different {
                bytes.extend_from_slice(&cell.timestamp.to_be_bytes());
            }
            if let Some(content) = &cell.content {
                encode_content(bytes, content);
            }
        }
    }

    /// Reads what [`Record::encode`] wrote; nothing when the bytes are no record of `table`.
    pub fn decode(table: &Table, bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let head = reader.head()?;
        let mut cells = Vec::with_capacity(table.cell_columns().len());
        for column in table.cell_columns() {
            cells.push(match reader.cell(column.kind, head.different)? {
                None => None,
                Some((timestamp, content)) => Some(Cell { timestamp: timestamp.or(head.upserted)?, content }),
            });
        }
        reader.0.is_empty().then_some(Self { deleted: head.deleted, upserted: head.upserted, cells })
    }
}

impl Cell {
    /// Whether a write of `content` at `timestamp` takes this cell's place.
    fn yields(&self, timestamp: i64, content: Option<&Value>) -> bool {
        if self.timestamp != timestamp {
            return self.timestamp < timestamp;
        }
        match (&self.content, content) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(stands), Some(content)) => content.tie_order(stands).is_gt(),
        }
    }
}

/// Appends the cells of a stored record to the key columns in `row`. Answers whether the row is there; nothing when the
/// bytes are no record of `table`.
pub fn read_cells(table: &Table, bytes: &[u8], row: &mut Vec<Option<Value>>) -> Option<bool> {
    let mut reader = Reader(bytes);
    let head = reader.head()?;
    if head.upserted.is_none() {
        return Some(false);
    }
    for column in table.cell_columns() {
        row.push(reader.cell(column.kind, head.different)?.and_then(|(_, content)| content));
    }
    reader.0.is_empty().then_some(true)
}

/// Whether the row of a stored record is there; nothing when the bytes are no record.
pub fn is_there(bytes: &[u8]) -> Option<bool> {
    Reader(bytes).head().map(|head| head.upserted.is_some())
}

fn encode_content(bytes: &mut Vec<u8>, content: &Value) {
    match content {
        Value::Text(text) => encode_octets(bytes, text.as_bytes()),
        Value::Blob(blob) => encode_octets(bytes, blob),
        Value::BigInt(number) | Value::Timestamp(number) => bytes.extend_from_slice(&number.to_be_bytes()),
        Value::Int(number) => bytes.extend_from_slice(&number.to_be_bytes()),
        Value::Boolean(flag) => bytes.push(u8::from(*flag)),
        Value::TextList(texts) => {
            encode_length(bytes, texts.len());
            texts.iter().for_each(|text| encode_octets(bytes, text.as_bytes()));
        }
    }
}

fn encode_octets(bytes: &mut Vec<u8>, octets: &[u8]) {
    encode_length(bytes, octets.len());
    bytes.extend_from_slice(octets);
}

/// Seven bits a byte, the lowest first.
fn encode_length(bytes: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
}

struct Head {
    deleted: Option<i64>,
    upserted: Option<i64>,
    different: bool,
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn head(&mut self) -> Option<Head> {
        let [version, flags] = self.chunk()?;
        if version != VERSION || flags > DELETED | UPSERTED | DIFFERENT {
            return None;
        }
        let deleted = if flags & DELETED != 0 { Some(self.long()?) } else { None };
        let upserted = if flags & UPSERTED != 0 { Some(self.long()?) } else { None };
        Some(Head { deleted, upserted, different: flags & DIFFERENT != 0 })
    }

    /// The cell's own timestamp, if it has one, and its content; nothing inside when it was never written.
    fn cell(&mut self, kind: ColumnType, different: bool) -> Option<Option<(Option<i64>, Option<Value>)>> {
        let [tag] = self.chunk()?;
        if tag == NEVER {
            return Some(None);
        }
        let timestamp = if different { Some(self.long()?) } else { None };
        match tag {
            NULL => Some(Some((timestamp, None))),
            CONTENT => Some(Some((timestamp, Some(self.content(kind)?)))),
            _ => None,
        }
    }

    fn content(&mut self, kind: ColumnType) -> Option<Value> {
        Some(match kind {
            ColumnType::Text => Value::Text(self.text()?),
            ColumnType::Blob => Value::Blob(Bytes::copy_from_slice(self.octets()?)),
            ColumnType::BigInt => Value::BigInt(self.long()?),
            ColumnType::Timestamp => Value::Timestamp(self.long()?),
            ColumnType::Int => Value::Int(i32::from_be_bytes(self.chunk()?)),
            ColumnType::Boolean => match self.chunk()? {
                [0] => Value::Boolean(false),
                [1] => Value::Boolean(true),
                _ => return None,
            },
            ColumnType::TextList => {
                let count = self.length()?;
                // Each text takes a byte at least; a damaged count must not take memory.
                if count > self.0.len() {
                    return None;
                }
                Value::TextList((0..count).map(|_| self.text()).collect::<Option<_>>()?)
            }
        })
    }

    fn text(&mut self) -> Option<Arc<str>> {
        std::str::from_utf8(self.octets()?).ok().map(Arc::from)
    }

    fn octets(&mut self) -> Option<&'b [u8]> {
        let length = self.length()?;
        let (octets, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(octets)
    }

    fn length(&mut self) -> Option<usize> {
        let mut length = 0;
        for shift in [0, 7, 14, 21] {
            let [byte] = self.chunk()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(length);
            }
        }
        None
    }

    fn long(&mut self) -> Option<i64> {
        self.chunk().map(i64::from_be_bytes)
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*chunk)
    }
}

#[cfg(test)]
mod tests {
    use feira_projection_store::{Column, Order};
    use proptest::prelude::*;

    use super::*;

    static ITEMS: Table = Table {
        name: "items_v1",
        columns: &[
            Column { name: "tenant", kind: ColumnType::Text },
            Column { name: "sku", kind: ColumnType::Text },
            Column { name: "title", kind: ColumnType::Text },
            Column { name: "minor", kind: ColumnType::BigInt },
            Column { name: "tags", kind: ColumnType::TextList },
            Column { name: "shown", kind: ColumnType::Boolean },
        ],
        partition: 1,
        clustering: &[Order::Ascending],
        doc: "Items.",
    };

    fn encoded(record: &Record) -> Vec<u8> {
        let mut bytes = Vec::new();
        record.encode(&mut bytes);
        bytes
    }

    fn a_cell() -> impl Strategy<Value = (usize, Option<Value>)> {
        prop_oneof![
            (2usize..6).prop_map(|place| (place, None)),
            ".{0,200}".prop_map(|text| (2, Some(Value::from(text.as_str())))),
            any::<i64>().prop_map(|number| (3, Some(Value::BigInt(number)))),
            proptest::collection::vec("[aé]{0,3}", 0..4)
                .prop_map(|texts| (4, Some(Value::TextList(texts.iter().map(|t| t.as_str().into()).collect())))),
            any::<bool>().prop_map(|flag| (5, Some(Value::Boolean(flag)))),
        ]
    }

    fn a_record() -> impl Strategy<Value = Record> {
        proptest::collection::vec((a_cell(), 0i64..9, any::<u8>()), 0..8).prop_map(|writes| {
            let mut record = Record::absent(&ITEMS, None);
            for (cell, timestamp, kind) in writes {
                if kind < 40 {
                    record.delete(timestamp);
                } else {
                    record.upsert(&ITEMS, [cell], timestamp);
                }
            }
            record
        })
    }

    proptest! {
        #[test]
        fn a_record_is_read_as_written(record in a_record()) {
            let bytes = encoded(&record);
            prop_assert_eq!(Record::decode(&ITEMS, &bytes), Some(record.clone()));
            let mut row = Vec::new();
            prop_assert_eq!(read_cells(&ITEMS, &bytes, &mut row), Some(record.is_there()));
            prop_assert_eq!(is_there(&bytes), Some(record.is_there()));
        }

        #[test]
        fn a_cut_record_is_refused(record in a_record(), cut in any::<prop::sample::Index>()) {
            let bytes = encoded(&record);
            prop_assert_eq!(Record::decode(&ITEMS, &bytes[..cut.index(bytes.len())]), None);
        }

        #[test]
        fn any_bytes_are_a_record_or_refused(mut bytes in proptest::collection::vec(any::<u8>(), 2..80)) {
            bytes[0] = VERSION;
            bytes[1] &= 7;
            Record::decode(&ITEMS, &bytes);
            read_cells(&ITEMS, &bytes, &mut Vec::new());
        }
    }

    #[test]
    fn cells_of_one_upsert_carry_one_timestamp() {
        let mut record = Record::absent(&ITEMS, None);
        record.upsert(&ITEMS, [(2, Some("a".into())), (3, Some(Value::BigInt(1)))], 5);
        assert_eq!(encoded(&record).len(), 2 + 8 + (1 + 2) + (1 + 8) + 1 + 1);
    }
}
