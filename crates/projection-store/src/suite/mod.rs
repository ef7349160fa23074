//! What every store must pass, as rules that a test binary runs one by one against a store of its own.
//!
//! Each rule writes to partitions named after it, so all of them can run at once on one store.
#![allow(clippy::unwrap_used, reason = "these are tests, kept here so that each store can run them")]

mod checkpoints;
mod random;
mod refusals;
mod scans;
mod writes;

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;

use crate::{Checkpoint, Column, ColumnType, Mutation, Order, Page, ProjectionId, Range, Row, Store, Table, Value};

/// A rule and how to see whether a store keeps it.
pub struct Rule {
    /// The rule in words.
    pub name: &'static str,
    /// Panics when the store breaks it.
    pub run: fn(Arc<dyn Store>) -> BoxFuture<'static, ()>,
}

macro_rules! rules {
    ($($room:ident::$name:ident),* $(,)?) => {
        vec![$(Rule { name: stringify!($name), run: |store| Box::pin($room::$name(store)) }),*]
    };
}

/// All rules.
pub fn rules() -> Vec<Rule> {
    rules![
        writes::what_was_written_is_read,
        writes::a_row_that_was_never_written_is_not_there,
        writes::a_first_write_is_a_write_like_others,
        writes::cells_that_are_not_written_stay,
        writes::the_later_write_stands_cell_by_cell,
        writes::at_the_same_time_the_larger_value_stands,
        writes::at_the_same_time_a_null_beats_a_value,
        writes::at_the_same_time_a_delete_beats_an_upsert,
        writes::a_delete_just_before_an_upsert_clears_the_row,
        writes::a_delete_hides_what_is_older_whenever_it_comes,
        writes::a_delete_takes_older_cells_and_leaves_newer_ones,
        writes::a_partition_delete_hides_its_older_rows_whenever_it_comes,
        writes::a_row_of_nulls_is_a_row,
        writes::a_null_takes_the_content_away_and_an_older_value_does_not_bring_it_back,
        writes::empty_contents_are_not_null,
        writes::extremes_of_every_type_are_read_as_written,
        writes::applying_twice_is_applying_once,
        writes::a_replayed_beginning_changes_nothing,
        writes::the_order_of_writes_does_not_matter,
        writes::many_rows_come_in_the_order_asked,
        writes::a_row_without_clustering_is_found_by_its_partition,
        writes::a_megabyte_fits_a_cell,
        scans::keys_of_every_type_stand_in_order,
        scans::texts_stand_in_the_order_of_their_bytes,
        scans::a_range_lies_between_its_bounds,
        scans::a_range_reads_backwards,
        scans::a_prefix_stands_for_all_that_begin_with_it,
        scans::mixed_orders_keep_every_range,
        scans::more_is_said_exactly,
        scans::pages_put_together_are_the_partition,
        scans::partitions_do_not_run_into_each_other,
        scans::many_partitions_are_read_each_in_its_range,
        scans::deleted_rows_take_no_place_in_a_page,
        scans::all_rows_are_each_given_once,
        scans::an_empty_table_has_no_rows_at_all,
        checkpoints::a_new_projection_begins_at_nothing,
        checkpoints::a_checkpoint_never_goes_back,
        checkpoints::checkpoints_are_kept_by_projection_version_and_lane,
        checkpoints::rows_are_there_when_the_checkpoint_says_so,
        checkpoints::whoever_waits_is_woken,
        checkpoints::a_wait_ends_in_time,
        checkpoints::what_is_forgotten_can_be_built_again,
        checkpoints::tables_are_made_once_by_many_at_once,
        refusals::values_that_do_not_fit_are_refused_and_nothing_is_written,
        refusals::bounds_and_limits_that_do_not_fit_are_refused,
        random::any_history_reads_as_in_the_model,
    ]
}

/// The tables the rules write to; ensure them before the first rule.
pub const TABLES: &[&Table] = &[&ITEMS, &SETTINGS, &KEYS, &REVERSED, &MIXED, &FORGOTTEN, &EMPTY];

const fn column(name: &'static str, kind: ColumnType) -> Column {
    Column { name, kind }
}

const CELLS: [Column; 7] = [
    column("title", ColumnType::Text),
    column("minor", ColumnType::BigInt),
    column("stock", ColumnType::Int),
    column("shown", ColumnType::Boolean),
    column("photo", ColumnType::Blob),
    column("changed", ColumnType::Timestamp),
    column("tags", ColumnType::TextList),
];

