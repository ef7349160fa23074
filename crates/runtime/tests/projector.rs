//! Projectors and reads at a position, on the embedded log and store.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use feira_codec::Opened;
use feira_event_log::EventLog;
use feira_event_log_embedded::EmbeddedLog;
use feira_events::cart::Event;
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Checkpoint, Column, ColumnType, Mutation, ProjectionId, Store, Table, Value};
use feira_projection_store_embedded::EmbeddedStore;
use feira_runtime::suite::basket::Baskets;
use feira_runtime::suite::{Stubborn, accepted, command};
use feira_runtime::{
    Commands, LocalCommands, Options, Position, Projection, ProjectionError, Reads, Running, Service, ServiceHost,
    Waited,
};

static EDITS: Table = Table {
    name: "edits_v1",
    columns: &[
        Column { name: "aggregate", kind: ColumnType::Text },
        Column { name: "version", kind: ColumnType::BigInt },
        Column { name: "at", kind: ColumnType::BigInt },
    ],
    partition: 1,
    clustering: &[],
    doc: "How often a basket was edited.",
};

const ID: ProjectionId = ProjectionId { name: "edits", version: 1 };

/// Counts a basket's events; cannot read them, or fails as a program does, while a test says so.
#[derive(Clone, Default)]
struct Edits {
    stumbles: Arc<AtomicBool>,
    fails: Arc<AtomicBool>,
}

impl Projection for Edits {
    fn id(&self) -> ProjectionId {
        ID
    }

    fn sources(&self) -> Vec<ServiceName> {
        vec![ServiceName::new("cart")]
    }

    fn tables(&self) -> Vec<&'static Table> {
        vec![&EDITS]
    }

    fn apply(&self, _: &LaneId, record: &Opened) -> Result<Vec<Mutation>, ProjectionError> {
        let Some(version) = record.meta.aggregate_seq else { return Ok(vec![]) };
        let fault = |source| ProjectionError { event_type: record.name.to_owned(), source };
        if self.stumbles.load(Ordering::SeqCst) {
            return Err(fault(feira_codec::CodecError::UnknownSchema { id: 7 }));
        }
        assert!(!self.fails.load(Ordering::SeqCst), "a mistake of the program");
        record.decode::<Event>().map_err(fault)?;
        let cells = vec![(1, Some(Value::BigInt(version))), (2, Some(Value::BigInt(record.meta.at)))];
        let key = vec![Value::Text(record.meta.aggregate.clone())];
        Ok(vec![Mutation::Upsert { table: &EDITS, key, cells, timestamp: record.meta.hlc, first: false }])
    }
}

struct Home {
    log: Arc<dyn EventLog>,
    store: Arc<dyn Store>,
    running: Running,
    commands: LocalCommands,
    reads: Reads,
}

async fn start(folder: &Path, edits: &Edits) -> Home {
    let log = EmbeddedLog::open(&folder.join("log"), &[(ServiceName::new("cart"), 2)], Default::default()).unwrap();
    let store = EmbeddedStore::open(folder.join("rows")).unwrap();
    start_on(folder, edits, log, store).await
}

async fn start_on(folder: &Path, edits: &Edits, log: Arc<dyn EventLog>, store: Arc<dyn Store>) -> Home {
    let host = ServiceHost::builder("cart").host(Baskets::default()).build();
    let projections: Vec<Arc<dyn Projection>> = vec![Arc::new(edits.clone())];
    let running = Service::start(
        host,
        projections,
        log.clone(),
        store.clone(),
        &folder.join("lanes"),
        "local",
        Options::default(),
    )
    .await
    .unwrap();
    assert!(running.wait_ready(Duration::from_secs(30)).await, "{:?}", running.ready());
    let commands = LocalCommands::new([running.intake()]);
    let reads = Reads::new(store.clone(), [(ID, edits.sources())]);
    Home { log, store, running, commands, reads }
}

impl Home {
    async fn edit(&self, basket: &str, key: &str) -> Position {
        let input = feira_commands::cart::Input::AddItem { sku: "mango".into(), quantity: 1 };
        accepted(self.commands.ask(command(basket, input, key)).await).position
    }

    async fn edits(&self, basket: &str) -> Option<i64> {
        edits(self.store.as_ref(), basket).await
    }
}

