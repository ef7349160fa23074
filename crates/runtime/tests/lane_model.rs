//! Random commands, repeats, restarts, faults and lost folders: what the lane answers is what the log adds up to.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use feira_commands::cart::Input;
use feira_event_log::EventLog;
use feira_event_log::simulated::{Cluster, Fault};
use feira_ids::{LaneId, ServiceName};
use feira_runtime::suite::{Home, Shop, command, history, run, view};
use feira_runtime::{Answer, Options};
use proptest::prelude::*;
use tempfile::TempDir;

struct Simulated(Arc<Cluster>, TempDir);

impl Home for Simulated {
    fn open(&self) -> Arc<dyn EventLog> {
        self.0.process("one")
    }

    fn folder(&self) -> PathBuf {
        self.1.path().join("lanes")
    }
}

#[derive(Clone, Debug)]
enum Step {
    Ask { basket: u8, sku: u8, ask: Ask },
    Repeat { back: usize },
    Restart { without_folder: bool },
    Fault(Fault),
}

#[derive(Clone, Debug)]
enum Ask {
    Add(i32),
    Set(i32),
    Remove,
}

fn step() -> impl Strategy<Value = Step> {
    let ask = prop_oneof![(1..60i32).prop_map(Ask::Add), (0..99i32).prop_map(Ask::Set), Just(Ask::Remove),];
    let faults = prop::sample::select(vec![
        Fault::LostAnswer,
        Fault::Aborted,
        Fault::TimedOut,
        Fault::DelayedEnd,
        Fault::DelayedMarker,
        Fault::Refused,
    ]);
    prop_oneof![
        12 => (0..6u8, 0..3u8, ask).prop_map(|(basket, sku, ask)| Step::Ask { basket, sku, ask }),
        4 => (0..40usize).prop_map(|back| Step::Repeat { back }),
        1 => any::<bool>().prop_map(|without_folder| Step::Restart { without_folder }),
        2 => faults.prop_map(Step::Fault),
    ]
}

/// A basket as the test reckons it.
type Baskets = BTreeMap<String, (BTreeMap<Arc<str>, i32>, u64)>;

/// What the command should be answered, by the rules of the basket.
fn reckon(baskets: &mut Baskets, basket: &str, sku: &Arc<str>, ask: &Ask) -> Option<u64> {
    let (units, version) = baskets.entry(basket.to_owned()).or_default();
    let held = units.get(sku).copied();
    match ask {
        Ask::Add(more) if held.unwrap_or(0) + more > 99 => return None,
        Ask::Add(more) => {
            units.insert(sku.clone(), held.unwrap_or(0) + more);
            *version += 1;
        }
        Ask::Set(quantity) if held == Some(*quantity) => {}
        Ask::Set(quantity) => {
            units.insert(sku.clone(), *quantity);
            *version += 1;
        }
        Ask::Remove if held.is_none() => {}
        Ask::Remove => {
            units.remove(sku);
            *version += 1;
        }
    }
    Some(*version)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_lane_answers_what_its_log_adds_up_to(steps in prop::collection::vec(step(), 1..80)) {
        let cluster = Cluster::new(&[(ServiceName::new("cart"), 1)]);
        let home = Simulated(cluster.clone(), tempfile::tempdir().unwrap());
        run(&home, see_through(&home, &cluster, steps));
    }
}

async fn see_through(home: &Simulated, cluster: &Arc<Cluster>, steps: Vec<Step>) {
    let lane = LaneId::new(&ServiceName::new("cart"), 0);
    // As little memory as there can be.
    let options = || Options {
        cache_aggregates: 1,
        recent_commands: 2,
        recent_answers: 1,
        flush_records: 3,
        ..Options::default()
    };
    let mut shop = Shop::open(home, options()).await;
    let (mut baskets, mut sent) = (Baskets::new(), Vec::new());
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Fault(fault) => cluster.inject(&lane, fault),
            Step::Restart { without_folder } => {
                shop.close().await;
                if without_folder {
                    std::fs::remove_dir_all(home.folder()).unwrap();
                }
                shop = Shop::open(home, options()).await;
            }
            Step::Ask { basket, sku, ask } => {
                let (basket, sku) = (format!("BR.{basket}"), Arc::<str>::from(format!("sku-{sku}")));
                let expected = reckon(&mut baskets, &basket, &sku, &ask);
                let input = match ask {
                    Ask::Add(quantity) => Input::AddItem { sku, quantity },
                    Ask::Set(quantity) => Input::SetQuantity { sku, quantity },
                    Ask::Remove => Input::RemoveItem { sku },
                };
                let key = format!("k{number}");
                let answer = shop.ask(command(&basket, input.clone(), &key)).await;
                match (&answer, expected) {
                    (Answer::Refused { .. }, None) => {}
                    (Answer::Accepted(accepted), Some(version)) => {
                        assert_eq!(accepted.version, version);
                        assert_eq!(view(accepted).units, baskets[&basket].0);
                    }
                    _ => panic!("{answer:?} where version {expected:?} was expected"),
                }
                sent.push((basket, input, key, answer));
            }
            Step::Repeat { back } => {
                let Some((basket, input, key, first)) = sent.iter().rev().nth(back) else { continue };
                // An answer is read back from the log, which shows nothing behind a marker that is late.
                cluster.deliver(&lane);
                let again = shop.ask(command(basket, input.clone(), key)).await;
                match (first, &again) {
                    (Answer::Accepted(first), Answer::Accepted(again)) => {
                        assert!(again.repeated);
                        assert_eq!((&first.position, first.version), (&again.position, again.version));
                        assert_eq!(first.events, again.events);
                        assert_eq!(view(again).units, baskets[basket].0);
                    }
                    _ => assert_eq!(*first, again),
                }
            }
        }
    }
    cluster.deliver(&lane);
    let standing = history(shop.log.as_ref());
    for (basket, (units, version)) in &baskets {
        let found =
            standing.states.get(&format!("cart:{basket}")).map(|(state, events)| (state.units.clone(), *events));
        assert_eq!(found.unwrap_or_default(), (units.clone(), *version), "{basket}");
    }
    shop.close().await;
}
