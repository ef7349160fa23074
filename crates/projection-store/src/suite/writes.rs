//! What stands after upserts and deletes.

use super::*;

pub async fn what_was_written_is_read(store: Arc<dyn Store>) {
    let tenant = "what_was_written";
    let cells = vec![
        (TITLE, text("Café moído 250 g")),
        (MINOR, big(-1)),
        (STOCK, Some(Value::Int(7))),
        (SHOWN, Some(Value::Boolean(true))),
        (PHOTO, Some(blob(&[0, 255, 0]))),
        (CHANGED, Some(Value::Timestamp(1_700_000_000_000))),
        (TAGS, Some(texts(&["café", "", "चाय"]))),
    ];
    write(&store, tenant, vec![item(tenant, "a", cells.clone(), 10)]).await;
    let row = read_item(&store, tenant, "a").await.unwrap();
    ITEMS.check_row(&row).unwrap();
    assert_eq!(row[..2], [text(tenant), text("a")]);
    assert_eq!(row[2..], cells.into_iter().map(|(_, content)| content).collect::<Vec<_>>());
}

pub async fn a_row_that_was_never_written_is_not_there(store: Arc<dyn Store>) {
    assert_eq!(read_item(&store, "never", "a").await, None);
    assert_eq!(scan(&store, &ITEMS, &["never".into()], all()).await, Page::default());
}

pub async fn a_first_write_is_a_write_like_others(store: Arc<dyn Store>) {
    let tenant = "first_write";
    let first = |sku: &str, title: &str, timestamp| {
        let mut write = item(tenant, sku, vec![(TITLE, text(title)), (MINOR, big(1))], timestamp);
        let Mutation::Upsert { first, .. } = &mut write else { unreachable!() };
        *first = true;
        write
    };
    let partition_deleted = Mutation::DeletePartition { table: &ITEMS, partition: vec![tenant.into()], timestamp: 5 };
    // Before it the partition was deleted, after it the row is changed, in the same batch and in another.
    write(&store, tenant, vec![partition_deleted]).await;
    write(
        &store,
        tenant,
        vec![first("early", "hidden", 5), first("a", "one", 10), item(tenant, "a", vec![(MINOR, big(2))], 11)],
    )
    .await;
    write(&store, tenant, vec![item(tenant, "a", vec![(STOCK, Some(Value::Int(3)))], 12)]).await;
    assert_eq!(read_item(&store, tenant, "early").await, None);
    let row = read_item(&store, tenant, "a").await.unwrap();
    assert_eq!((&row[TITLE], &row[MINOR], &row[STOCK]), (&text("one"), &big(2), &Some(Value::Int(3))));
    // What deletes it later finds it.
    write(&store, tenant, vec![item_deleted(tenant, "a", 13)]).await;
    assert_eq!(read_item(&store, tenant, "a").await, None);
}

pub async fn cells_that_are_not_written_stay(store: Arc<dyn Store>) {
    let tenant = "cells_stay";
    write(&store, tenant, vec![item(tenant, "a", vec![(TITLE, text("one")), (MINOR, big(1))], 10)]).await;
    write(&store, tenant, vec![item(tenant, "a", vec![(MINOR, big(2))], 20)]).await;
    let row = read_item(&store, tenant, "a").await.unwrap();
    assert_eq!((&row[TITLE], &row[MINOR], &row[STOCK]), (&text("one"), &big(2), &None));
}

pub async fn the_later_write_stands_cell_by_cell(store: Arc<dyn Store>) {
    let tenant = "later_stands";
    write(&store, tenant, vec![item(tenant, "a", vec![(TITLE, text("new"))], 20)]).await;
    write(&store, tenant, vec![item(tenant, "a", vec![(TITLE, text("old")), (MINOR, big(1))], 10)]).await;
    write(&store, tenant, vec![item(tenant, "a", vec![(MINOR, big(0))], 9)]).await;
    let row = read_item(&store, tenant, "a").await.unwrap();
    assert_eq!((&row[TITLE], &row[MINOR]), (&text("new"), &big(1)));
}

