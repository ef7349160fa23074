//! What an embedded store is after it was closed, killed, forgotten or damaged.
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;
use std::sync::Arc;

use feira_projection_store::{
    Checkpoint, Column, ColumnType, Mutation, Order, ProjectionId, Range, Store, StoreError, Table, Value,
};
use feira_projection_store_embedded::{EmbeddedStore, Options};

static ITEMS: Table = Table {
    name: "items_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "number", kind: ColumnType::BigInt },
        Column { name: "title", kind: ColumnType::Text },
    ],
    partition: 1,
    clustering: &[Order::Descending],
    doc: "Items.",
};

const ID: ProjectionId = ProjectionId { name: "items", version: 1 };

async fn open(folder: &Path) -> Arc<EmbeddedStore> {
    let store = EmbeddedStore::open(folder).unwrap();
    store.ensure(&[&ITEMS]).await.unwrap();
    store
}

fn upsert(number: i64, title: &str, timestamp: i64) -> Mutation {
    let key = vec!["shop".into(), Value::BigInt(number)];
    Mutation::Upsert { table: &ITEMS, key, cells: vec![(2, Some(title.into()))], timestamp, first: false }
}

async fn write(store: &EmbeddedStore, writes: Vec<Mutation>, lane_seq: u64) {
    store.apply(writes, ID, "catalog/0", Checkpoint { lane_seq, hint: 1 }).await.unwrap();
}

async fn count(store: &EmbeddedStore) -> usize {
    let range = Range { limit: 10_000, ..Range::default() };
    store.scan(&ITEMS, &["shop".into()], range).await.unwrap().rows.len()
}

#[tokio::test]
async fn rows_and_checkpoint_are_there_when_it_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    write(&store, (0..100).map(|n| upsert(n, "x", 1)).collect(), 7).await;
    drop(store);
    let store = open(folder.path()).await;
    assert_eq!(count(&store).await, 100);
    assert_eq!(store.checkpoint(ID, "catalog/0").await.unwrap(), Checkpoint { lane_seq: 7, hint: 1 });
    assert!(store.reached(ID, "catalog/0", 7, std::time::Duration::ZERO).await.unwrap());
}

#[tokio::test]
async fn what_was_forgotten_stays_forgotten_when_it_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    write(&store, (0..100).map(|n| upsert(n, "x", 50)).collect(), 7).await;
    let partition = vec!["shop".into()];
    write(&store, vec![Mutation::DeletePartition { table: &ITEMS, partition, timestamp: 60 }], 8).await;
    store.forget(ID, &[&ITEMS]).await.unwrap();
    write(&store, vec![upsert(1, "again", 2)], 1).await;
    drop(store);
    let store = open(folder.path()).await;
    assert_eq!(count(&store).await, 1);
    assert_eq!(store.checkpoint(ID, "catalog/0").await.unwrap().lane_seq, 1);
}

/// A copy of the folder is what a killed process leaves: what it gave to the system, and no goodbye.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[tokio::test]
async fn after_a_cut_anywhere_the_checkpoint_is_not_ahead_of_its_rows() {
    let (folder, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(folder.path()).await;
    for seq in 1..=40_u64 {
        write(&store, vec![upsert(seq as i64, &"x".repeat(50), seq as i64)], seq).await;
    }
    let journal = |folder: &Path| {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.into_iter().find(|path| path.extension().is_some_and(|end| end == "jnl")).expect("there is a journal")
    };
    let written = {
        let bytes = std::fs::read(journal(folder.path())).unwrap();
        bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
    };
    let (mut most, mut least) = (0, u64::MAX);
    for step in 0..40 {
        let at = cut.path().join(step.to_string());
        copy(folder.path(), &at);
        let file = std::fs::OpenOptions::new().write(true).open(journal(&at)).unwrap();
        file.set_len((written - step * written / 40) as u64).unwrap();
        let Ok(store) = EmbeddedStore::open(&at) else { continue };
        store.ensure(&[&ITEMS]).await.unwrap();
        let reached = store.checkpoint(ID, "catalog/0").await.unwrap().lane_seq;
        assert!(count(&store).await as u64 >= reached, "cut {step}: {reached}");
        (most, least) = (most.max(reached), least.min(reached));
        drop(store);
        std::fs::remove_dir_all(&at).unwrap();
    }
    assert!(most >= 39 && least < 20, "the cuts took nothing away: {most} {least}");
}

#[tokio::test]
async fn a_second_process_is_told_that_the_folder_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let _store = open(folder.path()).await;
    assert!(matches!(EmbeddedStore::open(folder.path()), Err(StoreError::Unavailable { .. })));
}

