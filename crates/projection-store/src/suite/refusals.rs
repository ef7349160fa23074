//! What no store takes.

use super::*;
use crate::{CELL_BYTES_MAX, KEY_BYTES_MAX, LIMIT_MAX, StoreError};

pub async fn values_that_do_not_fit_are_refused_and_nothing_is_written(store: Arc<dyn Store>) {
    let tenant = "refused";
    let upsert = |key: Vec<Value>, cells| Mutation::Upsert { table: &ITEMS, key, cells, timestamp: 10, first: false };
    let key = || vec![Value::from(tenant), "a".into()];
    let long = "x".repeat(KEY_BYTES_MAX);
    let bad = [
        upsert(vec![], vec![]),
        upsert(vec![tenant.into()], vec![]),
        upsert(vec![tenant.into(), "a".into(), "b".into()], vec![]),
        upsert(vec![tenant.into(), Value::Int(1)], vec![]),
        upsert(vec!["".into(), "a".into()], vec![]),
        upsert(vec![tenant.into(), long.as_str().into()], vec![]),
        upsert(key(), vec![(1, text("key"))]),
        upsert(key(), vec![(99, None)]),
        upsert(key(), vec![(TITLE, big(1))]),
        upsert(key(), vec![(CHANGED, big(1))]),
        upsert(key(), vec![(TITLE, text("x")), (TITLE, text("y"))]),
        upsert(key(), vec![(PHOTO, Some(blob(&vec![0; CELL_BYTES_MAX + 1])))]),
        Mutation::Upsert { table: &ITEMS, key: key(), cells: vec![], timestamp: -1, first: false },
        Mutation::Delete { table: &ITEMS, key: vec![tenant.into()], timestamp: 10 },
        Mutation::DeletePartition { table: &ITEMS, partition: key(), timestamp: 10 },
    ];
    for mutation in bad {
        let good = item(tenant, "good", vec![(TITLE, text("x"))], 10);
        let applied =
            store.apply(vec![good, mutation.clone()], PROJECTION, tenant, Checkpoint { lane_seq: 9, hint: 0 });
        assert!(matches!(applied.await, Err(StoreError::Invalid { .. })), "{mutation:?}");
    }
    assert_eq!(scan(&store, &ITEMS, &[tenant.into()], all()).await, Page::default());
    assert_eq!(store.checkpoint(PROJECTION, tenant).await.unwrap(), Checkpoint::default());
    for key in [vec![], vec![Value::from(tenant)], vec![Value::from(tenant), Value::Boolean(true)]] {
        assert!(matches!(store.get(&ITEMS, &key).await, Err(StoreError::Invalid { .. })), "{key:?}");
        assert!(matches!(store.get_many(&ITEMS, &[key]).await, Err(StoreError::Invalid { .. })));
    }
}

pub async fn bounds_and_limits_that_do_not_fit_are_refused(store: Arc<dyn Store>) {
    let good = all();
    let bad = [
        Range { limit: 0, ..good.clone() },
        Range { limit: LIMIT_MAX + 1, ..good.clone() },
        Range { after: Some(vec![]), ..good.clone() },
        Range { after: Some(vec![Value::Int(1)]), ..good.clone() },
        Range { before: Some(vec!["a".into(), "b".into()]), ..good.clone() },
    ];
    for range in bad {
        let scanned = store.scan(&ITEMS, &["refused".into()], range.clone()).await;
        assert!(matches!(scanned, Err(StoreError::Invalid { .. })), "{range:?}");
        let scanned =
            store.scan_many(&ITEMS, &[(vec!["refused".into()], good.clone()), (vec!["x".into()], range)]).await;
        assert!(matches!(scanned, Err(StoreError::Invalid { .. })));
    }
    for partition in [vec![], vec![Value::Int(1)], vec!["a".into(), "b".into()]] {
        let scanned = store.scan(&ITEMS, &partition, good.clone()).await;
        assert!(matches!(scanned, Err(StoreError::Invalid { .. })), "{partition:?}");
    }
}
