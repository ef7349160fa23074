//! Lanes on a log that misbehaves: nothing acknowledged is lost, nothing is decided twice, nobody is answered falsely.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use feira_commands::cart::Input;
use feira_event_log::EventLog;
use feira_event_log::simulated::{Cluster, Fault};
use feira_ids::{LaneId, ServiceName};
use feira_runtime::suite::{Home, Shop, Stalled, accepted, command, history, run};
use feira_runtime::{Answer, Commands, Options, Watchdog};
use tempfile::TempDir;

struct Simulated {
    cluster: Arc<Cluster>,
    folder: TempDir,
    process: &'static str,
}

impl Simulated {
    fn new() -> Self {
        let cluster = Cluster::new(&[(ServiceName::new("cart"), 1)]);
        Self { cluster, folder: tempfile::tempdir().unwrap(), process: "one" }
    }

    /// Another process on the same log, with a folder of its own.
    fn other(&self) -> Self {
        Self { cluster: self.cluster.clone(), folder: tempfile::tempdir().unwrap(), process: "two" }
    }
}

impl Home for Simulated {
    fn open(&self) -> Arc<dyn EventLog> {
        self.cluster.process(self.process)
    }

    fn folder(&self) -> PathBuf {
        self.folder.path().join("lanes")
    }
}

fn lane() -> LaneId {
    LaneId::new(&ServiceName::new("cart"), 0)
}

fn mango(key: &str) -> feira_runtime::Command {
    command("BR.1", Input::AddItem { sku: "mango".into(), quantity: 1 }, key)
}

/// Waits for a condition, but not for ever.
async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what} did not come about");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn serving(shop: &Shop) -> Option<u64> {
    shop.running.ready().lanes[0].term
}

#[test]
fn an_append_without_an_answer_is_looked_up_and_not_decided_again() {
    for fault in [Fault::LostAnswer, Fault::Aborted, Fault::TimedOut, Fault::DelayedEnd] {
        let home = Simulated::new();
        run(&home, async {
            let shop = Shop::open(&home, Options::default()).await;
            accepted(shop.ask(mango("k1")).await);
            home.cluster.inject(&lane(), fault);
            // The owner itself does not claim to know.
            let intake = shop.running.intake();
            assert_eq!(intake.ask(mango("k2")).await, Answer::TimedOut, "{fault:?}");
            let answer = accepted(shop.ask(mango("k2")).await);
            assert_eq!((answer.version, answer.repeated), (2, fault == Fault::LostAnswer), "{fault:?}");
            home.cluster.deliver(&lane());
            assert_eq!(accepted(shop.ask(mango("k3")).await).version, 3, "{fault:?}");
            assert_eq!(history(shop.log.as_ref()).states["cart:BR.1"].1, 3, "{fault:?}");
            shop.close().await;
        });
    }
}

#[test]
fn under_a_rain_of_faults_each_command_is_decided_once() {
    let home = Simulated::new();
    run(&home, async {
        let options = Options { flush_records: 5, cache_aggregates: 2, batch_max: 7, ..Options::default() };
        let shop = Arc::new(Shop::open(&home, options).await);
        let faults = [
            Fault::LostAnswer,
            Fault::Aborted,
            Fault::TimedOut,
            Fault::DelayedEnd,
            Fault::DelayedMarker,
            Fault::Refused,
            Fault::DuplicatedEnd,
        ];
        let asked: Vec<_> = (0..8)
            .map(|worker| {
                let shop = shop.clone();
                tokio::spawn(async move {
                    for i in 0..25 {
                        let basket = format!("BR.{}", i % 5);
                        accepted(shop.add(&basket, "mango", 1, &format!("{worker}.{i}")).await);
                    }
                })
            })
            .collect();
        for round in 0..40 {
            home.cluster.inject(&lane(), faults[round % faults.len()]);
            tokio::time::sleep(Duration::from_millis(5)).await;
            home.cluster.deliver(&lane());
        }
        for worker in asked {
            worker.await.unwrap();
        }
        // What was acknowledged is there, though its marker may be late.
        home.cluster.deliver(&lane());
        let standing = history(shop.log.as_ref());
        for basket in 0..5 {
            assert_eq!(standing.states[&format!("cart:BR.{basket}")].1, 40, "basket {basket}");
        }
        Arc::into_inner(shop).unwrap().close().await;
    });
}

#[test]
fn a_full_disk_is_told_as_overload_and_costs_nothing() {
    let home = Simulated::new();
    run(&home, async {
        let shop = Shop::open(&home, Options::default()).await;
        // The fault is for a command, not for the record with which the term begins.
        accepted(shop.ask(mango("k0")).await);
        let term = serving(&shop);
        home.cluster.inject(&lane(), Fault::Refused);
        assert_eq!(shop.running.intake().ask(mango("k1")).await, Answer::Overloaded);
        assert_eq!(accepted(shop.ask(mango("k1")).await).version, 2);
        assert_eq!(serving(&shop), term, "the lane was not taken anew");
        shop.close().await;
    });
}

