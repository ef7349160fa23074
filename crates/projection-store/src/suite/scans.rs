//! Ranges of a partition: their order, bounds, direction and ends.

use futures::TryStreamExt;

use super::*;

pub async fn many_partitions_are_read_each_in_its_range(store: Arc<dyn Store>) {
    numbered(&store, "several-a", 3).await;
    numbered(&store, "several-b", 30).await;
    let scan = |tenant: &str, range: Range| (vec![Value::from(tenant)], range);
    let of = |limit: usize, reverse: bool| Range { limit, reverse, ..all() };
    let scans = [
        scan("several-b", of(2, true)),
        scan("absent", of(5, false)),
        scan("several-a", of(5, false)),
        scan("several-b", of(1, false)),
    ];
    let pages = store.scan_many(&ITEMS, &scans).await.unwrap();
    let read: Vec<(Vec<Value>, bool)> = pages
        .into_iter()
        .map(|page| (page.rows.into_iter().map(|row| row[1].clone().unwrap()).collect(), page.more))
        .collect();
    let texts = |texts: &[&str]| texts.iter().map(|text| Value::from(*text)).collect::<Vec<_>>();
    let expected = [
        (texts(&["0029", "0028"]), true),
        (texts(&[]), false),
        (texts(&["0000", "0001", "0002"]), false),
        (texts(&["0000"]), true),
    ];
    assert_eq!(read, expected);
    assert_eq!(store.scan_many(&ITEMS, &[]).await.unwrap(), []);
}

fn keys_row(table: &'static Table, tenant: &str, place: usize, value: &Value) -> Mutation {
    let mut key: Vec<Value> = vec![
        tenant.into(),
        "w".into(),
        Value::BigInt(0),
        Value::Int(0),
        Value::Boolean(false),
        blob(&[1]),
        Value::Timestamp(0),
    ];
    key[place] = value.clone();
    Mutation::Upsert { table, key, cells: vec![], timestamp: 10, first: false }
}

/// Writes `values`, given in order, as clustering column `place` and reads them in both directions from both tables.
async fn stand_in_order(store: &Arc<dyn Store>, tenant: &str, place: usize, values: &[Value]) {
    for table in [&KEYS, &REVERSED] {
        let mut writes: Vec<Mutation> = values.iter().map(|value| keys_row(table, tenant, place, value)).collect();
        Dice(place as u64).shuffle(&mut writes);
        write(store, tenant, writes).await;
        for reverse in [false, true] {
            let page = scan(store, table, &[tenant.into()], Range { reverse, ..all() }).await;
            let mut read: Vec<Value> = page.rows.into_iter().map(|row| row[place].clone().unwrap()).collect();
            if reverse != (table.clustering[0] == Order::Descending) {
                read.reverse();
            }
            assert_eq!(read, values, "{} reverse {reverse}", table.name);
        }
    }
}

pub async fn keys_of_every_type_stand_in_order(store: Arc<dyn Store>) {
    let numbers = [i64::MIN, i64::MIN + 1, -256, -1, 0, 1, 255, 256, i64::MAX - 1, i64::MAX];
    let smalls = [i32::MIN, -65_536, -1, 0, 1, 127, 128, i32::MAX];
    let raws: [&[u8]; 9] = [&[], &[0], &[0, 0], &[0, 1], &[0, 255], &[1], &[1, 0], &[255], &[255, 255]];
    stand_in_order(&store, "bigs", 2, &numbers.map(Value::BigInt)).await;
    stand_in_order(&store, "smalls", 3, &smalls.map(Value::Int)).await;
    stand_in_order(&store, "flags", 4, &[false, true].map(Value::Boolean)).await;
    stand_in_order(&store, "raws", 5, &raws.map(blob)).await;
    stand_in_order(&store, "moments", 6, &numbers.map(Value::Timestamp)).await;
}

pub async fn texts_stand_in_the_order_of_their_bytes(store: Arc<dyn Store>) {
    // The last two swap places in the order of UTF-16.
    let words =
        ["", "\0", "\0\0", "\0a", "\u{1}", " ", "A", "Z", "a", "a\0", "a\0b", "a ", "aa", "é", "चाय", "\u{ffee}", "😀"];
    stand_in_order(&store, "words", 1, &words.map(Value::from)).await;
}

async fn numbered(store: &Arc<dyn Store>, tenant: &str, count: i64) {
    let upserts = (0..count).map(|n| item(tenant, &format!("{n:04}"), vec![(MINOR, big(n))], 10)).collect();
    write(store, tenant, upserts).await;
}

/// The numbers of the rows of [`numbered`] within `range`, and whether there are more.
async fn numbers(store: &Arc<dyn Store>, tenant: &str, range: Range) -> (Vec<i64>, bool) {
    let page = scan(store, &ITEMS, &[tenant.into()], range).await;
    let number = |row: &Row| match row[MINOR] {
        Some(Value::BigInt(number)) => number,
        _ => panic!("{row:?}"),
    };
    (page.rows.iter().map(number).collect(), page.more)
}

