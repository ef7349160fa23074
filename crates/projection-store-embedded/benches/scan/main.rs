//! Pages of 20 rows and single rows a second of one core, and writes a second, beside bare fjall that keeps the same rows without tables.
//!
//! `cargo bench -p feira-projection-store-embedded`. `FEIRA_BENCH_SECONDS` sets how long a round takes. Reads are measured
//! twice: while the rows are in the store's buffer, and once the store was opened again.

mod bare;
mod product;

use std::cell::Cell;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;

use bare::Bare;
use feira_bench::{Report, Round, Row, Unit, in_turns, turn};
use feira_projection_store::{Checkpoint, Mutation, ProjectionId, Range, Store, Value};
use feira_projection_store_embedded::EmbeddedStore;
use futures::executor::block_on;
use product::{PRODUCTS, Product, sku};

/// How many rows there are to read.
const ROWS: i64 = 20_000;
/// How many reads are made between two looks at the clock.
const AT_ONCE: u64 = 100;
/// How many rows a large batch has.
const BATCH: u64 = 100;

const PROJECTION: ProjectionId = ProjectionId { name: "products", version: 1 };

fn main() -> ExitCode {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
    let (ours, theirs) = (folder.path().join("store"), folder.path().join("bare"));
    let mut report = Report::new();
    let (store, bare) = (open(&ours), Bare::open(&theirs));
    for number in 0..ROWS {
        apply(&store, number as u64, [number]);
        bare.write([Product::numbered(number)], number as u64);
    }
    let reference = "bare fjall, a row's cells under its key; newer ones stay";
    report.table("Reading from the embedded store, rows in its buffer", Unit::PerSecond, reference);
    reads(&mut report, &store, &bare);
    report.table("Writing to the embedded store, rows with their checkpoint", Unit::PerSecond, reference);
    let next = Cell::new(ROWS);
    for rows in [1, BATCH] {
        let numbers = || {
            let first = next.replace(next.get() + rows as i64);
            first..first + rows as i64
        };
        let (ours, theirs) = in_turns(
            || Round::repeat(turn(0.3), rows, || apply(&store, next.get() as u64, numbers())),
            || Round::repeat(turn(0.3), rows, || bare.write(numbers().map(Product::numbered), next.get() as u64)),
        );
        report.row(Row::new(format!("{rows} a batch"), &ours).beside(&theirs));
    }
    drop((store, bare));
    let (store, bare) = (open(&ours), Bare::open(&theirs));
    report.table("Reading from the embedded store, opened again", Unit::PerSecond, reference);
    reads(&mut report, &store, &bare);
    report.end()
}

fn open(folder: &std::path::Path) -> Arc<EmbeddedStore> {
    let store = EmbeddedStore::open(folder).expect("it opens");
    block_on(store.ensure(&[&PRODUCTS])).expect("the table is made");
    store
}

fn apply(store: &EmbeddedStore, lane_seq: u64, numbers: impl IntoIterator<Item = i64>) {
    let writes: Vec<Mutation> = numbers.into_iter().map(|number| Product::numbered(number).upsert()).collect();
    let checkpoint = Checkpoint { lane_seq, hint: 0 };
    block_on(store.apply(writes, PROJECTION, "catalog/0", checkpoint)).expect("it writes");
}

/// Numbers of rows all over the place.
fn places() -> impl FnMut() -> i64 {
    let mut place = 0;
    move || {
        place = (place + 7_919) % (ROWS - 21);
        place
    }
}

fn reads(report: &mut Report, store: &EmbeddedStore, bare: &Bare) {
    let (mut ours_at, mut theirs_at) = (places(), places());
    let (ours, theirs) = in_turns(
        || {
            many(|| {
                let partition = ["shop".into(), Value::Int(0)];
                let after = sku(ours_at());
                let range = Range { after: Some(vec![after.as_str().into()]), limit: 20, ..Range::default() };
                let page = block_on(store.scan(&PRODUCTS, &partition, range)).expect("it reads");
                assert_eq!(black_box(page).rows.len(), 20);
            })
        },
        || many(|| assert_eq!(black_box(bare.page(&sku(theirs_at()), 20)).len(), 20)),
    );
    report.row(Row::new("pages of 20 rows", &ours).beside(&theirs));
    let (ours, theirs) = in_turns(
        || {
            many(|| {
                let key = ["shop".into(), Value::Int(0), sku(ours_at()).as_str().into()];
                assert!(black_box(block_on(store.get(&PRODUCTS, &key)).expect("it reads")).is_some());
            })
        },
        || many(|| assert!(black_box(bare.row(&sku(theirs_at()))).is_some())),
    );
    report.row(Row::new("single rows", &ours).beside(&theirs));
}

fn many(mut read: impl FnMut()) -> Round {
    Round::repeat_on_one_core(turn(0.3), AT_ONCE, || (0..AT_ONCE).for_each(|_| read()))
}