#[test]
fn an_owner_that_was_fenced_takes_its_lane_again() {
    let home = Simulated::new();
    run(&home, async {
        let shop = Shop::open(&home, Options::default()).await;
        accepted(shop.ask(mango("k1")).await);
        let before = serving(&shop).unwrap();
        // A stray process takes the lane once, though it is given back to its owner at once.
        let stray = home.cluster.process("stray").join(&lane().service, "stray").unwrap();
        home.cluster.assign(&lane(), "stray");
        let taken = stray.take(0, feira_event_log::Resume::START, &mut |_| Ok(()), &|| false).unwrap();
        drop(taken);
        home.cluster.assign(&lane(), "one");
        assert_eq!(accepted(shop.ask(mango("k2")).await).version, 2);
        assert!(serving(&shop).unwrap() > before);
        assert_eq!(history(shop.log.as_ref()).states["cart:BR.1"].1, 2);
        shop.close().await;
    });
}

#[test]
fn a_process_that_slept_answers_nothing_once_another_has_the_lane() {
    let home = Simulated::new();
    run(&home, async {
        let sleeper = Shop::open(&home, Options::default()).await;
        accepted(sleeper.ask(mango("k1")).await);
        home.cluster.freeze("one");
        let other = home.other();
        let shop = Shop::start(other.open(), &other, Options::default()).await;
        home.cluster.assign(&lane(), "two");
        until("the successor serves", || serving(&shop).is_some()).await;
        accepted(shop.ask(mango("k2")).await);
        // It still believes that it owns the lane: what it is asked is neither accepted nor written.
        assert!(serving(&sleeper).is_some());
        let answer = sleeper.running.intake().ask(mango("k3")).await;
        assert!(matches!(answer, Answer::Moved { .. }), "{answer:?}");
        // And it does not take the lane back while it is not proved to be its own.
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(accepted(shop.ask(mango("k4")).await).version, 3);
        assert_eq!(shop.running.metrics().fenced.get(), 0, "the true owner was fenced");
        home.cluster.thaw("one");
        assert_eq!(accepted(shop.ask(mango("k3")).await).version, 4);
        assert_eq!(history(shop.log.as_ref()).states["cart:BR.1"].1, 4);
        sleeper.close().await;
        shop.close().await;
    });
}

#[test]
fn a_lane_that_was_anothers_while_its_owner_slept_is_taken_again_though_nobody_asks_for_it() {
    let home = Simulated::new();
    run(&home, async {
        let sleeper = Shop::open(&home, Options::default()).await;
        let before = serving(&sleeper).unwrap();
        home.cluster.freeze("one");
        let other = home.other();
        let shop = Shop::start(other.open(), &other, Options::default()).await;
        home.cluster.assign(&lane(), "two");
        until("the successor serves", || serving(&shop).is_some()).await;
        home.cluster.assign(&lane(), "one");
        until("the successor lets go", || serving(&shop).is_none()).await;
        // All that it hears is that the lane is its own, as it was.
        home.cluster.thaw("one");
        until("it serves under a term of its own", || serving(&sleeper).is_some_and(|term| term > before + 1)).await;
        assert_eq!(accepted(sleeper.ask(mango("k1")).await).version, 1);
        sleeper.close().await;
        shop.close().await;
    });
}

#[test]
fn a_process_that_slept_does_not_call_final_what_it_only_believes() {
    let home = Simulated::new();
    run(&home, async {
        let sleeper = Shop::open(&home, Options::default()).await;
        accepted(sleeper.ask(mango("k1")).await);
        home.cluster.freeze("one");
        let other = home.other();
        let shop = Shop::start(other.open(), &other, Options::default()).await;
        home.cluster.assign(&lane(), "two");
        until("the successor serves", || serving(&shop).is_some()).await;
        accepted(shop.ask(mango("k2")).await);
        // By its old state the version is another than expected. Nothing is to be written, so no append would be fenced.
        assert!(serving(&sleeper).is_some(), "it still believes that it owns the lane");
        let expecting = |key| feira_runtime::Command { expected_version: Some(2), ..mango(key) };
        let answer = sleeper.running.intake().ask(expecting("k3")).await;
        assert!(matches!(answer, Answer::Moved { .. }), "{answer:?}");
        // The true owner knows better, and its refusals are final.
        assert_eq!(accepted(shop.ask(expecting("k3")).await).version, 3);
        assert_eq!(shop.running.intake().ask(expecting("k4")).await, Answer::Conflict { current: 3 });
        home.cluster.thaw("one");
        sleeper.close().await;
        shop.close().await;
    });
}

