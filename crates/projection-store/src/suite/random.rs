//! Random histories, read back in random ways, beside the model.

use std::time::{SystemTime, UNIX_EPOCH};

use super::*;
use crate::ModelStore;

const WORDS: [&str; 6] = ["", "\0", "a", "a\0", "ab", "é"];

fn clustering(dice: &mut Dice) -> Vec<Value> {
    let word = WORDS[dice.roll(WORDS.len() as u64) as usize];
    vec![Value::BigInt(dice.roll(4) as i64 - 2), word.into(), Value::Int(dice.roll(3) as i32 - 1)]
}

fn mutation(dice: &mut Dice, tenant: &str) -> Mutation {
    let partition = vec![tenant.into(), Value::Int(dice.roll(2) as i32)];
    let key = [partition.clone(), clustering(dice)].concat();
    let timestamp = dice.roll(40) as i64;
    let mut cells = Vec::new();
    for place in [5, 6] {
        let content = if place == 5 { text(WORDS[dice.roll(6) as usize]) } else { big(dice.roll(6) as i64 - 3) };
        match dice.roll(4) {
            0 => {}
            1 => cells.push((place, None)),
            _ => cells.push((place, content)),
        }
    }
    match dice.roll(40) {
        0 => Mutation::DeletePartition { table: &MIXED, partition, timestamp: timestamp / 2 },
        1..=5 => Mutation::Delete { table: &MIXED, key, timestamp },
        _ => Mutation::Upsert { table: &MIXED, key, cells, timestamp, first: false },
    }
}

/// The seed is the time unless `FEIRA_TEST_SEED` gives one.
fn seed() -> u64 {
    let given = std::env::var("FEIRA_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64))
}

pub async fn any_history_reads_as_in_the_model(store: Arc<dyn Store>) {
    let seed = seed();
    println!("FEIRA_TEST_SEED={seed}");
    let mut dice = Dice(seed);
    let model: Arc<dyn Store> = Arc::new(ModelStore::new());
    let tenant = format!("random{seed}");
    for round in 0..25_u64 {
        let writes: Vec<Mutation> = (0..1 + dice.roll(20)).map(|_| mutation(&mut dice, &tenant)).collect();
        for store in [&store, &model] {
            let checkpoint = Checkpoint { lane_seq: round, hint: 0 };
            store.apply(writes.clone(), PROJECTION, &tenant, checkpoint).await.unwrap();
        }
        let mut scans = Vec::new();
        for _ in 0..6 {
            let partition = [Value::from(tenant.as_str()), Value::Int(dice.roll(2) as i32)];
            let mut bound = || {
                let key = clustering(&mut dice);
                (dice.roll(2) == 0).then(|| key[..1 + dice.roll(3) as usize].to_vec())
            };
            let (after, before) = (bound(), bound());
            let range = Range { after, before, reverse: dice.roll(2) == 0, limit: 1 + dice.roll(30) as usize };
            let expected = scan(&model, &MIXED, &partition, range.clone()).await;
            let read = scan(&store, &MIXED, &partition, range.clone()).await;
            assert_eq!(read, expected, "FEIRA_TEST_SEED={seed} round {round} {range:?}");
            scans.push((partition.to_vec(), range));
            let keys: Vec<_> = (0..5).map(|_| [partition.to_vec(), clustering(&mut dice)].concat()).collect();
            let expected = model.get_many(&MIXED, &keys).await.unwrap();
            assert_eq!(store.get_many(&MIXED, &keys).await.unwrap(), expected, "FEIRA_TEST_SEED={seed} {keys:?}");
        }
        let expected = model.scan_many(&MIXED, &scans).await.unwrap();
        let read = store.scan_many(&MIXED, &scans).await.unwrap();
        assert_eq!(read, expected, "FEIRA_TEST_SEED={seed} round {round} {scans:?}");
    }
}