const TITLE: usize = 2;
const MINOR: usize = 3;
const STOCK: usize = 4;
const SHOWN: usize = 5;
const PHOTO: usize = 6;
const CHANGED: usize = 7;
const TAGS: usize = 8;

static ITEMS: Table = Table {
    name: "suite_items_v1",
    columns: &[
        column("tenant", ColumnType::Text),
        column("sku", ColumnType::Text),
        CELLS[0],
        CELLS[1],
        CELLS[2],
        CELLS[3],
        CELLS[4],
        CELLS[5],
        CELLS[6],
    ],
    partition: 1,
    clustering: &[Order::Ascending],
    doc: "Rows with a cell of every type.",
};

static SETTINGS: Table = Table {
    name: "suite_settings_v1",
    columns: &[
        column("tenant", ColumnType::Text),
        column("shard", ColumnType::BigInt),
        column("title", ColumnType::Text),
    ],
    partition: 2,
    clustering: &[],
    doc: "Rows that are whole partitions.",
};

const KEY_COLUMNS: &[Column] = &[
    column("tenant", ColumnType::Text),
    column("word", ColumnType::Text),
    column("big", ColumnType::BigInt),
    column("small", ColumnType::Int),
    column("flag", ColumnType::Boolean),
    column("raw", ColumnType::Blob),
    column("moment", ColumnType::Timestamp),
    column("title", ColumnType::Text),
];

static KEYS: Table = Table {
    name: "suite_keys_v1",
    columns: KEY_COLUMNS,
    partition: 1,
    clustering: &[Order::Ascending; 6],
    doc: "Clustering columns of every type, smallest first.",
};

static REVERSED: Table = Table {
    name: "suite_reversed_v1",
    columns: KEY_COLUMNS,
    partition: 1,
    clustering: &[Order::Descending; 6],
    doc: "Clustering columns of every type, largest first.",
};

static MIXED: Table = Table {
    name: "suite_mixed_v1",
    columns: &[
        column("tenant", ColumnType::Text),
        column("bucket", ColumnType::Int),
        column("at", ColumnType::BigInt),
        column("word", ColumnType::Text),
        column("part", ColumnType::Int),
        column("title", ColumnType::Text),
        column("minor", ColumnType::BigInt),
    ],
    partition: 2,
    clustering: &[Order::Descending, Order::Ascending, Order::Descending],
    doc: "Clustering columns in either order.",
};

static FORGOTTEN: Table = Table { name: "suite_forgotten_v1", ..ITEMS };

static EMPTY: Table = Table { name: "suite_empty_v1", ..ITEMS };

const PROJECTION: ProjectionId = ProjectionId { name: "suite", version: 1 };

async fn write(store: &Arc<dyn Store>, lane: &str, writes: Vec<Mutation>) {
    let checkpoint = Checkpoint { lane_seq: 1, hint: 0 };
    store.apply(writes, PROJECTION, lane, checkpoint).await.unwrap();
}

/// A row of [`ITEMS`].
fn item(tenant: &str, sku: &str, cells: Vec<(usize, Option<Value>)>, timestamp: i64) -> Mutation {
    Mutation::Upsert { table: &ITEMS, key: vec![tenant.into(), sku.into()], cells, timestamp, first: false }
}

fn item_deleted(tenant: &str, sku: &str, timestamp: i64) -> Mutation {
    Mutation::Delete { table: &ITEMS, key: vec![tenant.into(), sku.into()], timestamp }
}

async fn read_item(store: &Arc<dyn Store>, tenant: &str, sku: &str) -> Option<Row> {
    store.get(&ITEMS, &[tenant.into(), sku.into()]).await.unwrap()
}

async fn scan(store: &Arc<dyn Store>, table: &'static Table, partition: &[Value], range: Range) -> Page {
    store.scan(table, partition, range).await.unwrap()
}

fn all() -> Range {
    Range { limit: 1_000, ..Range::default() }
}

fn text(text: &str) -> Option<Value> {
    Some(text.into())
}

fn big(number: i64) -> Option<Value> {
    Some(Value::BigInt(number))
}

fn blob(bytes: &[u8]) -> Value {
    Value::Blob(Bytes::copy_from_slice(bytes))
}

fn texts(texts: &[&str]) -> Value {
    Value::TextList(texts.iter().map(|text| (*text).into()).collect())
}

/// Numbers that look random and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.roll(last as u64 + 1) as usize);
        }
    }
}