fn between(after: Option<&str>, before: Option<&str>) -> Range {
    Range { after: after.map(|after| vec![after.into()]), before: before.map(|before| vec![before.into()]), ..all() }
}

pub async fn a_range_lies_between_its_bounds(store: Arc<dyn Store>) {
    let tenant = "between";
    numbered(&store, tenant, 10).await;
    let read = |after, before| numbers(&store, tenant, between(after, before));
    assert_eq!(read(Some("0006"), None).await.0, [7, 8, 9]);
    assert_eq!(read(None, Some("0002")).await.0, [0, 1]);
    assert_eq!(read(Some("0003"), Some("0006")).await.0, [4, 5]);
    // Bounds need not be rows.
    assert_eq!(read(Some("00035"), Some("00065")).await.0, [4, 5, 6]);
    assert_eq!(read(Some(""), Some("0001")).await.0, [0]);
    for (after, before) in [("0003", "0004"), ("0003", "0003"), ("0006", "0003"), ("0009", "9")] {
        assert_eq!(read(Some(after), Some(before)).await, (vec![], false), "{after} {before}");
    }
}

pub async fn a_range_reads_backwards(store: Arc<dyn Store>) {
    let tenant = "backwards";
    numbered(&store, tenant, 10).await;
    let read = |range: Range| numbers(&store, tenant, Range { reverse: true, ..range });
    assert_eq!(read(all()).await.0, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    assert_eq!(read(between(Some("0006"), None)).await.0, [9, 8, 7]);
    assert_eq!(read(between(Some("0003"), Some("0006"))).await.0, [5, 4]);
    let last = Range { limit: 2, ..between(None, Some("0006")) };
    assert_eq!(read(last).await, (vec![5, 4], true));
    let whole = Range { limit: 6, ..between(None, Some("0006")) };
    assert_eq!(read(whole).await, (vec![5, 4, 3, 2, 1, 0], false));
}

/// Fills a partition of [`MIXED`] and gives its clustering keys in order.
async fn mixed(store: &Arc<dyn Store>, tenant: &str) -> Vec<Vec<Value>> {
    let mut keys = Vec::new();
    for at in [5, 0, -5] {
        for word in ["", "a", "b"] {
            for part in [1, 0, -1] {
                keys.push(vec![Value::BigInt(at), word.into(), Value::Int(part)]);
            }
        }
    }
    let upsert = |clustering: &Vec<Value>| Mutation::Upsert {
        table: &MIXED,
        key: [vec![tenant.into(), Value::Int(0)], clustering.clone()].concat(),
        cells: vec![(5, text("x"))],
        timestamp: 10,
        first: false,
    };
    let mut writes: Vec<Mutation> = keys.iter().map(upsert).collect();
    Dice(3).shuffle(&mut writes);
    write(store, tenant, writes).await;
    keys
}

async fn clustering_keys(store: &Arc<dyn Store>, tenant: &str, range: Range) -> Vec<Vec<Value>> {
    let page = scan(store, &MIXED, &[tenant.into(), Value::Int(0)], range).await;
    page.rows.into_iter().map(|row| row[2..5].iter().cloned().map(Option::unwrap).collect()).collect()
}

pub async fn a_prefix_stands_for_all_that_begin_with_it(store: Arc<dyn Store>) {
    let tenant = "prefixes";
    let keys = mixed(&store, tenant).await;
    for length in 1..=3 {
        for key in &keys {
            let prefix = &key[..length];
            let first = keys.iter().position(|key| key.starts_with(prefix)).unwrap();
            let last = keys.iter().rposition(|key| key.starts_with(prefix)).unwrap();
            let after = Range { after: Some(prefix.to_vec()), ..all() };
            let before = Range { before: Some(prefix.to_vec()), ..all() };
            assert_eq!(clustering_keys(&store, tenant, after).await, keys[last + 1..], "after {prefix:?}");
            assert_eq!(clustering_keys(&store, tenant, before).await, keys[..first], "before {prefix:?}");
        }
    }
}

pub async fn mixed_orders_keep_every_range(store: Arc<dyn Store>) {
    let tenant = "mixed";
    let keys = mixed(&store, tenant).await;
    let mut dice = Dice(5);
    for _ in 0..60 {
        let mut bound = || {
            let key = &keys[dice.roll(keys.len() as u64) as usize];
            key[..1 + dice.roll(3) as usize].to_vec()
        };
        let (after, before) = (bound(), bound());
        let (limit, reverse) = (1 + dice.roll(12) as usize, dice.roll(2) == 0);
        let begin = keys.iter().rposition(|key| key.starts_with(&after)).unwrap() + 1;
        let end = keys.iter().position(|key| key.starts_with(&before)).unwrap();
        let mut expected = if begin < end { keys[begin..end].to_vec() } else { vec![] };
        if reverse {
            expected.reverse();
        }
        expected.truncate(limit);
        let range = Range { after: Some(after), before: Some(before), reverse, limit };
        assert_eq!(clustering_keys(&store, tenant, range.clone()).await, expected, "{range:?}");
    }
}

pub async fn more_is_said_exactly(store: Arc<dyn Store>) {
    let tenant = "more";
    numbered(&store, tenant, 20).await;
    for reverse in [false, true] {
        for limit in [1, 2, 19, 20, 21] {
            let (read, more) = numbers(&store, tenant, Range { limit, reverse, ..Range::default() }).await;
            assert_eq!((read.len(), more), (limit.min(20), limit < 20), "{limit} {reverse}");
        }
    }
    // The row behind the page is outside the range.
    let range = Range { limit: 5, ..between(None, Some("0005")) };
    assert_eq!(numbers(&store, tenant, range).await, (vec![0, 1, 2, 3, 4], false));
}

pub async fn pages_put_together_are_the_partition(store: Arc<dyn Store>) {
    let tenant = "pages";
    numbered(&store, tenant, 1_000).await;
    for (reverse, limit) in [(false, 1_000), (false, 77), (true, 77), (false, 333), (true, 500)] {
        let mut range = Range { limit, reverse, ..Range::default() };
        let mut read = Vec::new();
        loop {
            let (some, more) = numbers(&store, tenant, range.clone()).await;
            read.extend(some);
            assert_eq!(more, read.len() < 1_000);
            if !more {
                break;
            }
            let cursor = Some(vec![Value::from(format!("{:04}", read.last().unwrap()).as_str())]);
            *(if reverse { &mut range.before } else { &mut range.after }) = cursor;
        }
        if reverse {
            read.reverse();
        }
        assert_eq!(read, (0..1_000).collect::<Vec<_>>(), "{reverse} {limit}");
    }
}

pub async fn partitions_do_not_run_into_each_other(store: Arc<dyn Store>) {
    for tenant in ["apart", "apart\0", "apart\0a", "aparta", "apar"] {
        write(&store, tenant, vec![item(tenant, "a", vec![], 10), item(tenant, "\0", vec![], 10)]).await;
    }
    let tenant = "apart";
    for range in [all(), Range { reverse: true, ..all() }, between(Some(""), None), between(None, Some("z"))] {
        let rows = scan(&store, &ITEMS, &[tenant.into()], range).await.rows;
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| row[0] == text(tenant)));
    }
}

