//! How far a projection has come, who waits for it, and beginning again.

use std::time::{Duration, Instant};

use super::*;

const LONG: Duration = Duration::from_secs(20);

fn at(lane_seq: u64) -> Checkpoint {
    Checkpoint { lane_seq, hint: lane_seq * 10 }
}

fn named(name: &'static str, version: u32) -> ProjectionId {
    ProjectionId { name, version }
}

pub async fn a_new_projection_begins_at_nothing(store: Arc<dyn Store>) {
    assert_eq!(store.checkpoint(named("begins", 1), "catalog/0").await.unwrap(), Checkpoint::default());
    assert!(store.reached(named("begins", 1), "catalog/0", 0, Duration::ZERO).await.unwrap());
}

pub async fn a_checkpoint_never_goes_back(store: Arc<dyn Store>) {
    let id = named("never_back", 1);
    for (written, stands) in [(at(5), at(5)), (at(3), at(5)), (at(5), at(5)), (at(9), at(9)), (at(0), at(9))] {
        store.apply(vec![], id, "catalog/0", written).await.unwrap();
        assert_eq!(store.checkpoint(id, "catalog/0").await.unwrap(), stands);
    }
    let further = Checkpoint { lane_seq: 9, hint: u64::MAX };
    for written in [further, at(9)] {
        store.apply(vec![], id, "catalog/0", written).await.unwrap();
        assert_eq!(store.checkpoint(id, "catalog/0").await.unwrap(), further);
    }
}

pub async fn checkpoints_are_kept_by_projection_version_and_lane(store: Arc<dyn Store>) {
    let places =
        [(named("kept", 1), "a/0"), (named("kept", 2), "a/0"), (named("kept", 1), "a/1"), (named("ke", 1), "a/0")];
    for (seq, (id, lane)) in (1..).zip(places) {
        store.apply(vec![], id, lane, at(seq)).await.unwrap();
    }
    for (seq, (id, lane)) in (1..).zip(places) {
        assert_eq!(store.checkpoint(id, lane).await.unwrap(), at(seq));
    }
}

pub async fn rows_are_there_when_the_checkpoint_says_so(store: Arc<dyn Store>) {
    let id = named("rows_first", 1);
    let (writer, tenant) = (store.clone(), "rows_first");
    let writing = tokio::spawn(async move {
        for seq in 1..=30_u64 {
            let upserts = (0..5).map(|n| item(tenant, &format!("{n}"), vec![(MINOR, big(seq as i64))], seq as i64));
            writer.apply(upserts.collect(), id, "catalog/0", at(seq)).await.unwrap();
        }
    });
    let deadline = Instant::now() + LONG;
    loop {
        let reached = store.checkpoint(id, "catalog/0").await.unwrap().lane_seq;
        let rows = scan(&store, &ITEMS, &[tenant.into()], all()).await.rows;
        assert!(reached == 0 || rows.len() == 5);
        let behind = |row: &Row| row[MINOR].clone().unwrap_or(Value::BigInt(0)) < Value::BigInt(reached as i64);
        assert!(!rows.iter().any(behind), "{reached}: {rows:?}");
        if reached == 30 {
            break;
        }
        assert!(Instant::now() < deadline, "stood still at {reached}");
    }
    writing.await.unwrap();
}

pub async fn whoever_waits_is_woken(store: Arc<dyn Store>) {
    let id = named("woken", 1);
    let wait = |seq| {
        let store = store.clone();
        tokio::spawn(async move { store.reached(id, "cart/1", seq, LONG).await.unwrap() })
    };
    let waiting: Vec<_> = (1..=20).map(wait).collect();
    for seq in [3, 11, 20] {
        store.apply(vec![], id, "cart/1", at(seq)).await.unwrap();
        assert!(store.reached(id, "cart/1", seq, LONG).await.unwrap());
    }
    for woken in waiting {
        assert!(tokio::time::timeout(LONG, woken).await.unwrap().unwrap());
    }
}

pub async fn a_wait_ends_in_time(store: Arc<dyn Store>) {
    let id = named("in_time", 1);
    store.apply(vec![], id, "cart/0", at(4)).await.unwrap();
    let before = Instant::now();
    assert!(!store.reached(id, "cart/0", 5, Duration::from_millis(50)).await.unwrap());
    assert!(!store.reached(id, "cart/1", 1, Duration::ZERO).await.unwrap());
    let waited = before.elapsed();
    assert!(waited >= Duration::from_millis(50) && waited < LONG, "{waited:?}");
}

pub async fn what_is_forgotten_can_be_built_again(store: Arc<dyn Store>) {
    let (id, other) = (named("forgotten", 1), named("forgotten", 2));
    let row = |title: &str, timestamp| Mutation::Upsert {
        table: &FORGOTTEN,
        key: vec!["forgotten".into(), "a".into()],
        cells: vec![(TITLE, text(title))],
        timestamp,
        first: false,
    };
    let key = [Value::from("forgotten"), "a".into()];
    let deleted = Mutation::DeletePartition { table: &FORGOTTEN, partition: vec!["forgotten".into()], timestamp: 60 };
    for round in 0..2 {
        store.apply(vec![row("first", 50)], id, "catalog/0", at(90)).await.unwrap();
        store.apply(vec![deleted.clone()], id, "catalog/1", at(91)).await.unwrap();
        store.apply(vec![], other, "catalog/0", at(7)).await.unwrap();
        store.forget(id, &[&FORGOTTEN]).await.unwrap();
        assert_eq!(store.get(&FORGOTTEN, &key).await.unwrap(), None);
        for lane in ["catalog/0", "catalog/1"] {
            assert_eq!(store.checkpoint(id, lane).await.unwrap(), Checkpoint::default(), "round {round}");
        }
        assert_eq!(store.checkpoint(other, "catalog/0").await.unwrap(), at(7));
        // Older than all that was forgotten: a rebuild starts at the beginning of the log.
        store.apply(vec![row("again", 10)], id, "catalog/0", at(1)).await.unwrap();
        assert_eq!(store.checkpoint(id, "catalog/0").await.unwrap(), at(1));
        assert!(store.reached(id, "catalog/0", 1, LONG).await.unwrap());
        assert_eq!(store.get(&FORGOTTEN, &key).await.unwrap().unwrap()[TITLE], text("again"));
    }
}

pub async fn tables_are_made_once_by_many_at_once(store: Arc<dyn Store>) {
    write(&store, "made_once", vec![item("made_once", "a", vec![], 10)]).await;
    let ensuring: Vec<_> = (0..6)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.ensure(TABLES).await.unwrap() })
        })
        .collect();
    for ensured in ensuring {
        ensured.await.unwrap();
    }
    assert!(read_item(&store, "made_once", "a").await.is_some());
}