pub async fn at_the_same_time_the_larger_value_stands(store: Arc<dyn Store>) {
    let tenant = "ties";
    let ties = [
        (TITLE, Value::from("a"), Value::from("aa")),
        (TITLE, "b".into(), "c".into()),
        (MINOR, Value::BigInt(1), Value::BigInt(2)),
        // By bytes, unsigned: the negative number is the larger.
        (MINOR, Value::BigInt(5), Value::BigInt(-5)),
        (STOCK, Value::Int(i32::MAX), Value::Int(-1)),
        (SHOWN, Value::Boolean(false), Value::Boolean(true)),
        (PHOTO, blob(&[1, 2]), blob(&[1, 2, 0])),
        (CHANGED, Value::Timestamp(3), Value::Timestamp(-3)),
        (TAGS, texts(&["z"]), texts(&["a", "b"])),
        (TAGS, texts(&["z"]), texts(&["aa"])),
        (TAGS, texts(&["a", "b"]), texts(&["a", "c"])),
    ];
    for (index, (place, smaller, larger)) in ties.into_iter().enumerate() {
        for (sku, first, second) in [("up", &smaller, &larger), ("down", &larger, &smaller)] {
            let sku = format!("{sku}{index}");
            write(&store, tenant, vec![item(tenant, &sku, vec![(place, Some(first.clone()))], 10)]).await;
            write(&store, tenant, vec![item(tenant, &sku, vec![(place, Some(second.clone()))], 10)]).await;
            let row = read_item(&store, tenant, &sku).await.unwrap();
            assert_eq!(row[place], Some(larger.clone()), "{smaller:?} and {larger:?}");
        }
    }
}

pub async fn at_the_same_time_a_null_beats_a_value(store: Arc<dyn Store>) {
    let tenant = "null_ties";
    for (sku, first, second) in [("a", text("x"), None), ("b", None, text("x"))] {
        write(&store, tenant, vec![item(tenant, sku, vec![(TITLE, first)], 10)]).await;
        write(&store, tenant, vec![item(tenant, sku, vec![(TITLE, second)], 10)]).await;
        assert_eq!(read_item(&store, tenant, sku).await.unwrap()[TITLE], None);
    }
}

pub async fn at_the_same_time_a_delete_beats_an_upsert(store: Arc<dyn Store>) {
    let tenant = "delete_ties";
    let upsert = |sku| item(tenant, sku, vec![(TITLE, text("x"))], 10);
    write(&store, tenant, vec![upsert("a"), item_deleted(tenant, "a", 10)]).await;
    write(&store, tenant, vec![item_deleted(tenant, "b", 10), upsert("b")]).await;
    assert_eq!(read_item(&store, tenant, "a").await, None);
    assert_eq!(read_item(&store, tenant, "b").await, None);
}

pub async fn a_delete_just_before_an_upsert_clears_the_row(store: Arc<dyn Store>) {
    let tenant = "clear_then_write";
    write(&store, tenant, vec![item(tenant, "a", vec![(TITLE, text("old")), (MINOR, big(1))], 10)]).await;
    let again = vec![item_deleted(tenant, "a", 19), item(tenant, "a", vec![(TITLE, text("new"))], 20)];
    write(&store, tenant, again).await;
    let row = read_item(&store, tenant, "a").await.unwrap();
    assert_eq!((&row[TITLE], &row[MINOR]), (&text("new"), &None));
}

pub async fn a_delete_hides_what_is_older_whenever_it_comes(store: Arc<dyn Store>) {
    let tenant = "delete_hides";
    write(&store, tenant, vec![item_deleted(tenant, "a", 20)]).await;
    write(&store, tenant, vec![item(tenant, "a", vec![(TITLE, text("older"))], 10)]).await;
    assert_eq!(read_item(&store, tenant, "a").await, None);
    write(&store, tenant, vec![item_deleted(tenant, "a", 5)]).await;
    write(&store, tenant, vec![item(tenant, "a", vec![(TITLE, text("older"))], 15)]).await;
    assert_eq!(read_item(&store, tenant, "a").await, None);
    write(&store, tenant, vec![item(tenant, "a", vec![(TITLE, text("newer"))], 21)]).await;
    assert_eq!(read_item(&store, tenant, "a").await.unwrap()[TITLE], text("newer"));
}

pub async fn a_delete_takes_older_cells_and_leaves_newer_ones(store: Arc<dyn Store>) {
    let tenant = "delete_cells";
    write(&store, tenant, vec![item(tenant, "a", vec![(TITLE, text("old"))], 10)]).await;
    write(&store, tenant, vec![item(tenant, "a", vec![(MINOR, big(1))], 30)]).await;
    write(&store, tenant, vec![item_deleted(tenant, "a", 20)]).await;
    let row = read_item(&store, tenant, "a").await.unwrap();
    assert_eq!((&row[TITLE], &row[MINOR]), (&None, &big(1)));
    write(&store, tenant, vec![item(tenant, "a", vec![(TITLE, text("late"))], 15)]).await;
    assert_eq!(read_item(&store, tenant, "a").await.unwrap()[TITLE], None);
}