pub async fn deleted_rows_take_no_place_in_a_page(store: Arc<dyn Store>) {
    let tenant = "holes";
    numbered(&store, tenant, 300).await;
    let deletes = (0..300).filter(|n| n % 100 != 0).map(|n| item_deleted(tenant, &format!("{n:04}"), 20)).collect();
    write(&store, tenant, deletes).await;
    let page = |limit, reverse| numbers(&store, tenant, Range { limit, reverse, ..Range::default() });
    assert_eq!(page(2, false).await, (vec![0, 100], true));
    assert_eq!(page(3, false).await, (vec![0, 100, 200], false));
    assert_eq!(page(2, true).await, (vec![200, 100], true));
}

/// All rows of a table, page put to page.
async fn every(store: &Arc<dyn Store>, table: &'static Table) -> Vec<Row> {
    store.all(table).try_concat().await.unwrap()
}

pub async fn all_rows_are_each_given_once(store: Arc<dyn Store>) {
    // More than one page, of partitions of one row and of many, with deleted rows between them.
    for tenant in 0..40 {
        numbered(&store, &format!("all_{tenant:02}"), 1 + tenant % 3 * 40).await;
    }
    write(&store, "all", vec![item_deleted("all_02", "0003", 20)]).await;
    let read = every(&store, &ITEMS).await;
    let mut keys: Vec<(Option<Value>, Option<Value>)> = read
        .into_iter()
        .filter(|row| matches!(&row[0], Some(Value::Text(tenant)) if tenant.starts_with("all_")))
        .map(|row| {
            ITEMS.check_row(&row).unwrap();
            (row[0].clone(), row[1].clone())
        })
        .collect();
    keys.sort();
    let expected: Vec<_> = (0..40)
        .flat_map(|tenant| (0..1 + tenant % 3 * 40).map(move |n| (tenant, n)))
        .filter(|place| *place != (2, 3))
        .map(|(tenant, n)| (text(&format!("all_{tenant:02}")), text(&format!("{n:04}"))))
        .collect();
    assert_eq!(keys, expected);
}

pub async fn an_empty_table_has_no_rows_at_all(store: Arc<dyn Store>) {
    assert_eq!(every(&store, &EMPTY).await, Vec::<Row>::new());
}