#[tokio::test]
async fn a_table_whose_columns_changed_needs_a_new_version() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let described: &'static Table = Box::leak(Box::new(Table { doc: "Items, said better.", ..ITEMS }));
    store.ensure(&[described]).await.unwrap();
    let changed: &'static Table = Box::leak(Box::new(Table { clustering: &[Order::Ascending], ..ITEMS }));
    assert!(matches!(store.ensure(&[changed]).await, Err(StoreError::Invalid { .. })));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_damage_and_names_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    write(&store, vec![upsert(1, "x", 1)], 1).await;
    drop(store);
    {
        let database = fjall::Database::builder(folder.path()).open().unwrap();
        let rows = database.keyspace("rows.items_v1", fjall::KeyspaceCreateOptions::default).unwrap();
        let (key, mut stored) = rows.first_key_value().unwrap().into_inner().map(|(k, v)| (k, v.to_vec())).unwrap();
        stored.truncate(stored.len() - 1);
        rows.insert(key, stored).unwrap();
    }
    let store = open(folder.path()).await;
    let key = ["shop".into(), Value::BigInt(1)];
    assert!(matches!(store.get(&ITEMS, &key).await, Err(StoreError::Damaged { table, .. }) if table == "items_v1"));
    let range = Range { limit: 10, ..Range::default() };
    assert!(matches!(store.scan(&ITEMS, &["shop".into()], range).await, Err(StoreError::Damaged { .. })));
    let applied = store.apply(vec![upsert(1, "y", 2)], ID, "catalog/0", Checkpoint { lane_seq: 2, hint: 0 }).await;
    assert!(matches!(applied, Err(StoreError::Damaged { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_larger_than_its_buffers_keeps_every_row() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { cache_bytes: 1 << 20, table_buffer_bytes: 1 << 20, workers: 1 };
    let store = EmbeddedStore::open_with(folder.path(), options).unwrap();
    store.ensure(&[&ITEMS]).await.unwrap();
    for seq in 0..40_u64 {
        let writes = (0..200).map(|n| upsert(seq as i64 * 200 + n, &"ç".repeat(200), 1)).collect();
        write(&store, writes, seq).await;
    }
    assert_eq!(count(&store).await, 8_000);
    let row = store.get(&ITEMS, &["shop".into(), Value::BigInt(17)]).await.unwrap();
    assert_eq!(row.unwrap()[2], Some("ç".repeat(200).as_str().into()));
}

#[tokio::test]
async fn a_rebuild_over_rows_that_were_left_behind_ends_in_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let first = |number, title| {
        let mut write = upsert(number, title, 10);
        let Mutation::Upsert { first, .. } = &mut write else { unreachable!() };
        *first = true;
        write
    };
    let key = |number| vec!["shop".into(), Value::BigInt(number)];
    let deleted = |number| Mutation::Delete { table: &ITEMS, key: key(number), timestamp: 20 };
    let title = async |number| {
        let row = store.get(&ITEMS, &key(number)).await.unwrap();
        row.and_then(|row| row[2].clone())
    };
    // Twice, as when the checkpoints were forgotten and the rows were not.
    for _ in 0..2 {
        write(&store, vec![first(1, "new"), first(2, "gone")], 1).await;
        // What is there is not looked for, and does not outlive it.
        assert_eq!((title(1).await, title(2).await), (Some("new".into()), Some("gone".into())));
        write(&store, vec![upsert(1, "changed", 20), deleted(2)], 2).await;
        assert_eq!((title(1).await, title(2).await), (Some("changed".into()), None));
    }
}
