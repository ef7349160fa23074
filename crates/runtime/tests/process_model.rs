//! Random events, restarts, and faults of log and store: whatever happens, what follows is asked once, and all of it.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use feira_event_log::EventLog;
use feira_event_log::simulated::{Cluster, Fault};
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::ModelStore;
use feira_runtime::suite::echo::{ECHO, Echoing, LATER, REFUSED};
use feira_runtime::suite::{Home, Shop, Stubborn, Turned, accepted, history, run};
use feira_runtime::{Options, ProcessOptions, Processes};
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
    Echo {
        basket: u8,
    },
    Refuse {
        basket: u8,
    },
    Later {
        basket: u8,
    },
    /// Forgets one of the timers that were set, by an event of the basket that set it.
    Forget {
        back: usize,
    },
    RestartProcesses,
    RestartAll,
    Fault {
        lane: u32,
        fault: Fault,
    },
    StoreRefuses(bool),
    FactsFail(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let faults = prop::sample::select(vec![
        Fault::LostAnswer,
        Fault::Aborted,
        Fault::TimedOut,
        Fault::DelayedEnd,
        Fault::Refused,
    ]);
    prop_oneof![
        6 => (0..4u8).prop_map(|basket| Step::Echo { basket }),
        3 => (0..4u8).prop_map(|basket| Step::Refuse { basket }),
        5 => (0..4u8).prop_map(|basket| Step::Later { basket }),
        2 => (0..10usize).prop_map(|back| Step::Forget { back }),
        2 => Just(Step::RestartProcesses),
        1 => Just(Step::RestartAll),
        3 => (0..2u32, faults).prop_map(|(lane, fault)| Step::Fault { lane, fault }),
        2 => any::<bool>().prop_map(Step::StoreRefuses),
        1 => any::<bool>().prop_map(Step::FactsFail),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_all_that_follows_is_asked_once(steps in prop::collection::vec(step(), 1..60)) {
        let cluster = Cluster::new(&[(ServiceName::new("cart"), 2)]);
        let home = Simulated(cluster.clone(), tempfile::tempdir().unwrap());
        run(&home, see_through(&home, &cluster, steps));
    }
}

struct Market {
    shop: Shop,
    processes: Processes,
}

async fn open(home: &Simulated, store: &Arc<Stubborn>, clock: &Arc<Turned>) -> Market {
    let shop = Shop::open(home, Options { clock: clock.clone(), flush_records: 3, ..Options::default() }).await;
    let processes = follow(&shop, store, clock).await;
    Market { shop, processes }
}

async fn follow(shop: &Shop, store: &Arc<Stubborn>, clock: &Arc<Turned>) -> Processes {
    let options = ProcessOptions {
        clock: clock.clone(),
        look_every: Duration::from_millis(2),
        ask_timeout: Duration::from_millis(100),
        ..ProcessOptions::default()
    };
    let commands = Arc::new(shop.commands.clone());
    Processes::start(vec![Arc::new(Echoing::new())], commands, shop.log.clone(), store.clone(), options).await.unwrap()
}

type Units = BTreeMap<Arc<str>, i32>;

async fn see_through(home: &Simulated, cluster: &Arc<Cluster>, steps: Vec<Step>) {
    let lanes = [0, 1].map(|index| LaneId::new(&ServiceName::new("cart"), index));
    let store = Arc::new(Stubborn::new(Arc::new(ModelStore::new())));
    let clock = Arc::new(Turned::at_ms(1_800_000_000_000));
    let mut market = open(home, &store, &clock).await;
    let (mut echoed, mut refused, mut later) = (Units::new(), Units::new(), BTreeMap::<Arc<str>, String>::new());
    for (number, step) in steps.into_iter().enumerate() {
        let thing: Arc<str> = format!("thing{number}").into();
        let (basket, sku) = match step {
            Step::Echo { basket } => {
                echoed.insert(thing.clone(), 1);
                (format!("BR.{basket}"), format!("echo-{thing}"))
            }
            Step::Refuse { basket } => {
                refused.insert(thing.clone(), 1);
                (format!("BR.{basket}"), format!("refuse-{thing}"))
            }
            Step::Later { basket } => {
                later.insert(thing.clone(), format!("BR.{basket}"));
                (format!("BR.{basket}"), format!("later-1000-{thing}"))
            }
            Step::Forget { back } => {
                let Some(thing) = later.keys().rev().nth(back).cloned() else { continue };
                (later.remove(&thing).unwrap(), format!("forget-{thing}"))
            }
            Step::RestartProcesses => {
                market.processes.shutdown().await;
                market.processes = follow(&market.shop, &store, &clock).await;
                continue;
            }
            Step::RestartAll => {
                market.processes.shutdown().await;
                market.shop.close().await;
                market = open(home, &store, &clock).await;
                continue;
            }
            Step::Fault { lane, fault } => {
                cluster.inject(&lanes[lane as usize], fault);
                continue;
            }
            Step::StoreRefuses(refuses) => {
                store.refuses.store(refuses, Ordering::SeqCst);
                continue;
            }
            Step::FactsFail(fail) => {
                market.shop.baskets.facts.missing.store(fail, Ordering::SeqCst);
                if !fail {
                    continue;
                }
                // It is held up until facts can be had.
                *echoed.entry("rare".into()).or_default() += 1;
                ("BR.0".to_owned(), format!("rare-{thing}"))
            }
        };
        accepted(market.shop.add(&basket, &sku, 1, &format!("k{number}")).await);
    }
    for lane in &lanes {
        cluster.deliver(lane);
    }
    store.refuses.store(false, Ordering::SeqCst);
    market.shop.baskets.facts.missing.store(false, Ordering::SeqCst);
    done(home, cluster, &market, later.len() as u64).await;
    assert!(units(&market.shop, LATER).is_empty(), "nothing comes before it is due");
    clock.turn_ms(1_000);
    done(home, cluster, &market, 0).await;
    let later: Units = later.into_keys().map(|thing| (thing, 1)).collect();
    assert_eq!(units(&market.shop, ECHO), echoed);
    assert_eq!(units(&market.shop, REFUSED), refused);
    assert_eq!(units(&market.shop, LATER), later);
    market.processes.shutdown().await;
    market.shop.close().await;
}

/// Waits until all lanes were followed to their end and so many timers are left.
async fn done(home: &Simulated, cluster: &Arc<Cluster>, market: &Market, timers: u64) {
    let began = Instant::now();
    loop {
        let states = market.processes.states();
        let left: u64 = states.iter().map(|state| state.timers).sum();
        let ended = states.iter().all(|state| {
            cluster.deliver(&state.lane);
            state.caught_up && state.at == market.shop.log.last_seq(&state.lane).unwrap()
        });
        if left == timers && ended {
            return;
        }
        assert!(began.elapsed() < home.patience(), "{timers} timers were expected: {states:?}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn units(shop: &Shop, basket: &str) -> Units {
    let standing = history(shop.log.as_ref());
    standing.states.get(&format!("cart:{basket}")).map(|(state, _)| state.units.clone()).unwrap_or_default()
}