async fn edits(store: &dyn Store, basket: &str) -> Option<i64> {
    let key = [Value::Text(format!("cart:{basket}").into())];
    let row = store.get(&EDITS, &key).await.unwrap()?;
    match row[1] {
        Some(Value::BigInt(version)) => Some(version),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_read_at_its_position() {
    let folder = tempfile::tempdir().unwrap();
    let home = start(folder.path(), &Edits::default()).await;
    for i in 1..=50 {
        let position = home.edit("BR.1", &format!("k{i}")).await;
        assert_eq!(home.reads.wait_for(&position, ID).await.unwrap(), Waited::Reached);
        assert_eq!(home.edits("BR.1").await, Some(i));
    }
    home.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_from_the_checkpoint_and_a_forgotten_projection_is_built_again() {
    let folder = tempfile::tempdir().unwrap();
    let home = start(folder.path(), &Edits::default()).await;
    let mut position = Position::default();
    for i in 0..20 {
        position.merge(&home.edit(&format!("BR.{i}"), &format!("k{i}")).await);
    }
    home.reads.wait_for(&position, ID).await.unwrap();
    home.running.shutdown().await;
    drop((home.commands, home.reads, home.log, home.store));
    let home = start(folder.path(), &Edits::default()).await;
    // The two records that say who took the lanes.
    let since = home.running.metrics().projected.get();
    assert!(since <= 2, "{since} records were projected again");
    home.running.shutdown().await;
    home.store.forget(ID, &[&EDITS]).await.unwrap();
    assert_eq!(edits(home.store.as_ref(), "BR.3").await, None);
    drop((home.commands, home.reads, home.log, home.store));
    let home = start(folder.path(), &Edits::default()).await;
    for i in 0..20 {
        assert_eq!(home.edits(&format!("BR.{i}")).await, Some(1));
    }
    home.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_read_holds_its_lane_until_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let edits = Edits::default();
    let home = start(folder.path(), &edits).await;
    let first = home.edit("BR.1", "k1").await;
    assert_eq!(home.reads.wait_for(&first, ID).await.unwrap(), Waited::Reached);
    edits.stumbles.store(true, Ordering::SeqCst);
    let second = home.edit("BR.1", "k2").await;
    let third = home.edit("BR.1", "k3").await;
    let waited = home.reads.wait_for(&third, ID).await.unwrap();
    let lane = home.running.intake().lane(&command("BR.1", feira_commands::cart::Input::Undo { edit: None }, "x"));
    let at = first.seq(&lane).unwrap();
    assert_eq!(waited, Waited::Lagging { lane: lane.clone(), at, wanted: third.seq(&lane).unwrap() });
    assert_eq!(home.edits("BR.1").await, Some(1), "nothing past the record");
    assert!(home.running.ready().projections.iter().any(|projection| projection.trouble.is_some()));
    edits.stumbles.store(false, Ordering::SeqCst);
    let began = Instant::now();
    while home.reads.wait_for(&second, ID).await.unwrap() != Waited::Reached {
        assert!(began.elapsed() < Duration::from_secs(30));
    }
    home.reads.wait_for(&third, ID).await.unwrap();
    assert_eq!(home.edits("BR.1").await, Some(3));
    home.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_that_fails_in_the_program_says_so_and_goes_on_once_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let edits = Edits::default();
    let home = start(folder.path(), &edits).await;
    edits.fails.store(true, Ordering::SeqCst);
    let edited = home.edit("BR.1", "k1").await;
    assert_ne!(home.reads.wait_for(&edited, ID).await.unwrap(), Waited::Reached);
    let troubles: Vec<_> = home.running.ready().projections.into_iter().filter_map(|state| state.trouble).collect();
    assert!(troubles.iter().any(|trouble| trouble.contains("a mistake of the program")), "{troubles:?}");
    edits.fails.store(false, Ordering::SeqCst);
    let began = Instant::now();
    while home.reads.wait_for(&edited, ID).await.unwrap() != Waited::Reached {
        assert!(began.elapsed() < Duration::from_secs(30));
    }
    assert_eq!(home.edits("BR.1").await, Some(1));
    home.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_that_a_projection_does_not_consume_are_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let home = start(folder.path(), &Edits::default()).await;
    let elsewhere = Position::at(LaneId::new(&ServiceName::new("catalog"), 0), 1_000_000);
    let began = Instant::now();
    assert_eq!(home.reads.wait_for(&elsewhere, ID).await.unwrap(), Waited::Reached);
    assert!(began.elapsed() < Duration::from_secs(1));
    home.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_takes_no_rows_is_tried_again_and_nothing_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(&folder.path().join("log"), &[(ServiceName::new("cart"), 2)], Default::default());
    let store = EmbeddedStore::open(folder.path().join("rows")).unwrap();
    let stubborn = Arc::new(Stubborn::new(store));
    let home = start_on(folder.path(), &Edits::default(), log.unwrap(), stubborn.clone()).await;
    stubborn.refuses.store(true, Ordering::SeqCst);
    let mut position = Position::default();
    for i in 0..20 {
        position.merge(&home.edit(&format!("BR.{i}"), &format!("k{i}")).await);
    }
    let began = Instant::now();
    while stubborn.refused.load(Ordering::SeqCst) < 3 {
        assert!(began.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stubborn.refuses.store(false, Ordering::SeqCst);
    while home.reads.wait_for(&position, ID).await.unwrap() != Waited::Reached {
        assert!(began.elapsed() < Duration::from_secs(30));
    }
    for i in 0..20 {
        assert_eq!(home.edits(&format!("BR.{i}")).await, Some(1));
    }
    home.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_another_log_are_not_built_upon() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(&folder.path().join("log"), &[(ServiceName::new("cart"), 2)], Default::default());
    let store = EmbeddedStore::open(folder.path().join("rows")).unwrap();
    store.ensure(&[&EDITS]).await.unwrap();
    store.apply(vec![], ID, "cart/0", Checkpoint { lane_seq: 1_000, hint: 0 }).await.unwrap();
    let host = ServiceHost::builder("cart").host(Baskets::default()).build();
    let projections: Vec<Arc<dyn Projection>> = vec![Arc::new(Edits::default())];
    let lanes = folder.path().join("lanes");
    let running =
        Service::start(host, projections, log.unwrap(), store, &lanes, "local", Options::default()).await.unwrap();
    let began = Instant::now();
    let told = || running.ready().projections.iter().any(|state| state.lane.index == 0 && state.trouble.is_some());
    while !told() {
        assert!(began.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!running.ready().is_ready());
    running.shutdown().await;
}