#[test]
fn a_lane_goes_from_process_to_process_and_back() {
    let home = Simulated::new();
    run(&home, async {
        let other = home.other();
        let one = Shop::open(&home, Options::default()).await;
        let two = Shop::start(other.open(), &other, Options::default()).await;
        for round in 0..6 {
            let (owner, name) = if round % 2 == 0 { (&one, "one") } else { (&two, "two") };
            home.cluster.assign(&lane(), name);
            until("the owner serves", || serving(owner).is_some()).await;
            let answer = accepted(owner.ask(mango(&format!("k{round}"))).await);
            assert_eq!(answer.version, round + 1);
            if round > 0 {
                assert!(accepted(owner.ask(mango(&format!("k{}", round - 1))).await).repeated);
            }
        }
        one.close().await;
        two.close().await;
    });
}

#[test]
fn a_lost_membership_stops_the_lane_at_once() {
    let home = Simulated::new();
    run(&home, async {
        let shop = Shop::open(&home, Options::default()).await;
        accepted(shop.ask(mango("k1")).await);
        home.cluster.lose("one");
        until("the lane is let go", || serving(&shop).is_none()).await;
        let answer = shop.running.intake().ask(mango("k2")).await;
        assert!(matches!(answer, Answer::Moved { .. }), "{answer:?}");
        home.cluster.assign(&lane(), "one");
        assert_eq!(accepted(shop.ask(mango("k2")).await).version, 2);
        shop.close().await;
    });
}

#[test]
fn a_log_that_ends_before_what_was_seen_of_it_is_not_served() {
    let home = Simulated::new();
    run(&home, async {
        let shop = Shop::open(&home, Options::default()).await;
        for i in 0..10 {
            accepted(shop.ask(mango(&format!("k{i}"))).await);
        }
        shop.close().await;
        home.cluster.truncate(&lane(), 5);
        let shop = Shop::start(home.open(), &home, Options::default()).await;
        until("the loss is told", || shop.running.ready().lanes[0].trouble.is_some()).await;
        assert_eq!(serving(&shop), None);
        let mut asked = mango("after");
        asked.deadline_ms -= 29_500;
        assert_eq!(shop.ask(asked).await, Answer::TimedOut);
        shop.close().await;
    });
}

#[test]
fn a_log_that_does_not_answer_is_waited_for() {
    let home = Simulated::new();
    run(&home, async {
        let shop = Shop::open(&home, Options::default()).await;
        accepted(shop.ask(mango("k1")).await);
        home.cluster.lose("one");
        until("the lane is let go", || serving(&shop).is_none()).await;
        home.cluster.set_available(false);
        home.cluster.assign(&lane(), "one");
        until("the trouble is told", || shop.running.ready().lanes[0].trouble.is_some()).await;
        home.cluster.set_available(true);
        assert_eq!(accepted(shop.ask(mango("k2")).await).version, 2);
        assert_eq!(shop.running.ready().lanes[0].trouble, None);
        shop.close().await;
    });
}

#[test]
fn snapshots_never_hold_more_than_the_log() {
    let home = Simulated::new();
    run(&home, async {
        // Each record is written to the folder at once; an aborted one must not be.
        let options = || Options { flush_records: 1, ..Options::default() };
        let shop = Shop::open(&home, options()).await;
        accepted(shop.ask(mango("k1")).await);
        for fault in [Fault::Aborted, Fault::TimedOut, Fault::Refused] {
            home.cluster.inject(&lane(), fault);
            let _ = shop.running.intake().ask(mango("never")).await;
        }
        shop.close().await;
        let shop = Shop::open(&home, options()).await;
        let answer = accepted(shop.ask(mango("never")).await);
        assert_eq!((answer.version, answer.repeated), (2, false));
        assert_eq!(shop.running.metrics().rebuilds.get(), 0);
        shop.close().await;
    });
}

#[test]
fn a_lane_that_stands_still_ends_the_process_and_an_idle_one_does_not() {
    let home = Simulated::new();
    run(&home, async {
        let bites = Arc::new(AtomicUsize::new(0));
        let bitten = bites.clone();
        let bite = Arc::new(move |_: &str| {
            bitten.fetch_add(1, Ordering::SeqCst);
        });
        let patience = Duration::from_millis(100);
        let options = Options { watchdog: Watchdog { patience, bite }, ..Options::default() };
        let stalled = Stalled::new(home.open());
        let (stall, log) = (stalled.stall.clone(), Arc::new(stalled));
        let shop = Shop::start(log, &home, options).await;
        accepted(shop.ask(mango("k1")).await);
        // Idle for longer than its patience: nothing to bite for, nor when the next command comes.
        tokio::time::sleep(patience * 3).await;
        accepted(shop.ask(mango("k2")).await);
        assert_eq!(bites.load(Ordering::SeqCst), 0);
        let held = stall.lock().unwrap();
        let commands = shop.commands.clone();
        let asked = tokio::spawn(async move { commands.ask(mango("k3")).await });
        let began = Instant::now();
        while bites.load(Ordering::SeqCst) == 0 {
            assert!(began.elapsed() < Duration::from_secs(30), "the watchdog did not bite");
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(held);
        accepted(asked.await.unwrap());
        shop.close().await;
    });
}