pub async fn a_partition_delete_hides_its_older_rows_whenever_it_comes(store: Arc<dyn Store>) {
    let (tenant, other) = ("partition_delete", "partition_delete_not");
    let title = |tenant, sku, timestamp| item(tenant, sku, vec![(TITLE, text("x"))], timestamp);
    write(&store, tenant, vec![title(tenant, "a", 10), title(tenant, "b", 30), title(other, "a", 10)]).await;
    let partition = vec![Value::from(tenant)];
    write(&store, tenant, vec![Mutation::DeletePartition { table: &ITEMS, partition, timestamp: 20 }]).await;
    write(&store, tenant, vec![title(tenant, "c", 15), title(tenant, "a", 20), title(tenant, "d", 25)]).await;
    let left = scan(&store, &ITEMS, &[tenant.into()], all()).await.rows;
    assert_eq!(left.iter().map(|row| row[1].clone()).collect::<Vec<_>>(), [text("b"), text("d")]);
    assert!(read_item(&store, tenant, "a").await.is_none());
    assert!(read_item(&store, other, "a").await.is_some());
}

pub async fn a_row_of_nulls_is_a_row(store: Arc<dyn Store>) {
    let tenant = "nulls";
    write(&store, tenant, vec![item(tenant, "bare", vec![], 10), item(tenant, "null", vec![(TITLE, None)], 10)]).await;
    write(&store, tenant, vec![item(tenant, "emptied", vec![(TITLE, text("x"))], 10)]).await;
    write(&store, tenant, vec![item(tenant, "emptied", vec![(TITLE, None)], 20)]).await;
    let rows = scan(&store, &ITEMS, &[tenant.into()], all()).await.rows;
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row[2..].iter().all(Option::is_none)), "{rows:?}");
}

pub async fn a_null_takes_the_content_away_and_an_older_value_does_not_bring_it_back(store: Arc<dyn Store>) {
    let tenant = "null_stands";
    write(&store, tenant, vec![item(tenant, "a", vec![(TITLE, text("x"))], 10)]).await;
    write(&store, tenant, vec![item(tenant, "a", vec![(TITLE, None)], 20)]).await;
    write(&store, tenant, vec![item(tenant, "a", vec![(TITLE, text("y"))], 15)]).await;
    assert_eq!(read_item(&store, tenant, "a").await.unwrap()[TITLE], None);
    write(&store, tenant, vec![item(tenant, "a", vec![(TITLE, text("z"))], 21)]).await;
    assert_eq!(read_item(&store, tenant, "a").await.unwrap()[TITLE], text("z"));
}

pub async fn empty_contents_are_not_null(store: Arc<dyn Store>) {
    let tenant = "empty";
    let cells = vec![(TITLE, text("")), (PHOTO, Some(blob(&[]))), (TAGS, Some(texts(&[])))];
    write(&store, tenant, vec![item(tenant, "", cells, 10)]).await;
    let row = read_item(&store, tenant, "").await.unwrap();
    assert_eq!((&row[TITLE], &row[PHOTO], &row[TAGS]), (&text(""), &Some(blob(&[])), &Some(texts(&[]))));
}

pub async fn extremes_of_every_type_are_read_as_written(store: Arc<dyn Store>) {
    let tenant = "extremes";
    for (sku, number, small) in [("least", i64::MIN, i32::MIN), ("most", i64::MAX, i32::MAX), ("zero", 0, 0)] {
        let cells = vec![
            (TITLE, text("\0\u{1}\u{7f}\u{10ffff}")),
            (MINOR, big(number)),
            (STOCK, Some(Value::Int(small))),
            (SHOWN, Some(Value::Boolean(false))),
            (PHOTO, Some(blob(&(0..=255).collect::<Vec<u8>>()))),
            (CHANGED, Some(Value::Timestamp(number))),
        ];
        write(&store, tenant, vec![item(tenant, sku, cells.clone(), 10)]).await;
        let row = read_item(&store, tenant, sku).await.unwrap();
        assert!(cells.iter().all(|(place, content)| row[*place] == *content), "{row:?}");
    }
}

/// Writes to a few rows, many of them at the same times.
fn history(tenant: &str, dice: &mut Dice) -> Vec<Mutation> {
    let mutation = |dice: &mut Dice| {
        let (sku, timestamp) = (format!("s{}", dice.roll(4)), dice.roll(12) as i64);
        match dice.roll(8) {
            0 => item_deleted(tenant, &sku, timestamp),
            1 if dice.roll(4) == 0 => {
                Mutation::DeletePartition { table: &ITEMS, partition: vec![tenant.into()], timestamp }
            }
            2 => item(tenant, &sku, vec![(TITLE, None), (MINOR, big(dice.roll(5) as i64 - 2))], timestamp),
            3 => item(tenant, &sku, vec![], timestamp),
            _ => item(tenant, &sku, vec![(TITLE, text(&format!("t{}", dice.roll(5))))], timestamp),
        }
    };
    (0..24).map(|_| mutation(dice)).collect()
}

