//! The reference: fjall alone. A row's cells lie one after the other under its key; a row that is newer stays.

use std::path::Path;

use feira_projection_store::{Row, Value};
use feira_projection_store_embedded::Options;
use fjall::{AbstractTree, Database, Keyspace, KeyspaceCreateOptions};

use crate::product::Product;

/// Rows in a keyspace, the checkpoint in another.
pub struct Bare {
    database: Database,
    rows: Keyspace,
    checkpoints: Keyspace,
    buffer_bytes: u64,
}

impl Bare {
    /// Opens the database, making it where there is none, with the memory that the store gives its own.
    pub fn open(folder: &Path) -> Self {
        let Options { cache_bytes, table_buffer_bytes, workers } = Options::default();
        let database =
            Database::builder(folder).cache_size(cache_bytes).worker_threads(workers).open().expect("it opens");
        let options = || KeyspaceCreateOptions::default().max_memtable_size(table_buffer_bytes);
        let keyspace = |name| database.keyspace(name, options).expect("the keyspace is made");
        Self {
            rows: keyspace("rows"),
            checkpoints: keyspace("checkpoints"),
            database,
            buffer_bytes: table_buffer_bytes,
        }
    }

    /// Writes rows with a checkpoint.
    pub fn write(&self, products: impl IntoIterator<Item = Product>, lane_seq: u64) {
        let mut batch = self.database.batch();
        for product in products {
            let key = key(&product.sku);
            let there = self.rows.get(&key).expect("it reads");
            if there.is_none_or(|there| changed(&there) < product.number) {
                batch.insert(&self.rows, key, cells(&product));
            }
        }
        batch.insert(&self.checkpoints, "catalog/0", lane_seq.to_be_bytes());
        batch.commit().expect("it writes");
        // No more memory than the store's, while files are merged too.
        for rows in [&self.rows, &self.checkpoints] {
            if rows.tree.active_memtable().size() > self.buffer_bytes {
                rows.rotate_memtable().expect("it writes");
            }
        }
    }

    /// The row of a product.
    pub fn row(&self, sku: &str) -> Option<Row> {
        self.rows.get(key(sku)).expect("it reads").map(|cells| row(sku, &cells))
    }

    /// So many rows after that of a product.
    pub fn page(&self, sku: &str, limit: usize) -> Vec<Row> {
        let after = key(sku);
        let found = self.rows.range(after..).skip(1).take(limit).map(|entry| {
            let (key, cells) = entry.into_inner().expect("it reads");
            row(std::str::from_utf8(&key[SHOP.len()..]).expect("a key is text"), &cells)
        });
        found.collect()
    }
}

const SHOP: &[u8] = b"shop\0\0\0\0\0";

fn key(sku: &str) -> Vec<u8> {
    [SHOP, sku.as_bytes()].concat()
}

fn cells(product: &Product) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(96);
    for text in [product.title.as_str(), product.brand, product.currency] {
        bytes.push(u8::try_from(text.len()).expect("the texts are short"));
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes.extend_from_slice(&product.number.to_be_bytes());
    bytes.extend_from_slice(&product.stock.to_be_bytes());
    bytes.push(u8::from(product.shown));
    bytes.extend_from_slice(&product.number.to_be_bytes());
    bytes
}

/// When a row was changed, which its cells end with.
fn changed(cells: &[u8]) -> i64 {
    i64::from_be_bytes(*cells.last_chunk().expect("as written"))
}

fn row(sku: &str, cells: &[u8]) -> Row {
    let mut rest = cells;
    let mut text = || {
        let (length, after) = rest.split_first().expect("as written");
        let (text, after) = after.split_at(usize::from(*length));
        rest = after;
        Some(Value::from(std::str::from_utf8(text).expect("as written")))
    };
    let [title, brand, currency] = [text(), text(), text()];
    let long = |from: usize| i64::from_be_bytes(rest[from..from + 8].try_into().expect("eight bytes"));
    let stock = i32::from_be_bytes(rest[8..12].try_into().expect("four bytes"));
    vec![
        Some("shop".into()),
        Some(Value::Int(0)),
        Some(sku.into()),
        title,
        brand,
        currency,
        Some(Value::BigInt(long(0))),
        Some(Value::Int(stock)),
        Some(Value::Boolean(rest[12] == 1)),
        Some(Value::Timestamp(long(13))),
    ]
}
