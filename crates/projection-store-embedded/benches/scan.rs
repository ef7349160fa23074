//! What a page of 20 rows, a row and a batch of writes cost, beside a map in memory that clones the same rows.
//!
//! `cargo bench -p feira-projection-store-embedded`. Time on the processor is given beside time on the clock: on a busy
//! machine only the first says what a read costs.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use feira_projection_store::{
    Checkpoint, Column, ColumnType, Mutation, Order, ProjectionId, Range, Row, Store, Table, Value,
};
use feira_projection_store_embedded::EmbeddedStore;

static PRODUCTS: Table = Table {
    name: "products_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "shelf", kind: ColumnType::Int },
        Column { name: "sku", kind: ColumnType::Text },
        Column { name: "title", kind: ColumnType::Text },
        Column { name: "brand", kind: ColumnType::Text },
        Column { name: "currency", kind: ColumnType::Text },
        Column { name: "minor", kind: ColumnType::BigInt },
        Column { name: "stock", kind: ColumnType::Int },
        Column { name: "shown", kind: ColumnType::Boolean },
        Column { name: "changed", kind: ColumnType::Timestamp },
    ],
    partition: 2,
    clustering: &[Order::Ascending],
    doc: "Products.",
};

const ROWS: i64 = 20_000;
const ROUNDS: i64 = 20_000;

fn upsert(number: i64) -> Mutation {
    let texts =
        [format!("SKU-{number:08}"), format!("Café especial torrado em grãos, pacote {number}"), "Feira".into()];
    let [sku, title, brand] = texts.map(|text| Value::from(text.as_str()));
    Mutation::Upsert {
        table: &PRODUCTS,
        key: vec!["shop".into(), Value::Int(0), sku],
        cells: vec![
            (3, Some(title)),
            (4, Some(brand)),
            (5, Some("BRL".into())),
            (6, Some(Value::BigInt(number))),
            (7, Some(Value::Int(3))),
            (8, Some(Value::Boolean(true))),
            (9, Some(Value::Timestamp(number))),
        ],
        timestamp: number + 1,
    }
}

/// Nanoseconds this thread has had a processor.
fn on_processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default()
}

struct Watch(Instant, f64);

impl Watch {
    fn start() -> Self {
        Self(Instant::now(), on_processor())
    }

    fn report(self, what: &str, count: i64) {
        let (clock, processor) = (self.0.elapsed().as_secs_f64() * 1e6, (on_processor() - self.1) / 1e3);
        let each = |micros: f64| micros / count as f64;
        println!("{what:<48} {:>8.2} µs on the processor {:>8.2} µs on the clock", each(processor), each(clock));
    }
}

async fn scans(name: &str, store: &Arc<EmbeddedStore>) {
    let partition = [Value::from("shop"), Value::Int(0)];
    let watch = Watch::start();
    for round in 0..ROUNDS {
        let after = format!("SKU-{:08}", round * 7919 % (ROWS - 21));
        let range = Range { after: Some(vec![after.as_str().into()]), limit: 20, ..Range::default() };
        assert_eq!(black_box(store.scan(&PRODUCTS, &partition, range).await.expect("it reads")).rows.len(), 20);
    }
    watch.report(&format!("{name}: page of 20"), ROUNDS);
    let watch = Watch::start();
    for round in 0..ROUNDS {
        let sku = format!("SKU-{:08}", round * 7919 % ROWS);
        let key = ["shop".into(), Value::Int(0), sku.as_str().into()];
        assert!(black_box(store.get(&PRODUCTS, &key).await.expect("it reads")).is_some());
    }
    watch.report(&format!("{name}: one row"), ROUNDS);
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let store = EmbeddedStore::open(folder.path()).expect("it opens");
    store.ensure(&[&PRODUCTS]).await.expect("the table is made");
    let id = ProjectionId { name: "products", version: 1 };
    let mut reference: BTreeMap<Vec<Value>, Row> = BTreeMap::new();

    let watch = Watch::start();
    for seq in 0..ROWS {
        let checkpoint = Checkpoint { lane_seq: seq as u64, hint: 0 };
        store.apply(vec![upsert(seq)], id, "catalog/0", checkpoint).await.expect("it writes");
    }
    watch.report("embedded: write, one row and checkpoint", ROWS);
    let watch = Watch::start();
    for seq in 0..ROWS / 100 {
        let checkpoint = Checkpoint { lane_seq: (ROWS + seq) as u64, hint: 0 };
        let writes = (seq * 100..seq * 100 + 100).map(|n| upsert(n).later()).collect();
        store.apply(writes, id, "catalog/0", checkpoint).await.expect("it writes");
    }
    watch.report("embedded: write, each row of 100 and checkpoint", ROWS);
    scans("embedded, in its buffer", &store).await;
    drop(store);
    let store = EmbeddedStore::open(folder.path()).expect("it opens");
    store.ensure(&[&PRODUCTS]).await.expect("the table is made");
    scans("embedded, opened again", &store).await;

    for number in 0..ROWS {
        if let Mutation::Upsert { key, cells, .. } = upsert(number) {
            let row = key.iter().cloned().map(Some).chain(cells.into_iter().map(|(_, content)| content)).collect();
            reference.insert(key, row);
        }
    }
    let watch = Watch::start();
    for round in 0..ROUNDS {
        let sku = format!("SKU-{:08}", round * 7919 % (ROWS - 21));
        let key = vec!["shop".into(), Value::Int(0), sku.as_str().into()];
        let page: Vec<Row> = reference.range(key..).skip(1).take(20).map(|(_, row)| row.clone()).collect();
        assert_eq!(black_box(page).len(), 20);
    }
    watch.report("map in memory: page of 20", ROUNDS);
}

trait Later {
    /// The same write a million microseconds later.
    fn later(self) -> Self;
}

impl Later for Mutation {
    fn later(mut self) -> Self {
        if let Self::Upsert { timestamp, .. } = &mut self {
            *timestamp += 1_000_000;
        }
        self
    }
}