pub async fn applying_twice_is_applying_once(store: Arc<dyn Store>) {
    let tenant = "twice";
    let writes = history(tenant, &mut Dice(1));
    write(&store, tenant, writes.clone()).await;
    let once = scan(&store, &ITEMS, &[tenant.into()], all()).await;
    write(&store, tenant, writes).await;
    assert_eq!(scan(&store, &ITEMS, &[tenant.into()], all()).await, once);
}

pub async fn a_replayed_beginning_changes_nothing(store: Arc<dyn Store>) {
    for length in [1, 5, 12, 23] {
        let tenant = format!("beginning{length}");
        let writes = history(&tenant, &mut Dice(length));
        for mutation in &writes {
            write(&store, &tenant, vec![mutation.clone()]).await;
        }
        let before = scan(&store, &ITEMS, &[tenant.as_str().into()], all()).await;
        for mutation in &writes[..length as usize] {
            write(&store, &tenant, vec![mutation.clone()]).await;
        }
        assert_eq!(scan(&store, &ITEMS, &[tenant.as_str().into()], all()).await, before);
    }
}

pub async fn the_order_of_writes_does_not_matter(store: Arc<dyn Store>) {
    let mut contents = Vec::new();
    for order in 0..4 {
        let tenant = format!("order{order}");
        let mut writes = history(&tenant, &mut Dice(77));
        Dice(order).shuffle(&mut writes);
        for some in writes.chunks(5) {
            write(&store, &tenant, some.to_vec()).await;
        }
        let rows = scan(&store, &ITEMS, &[tenant.as_str().into()], all()).await.rows;
        contents.push(rows.into_iter().map(|row| row[1..].to_vec()).collect::<Vec<_>>());
    }
    assert!(contents.iter().all(|content| *content == contents[0]), "{contents:?}");
}

pub async fn many_rows_come_in_the_order_asked(store: Arc<dyn Store>) {
    let tenant = "many";
    let upserts = (0..200).map(|n| item(tenant, &format!("{n:03}"), vec![(MINOR, big(n))], 10)).collect();
    write(&store, tenant, upserts).await;
    let key = |sku: &str| vec![Value::from(tenant), sku.into()];
    let skus = ["199", "absent", "000", "100", "100", "", "001"];
    let rows = store.get_many(&ITEMS, &skus.map(key)).await.unwrap();
    let minor: Vec<_> = rows.iter().map(|row| row.as_ref().map(|row| row[MINOR].clone())).collect();
    assert_eq!(minor, [Some(big(199)), None, Some(big(0)), Some(big(100)), Some(big(100)), None, Some(big(1))]);
    let keys: Vec<_> = (0..200).rev().map(|n| key(&format!("{n:03}"))).collect();
    let rows = store.get_many(&ITEMS, &keys).await.unwrap();
    assert!(rows.iter().enumerate().all(|(index, row)| row.as_ref().unwrap()[MINOR] == big(199 - index as i64)));
    assert_eq!(store.get_many(&ITEMS, &[]).await.unwrap(), []);
}

pub async fn a_row_without_clustering_is_found_by_its_partition(store: Arc<dyn Store>) {
    let key = |shard| vec![Value::from("settings"), Value::BigInt(shard)];
    let upsert = |shard, timestamp| Mutation::Upsert {
        table: &SETTINGS,
        key: key(shard),
        cells: vec![(2, text("dark"))],
        timestamp,
        first: false,
    };
    write(&store, "settings", vec![upsert(-1, 10), upsert(0, 10), upsert(1, 10)]).await;
    write(&store, "settings", vec![Mutation::Delete { table: &SETTINGS, key: key(0), timestamp: 20 }]).await;
    let deleted = Mutation::DeletePartition { table: &SETTINGS, partition: key(1), timestamp: 20 };
    write(&store, "settings", vec![deleted, upsert(0, 20), upsert(1, 20)]).await;
    for (shard, there) in [(-1, true), (0, false), (1, false)] {
        assert_eq!(store.get(&SETTINGS, &key(shard)).await.unwrap().is_some(), there);
        assert_eq!(scan(&store, &SETTINGS, &key(shard), all()).await.rows.len(), usize::from(there));
    }
}

pub async fn a_megabyte_fits_a_cell(store: Arc<dyn Store>) {
    let tenant = "megabyte";
    let large: Vec<u8> = (0..crate::CELL_BYTES_MAX).map(|n| (n % 251) as u8).collect();
    let cells = vec![(PHOTO, Some(blob(&large)))];
    write(&store, tenant, vec![item(tenant, "a", cells.clone(), 10), item(tenant, "b", cells, 10)]).await;
    assert_eq!(read_item(&store, tenant, "b").await.unwrap()[PHOTO], Some(blob(&large)));
}
