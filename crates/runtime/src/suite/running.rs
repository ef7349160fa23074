//! Rules of deciding: what is answered, what stands on the log, who is turned away.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use feira_commands::cart::Input;
use feira_ids::{Fingerprint, PrincipalKind, Role, TenantId};
use futures::future::join_all;

use super::basket::{FLOOD, LATE_POISON, POISON, RARE};
use super::commands::{accepted, run, view};
use super::{Home, Shop, Turned, command, command_of, history, tenant};
use crate::{Answer, Command, Commands, Options};

const OUTCOME: &str = "feira.lane.v1.CommandOutcome";

fn add(sku: &str, quantity: i32) -> Input {
    Input::AddItem { sku: sku.into(), quantity }
}

/// A command is decided, and answered with its events, the version and the view.
pub fn a_command_is_decided_and_answered_with_its_events(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        let answer = accepted(shop.add("BR.1", "mango", 2, "k1").await);
        assert_eq!((answer.version, answer.events.len(), answer.repeated), (1, 1, false));
        assert_eq!(&*answer.events[0].event_type, "feira.cart.v1.ItemAdded");
        assert_eq!(view(&answer).units, [("mango".into(), 2)].into());
        let standing = history(shop.log.as_ref());
        let (_, meta) = standing.records.iter().find(|(_, meta)| meta.aggregate_seq == Some(1)).unwrap();
        assert_eq!(meta.event_id, answer.events[0].id);
        let lane = shop.running.intake().lane(&command("BR.1", add("mango", 2), "k1"));
        assert_eq!(answer.position.seq(&lane), Some(meta.lane_seq as u64));
        shop.close().await;
    });
}

/// Who does not want to see the aggregate is told all but the view; whoever sends the same again and wants it gets it.
pub fn a_view_is_for_who_wants_it(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        let asked = |wants_view| Command { wants_view, ..command("BR.1", add("mango", 2), "k1") };
        let answer = accepted(shop.ask(asked(false)).await);
        assert_eq!((answer.version, answer.events.len(), answer.view.len()), (1, 1, 0));
        let again = accepted(shop.ask(asked(true)).await);
        assert_eq!(view(&again).units, [("mango".into(), 2)].into());
        assert_eq!(accepted(shop.ask(asked(false)).await).view.len(), 0);
        shop.close().await;
    });
}

/// What is refused leaves a record that is no event of the aggregate.
pub fn a_refusal_stands_on_the_log(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        let answer = shop.add("BR.1", "mango", 100, "k1").await;
        let Answer::Refused { code, field, position, .. } = answer else { panic!("{answer:?}") };
        assert_eq!((&*code, field.as_deref()), ("QUANTITY_LIMIT", Some("quantity")));
        let standing = history(shop.log.as_ref());
        let (_, meta) = standing.records.iter().find(|(name, _)| name == OUTCOME).unwrap();
        assert_eq!((meta.aggregate_seq, &*meta.aggregate), (None, "cart:BR.1"));
        let lane = shop.running.intake().lane(&command("BR.1", add("mango", 2), "k1"));
        assert_eq!(position.seq(&lane), Some(meta.lane_seq as u64));
        shop.close().await;
    });
}

/// A command that changes nothing leaves a record, and no version.
pub fn nothing_to_change_stands_on_the_log(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        accepted(shop.add("BR.1", "mango", 2, "k1").await);
        let set = Input::SetQuantity { sku: "mango".into(), quantity: 2 };
        let answer = accepted(shop.ask(command("BR.1", set, "k2")).await);
        assert_eq!((answer.version, answer.events.len()), (1, 0));
        assert_eq!(history(shop.log.as_ref()).count(OUTCOME), 1);
        shop.close().await;
    });
}

/// A command that expects another version is not decided, and may be sent again.
pub fn an_expected_version_that_is_not_there_conflicts(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        accepted(shop.add("BR.1", "mango", 1, "k1").await);
        let mut late = command("BR.1", add("mango", 1), "k2");
        late.expected_version = Some(0);
        assert_eq!(shop.ask(late.clone()).await, Answer::Conflict { current: 1 });
        assert_eq!(history(shop.log.as_ref()).count(OUTCOME), 0);
        late.expected_version = Some(1);
        assert_eq!(accepted(shop.ask(late.clone()).await).version, 2);
        // A repeat is a repeat, whatever it expects.
        assert!(accepted(shop.ask(late).await).repeated);
        shop.close().await;
    });
}

/// Commands that come at once to one basket are decided one after the other.
pub fn commands_of_one_basket_add_up(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        let keys: Vec<_> = (0..64).map(|i| format!("k{i}")).collect();
        let answers = join_all(keys.iter().map(|key| shop.add("BR.1", "mango", 1, key))).await;
        let mut versions: Vec<_> = answers.into_iter().map(|answer| accepted(answer).version).collect();
        versions.sort_unstable();
        assert_eq!(versions, (1..=64).collect::<Vec<_>>());
        let standing = history(shop.log.as_ref());
        assert_eq!(standing.states["cart:BR.1"].0.units, [("mango".into(), 64)].into());
        shop.close().await;
    });
}

/// Lane sequence, aggregate sequence, term, times and the rest of the envelope are as they should be.
pub fn every_record_has_its_place(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        let mut first = command("BR.1", add("mango", 1), "k1");
        first.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
        first.correlation_id = feira_ids::Hash16([7; 16]);
        accepted(shop.ask(first.clone()).await);
        for i in 0..20 {
            accepted(shop.add(&format!("BR.{}", i % 5), "caju", 1, &format!("n{i}")).await);
        }
        shop.close().await;
        let shop = Shop::open(home, Options::default()).await;
        accepted(shop.add("BR.1", "caju", 1, "after").await);
        let standing = history(shop.log.as_ref());
        let of = |key: &str| {
            let id = command("BR.1", add("mango", 1), key).command_id;
            let found = standing.records.iter().find(|(_, meta)| meta.command_id == id);
            found.map(|(_, meta)| meta.clone()).unwrap()
        };
        let meta = of("k1");
        assert_eq!((meta.index, meta.count, meta.tenant.as_str()), (0, 1, "feira-livre"));
        assert_eq!((&*meta.principal, meta.fingerprint), ("member:rosa", first.fingerprint));
        assert_eq!((meta.traceparent, meta.correlation_id), (first.traceparent, first.correlation_id));
        assert!(of("after").term > meta.term, "a restart is a new term");
        let lanes = shop.log.lanes(&feira_ids::ServiceName::new("cart")).unwrap() as usize;
        assert_eq!(standing.count("feira.lane.v1.LaneTaken"), 2 * lanes);
        shop.close().await;
    });
}

/// Times do not fall when the clock does, nor after a restart under a slow clock.
pub fn times_never_fall_though_the_clock_does(home: &dyn Home) {
    run(home, async {
        let clock = Arc::new(Turned::at_ms(1_800_000_000_000));
        let options = || Options { clock: clock.clone(), ..Options::default() };
        let shop = Shop::open(home, options()).await;
        accepted(shop.add("BR.1", "mango", 1, "k1").await);
        clock.turn_ms(-3_600_000);
        accepted(shop.add("BR.1", "mango", 1, "k2").await);
        shop.close().await;
        clock.turn_ms(-3_600_000);
        let shop = Shop::open(home, options()).await;
        accepted(shop.add("BR.1", "mango", 1, "k3").await);
        clock.turn_ms(9_000_000);
        accepted(shop.add("BR.1", "mango", 1, "k4").await);
        // `history` checks each step.
        let standing = history(shop.log.as_ref());
        let times: Vec<_> =
            standing.records.iter().filter(|(_, m)| m.aggregate_seq.is_some()).map(|(_, m)| m.at).collect();
        let hour = 3_600_000;
        let first = 1_800_000_000_000;
        assert_eq!(times, [first, first, first, first + hour / 2]);
        shop.close().await;
    });
}

/// The time of a sandbox whose clock was moved ahead does not fall when a command comes that was sent before, nor after
/// a restart, with or without the lane's folder. Nobody else's time is moved.
pub fn a_sandbox_time_never_falls_though_a_command_comes_late(home: &dyn Home) {
    run(home, async {
        let day = 86_400_000;
        let clock = Arc::new(Turned::at_ms(1_800_000_000_000));
        let options = || Options { clock: clock.clone(), ..Options::default() };
        let other = TenantId::new("tries-nothing-out").expect("a well formed id");
        let ask = async |shop: &Shop, tenant: &TenantId, key: &str, clock_offset_ms: i64| {
            let input = Input::AddItem { sku: "mango".into(), quantity: 1 };
            let basket = format!("{tenant}.1");
            accepted(shop.ask(Command { clock_offset_ms, ..command_of(tenant, &basket, input, key) }).await);
        };
        let shop = Shop::open(home, options()).await;
        ask(&shop, &tenant(), "k1", day).await;
        ask(&shop, &tenant(), "k2", 0).await;
        ask(&shop, &other, "k3", 0).await;
        shop.close().await;
        let shop = Shop::open(home, options()).await;
        ask(&shop, &tenant(), "k4", 0).await;
        shop.close().await;
        std::fs::remove_dir_all(home.folder()).unwrap();
        let shop = Shop::open(home, options()).await;
        ask(&shop, &tenant(), "k5", 0).await;
        clock.turn_ms(2 * day);
        ask(&shop, &tenant(), "k6", 0).await;
        ask(&shop, &other, "k7", 0).await;
        let of = |asked: &TenantId| -> Vec<i64> {
            let standing = history(shop.log.as_ref());
            let events = standing.records.iter().filter(|(_, meta)| meta.aggregate_seq.is_some());
            events.filter(|(_, meta)| meta.tenant == *asked).map(|(_, meta)| meta.at - 1_800_000_000_000).collect()
        };
        assert_eq!(of(&tenant()), [day, day, day, day, 2 * day]);
        assert_eq!(of(&other), [0, 2 * day]);
        shop.close().await;
    });
}

/// A command that the program fails on is set aside; the lane serves on, and the command left nothing.
pub fn a_command_the_program_fails_on_is_set_aside(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        accepted(shop.add("BR.1", "mango", 1, "k1").await);
        for (sku, key) in [(POISON, "k2"), (LATE_POISON, "k3")] {
            let answer = shop.add("BR.1", sku, 1, key).await;
            assert!(matches!(answer, Answer::Poison { .. }), "{answer:?}");
        }
        assert_eq!(accepted(shop.add("BR.1", "mango", 1, "k4").await).version, 2);
        assert_eq!(shop.running.metrics().poisoned.get(), 2);
        shop.close().await;
    });
}

/// A command that would leave more than one may is invalid, and leaves nothing, also in the state.
pub fn a_command_that_would_leave_too_much_is_invalid(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        let answer = shop.add("BR.1", FLOOD, 1, "k1").await;
        assert!(matches!(answer, Answer::Invalid { .. }), "{answer:?}");
        let long = "x".repeat(950 << 10 >> 1);
        let answer = shop.add("BR.1", &long, 1, "k2").await;
        assert!(matches!(answer, Answer::Invalid { .. }), "{answer:?}");
        let answer = accepted(shop.add("BR.1", "mango", 1, "k3").await);
        assert_eq!((answer.version, view(&answer).units.len()), (1, 1));
        shop.close().await;
    });
}

/// A caller without the role, of another tenant, or a consumer at another's basket is turned away.
pub fn what_may_not_be_asked_is_forbidden(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        let asked = command("BR.1", add("mango", 1), "k1");
        let mut other = asked.clone();
        other.principal.tenant = Some(TenantId::new("mumbai-bazaar").unwrap());
        let mut nobody = asked.clone();
        nobody.principal.tenant = None;
        let mut analyst = asked.clone();
        analyst.principal.roles = vec![Role::Analyst];
        let mut consumer = asked.clone();
        consumer.principal.kind = PrincipalKind::Person;
        consumer.principal.roles = vec![Role::Consumer];
        consumer.principal.id = "BR.2".into();
        for command in [other, nobody, analyst, consumer.clone()] {
            assert_eq!(shop.ask(command).await, Answer::Forbidden);
        }
        consumer.principal.id = "BR.1".into();
        accepted(shop.ask(consumer).await);
        shop.close().await;
    });
}

/// An input that does not read, an unknown operation, an operation of another kind, or a wrong fingerprint.
pub fn what_does_not_read_is_invalid(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        let asked = command("BR.1", add("mango", 1), "k1");
        let with = |change: &dyn Fn(&mut Command)| {
            let mut changed = asked.clone();
            change(&mut changed);
            changed
        };
        let garbled = with(&|c| {
            c.input = "{".into();
            c.fingerprint = Fingerprint::of(&c.operation, &c.input);
        });
        let unknown = with(&|c| c.operation = "cart.burn".into());
        let foreign = with(&|c| c.operation = "catalog.put".into());
        // Who may undo may not by that add.
        let disguised = with(&|c| {
            c.operation = "cart.undo".into();
            c.fingerprint = Fingerprint::of(&c.operation, &c.input);
        });
        let forged = with(&|c| c.fingerprint = Fingerprint::default());
        for command in [garbled, unknown, foreign, disguised, forged] {
            let answer = shop.ask(command).await;
            assert!(matches!(answer, Answer::Invalid { .. }), "{answer:?}");
        }
        accepted(shop.ask(asked).await);
        shop.close().await;
    });
}

/// Facts that are missing are asked for again; a command that was decided is answered without them.
pub fn facts_that_cannot_be_had_are_asked_for_again(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        let facts = shop.baskets.facts.clone();
        facts.missing.store(true, Ordering::SeqCst);
        let intake = shop.running.intake();
        let answer = intake.ask(command("BR.1", add(RARE, 1), "k1")).await;
        assert!(matches!(answer, Answer::FactsUnavailable { .. }), "{answer:?}");
        let commands = shop.commands.clone();
        let asked = tokio::spawn(async move { commands.ask(command("BR.1", add(RARE, 1), "k1")).await });
        let before = facts.asked.load(Ordering::SeqCst);
        while facts.asked.load(Ordering::SeqCst) < before + 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        facts.missing.store(false, Ordering::SeqCst);
        accepted(asked.await.unwrap());
        facts.missing.store(true, Ordering::SeqCst);
        assert!(accepted(intake.ask(command("BR.1", add(RARE, 1), "k1")).await).repeated);
        shop.close().await;
    });
}

/// More than a lane can hold is turned away, typed; whoever asks again gets through, and nothing is lost or doubled.
pub fn a_full_queue_turns_away_and_loses_nothing(home: &dyn Home) {
    run(home, async {
        let options = Options { queue_max: 4, batch_max: 2, ..Options::default() };
        let shop = Shop::open(home, options).await;
        let intake = shop.running.intake();
        let at_once = join_all((0..200).map(|i| {
            let intake = intake.clone();
            tokio::spawn(async move { intake.ask(command("BR.1", add("mango", 0), &format!("o{i}"))).await })
        }));
        let answers: Vec<_> = at_once.await.into_iter().map(Result::unwrap).collect();
        assert!(answers.iter().all(|answer| matches!(answer, Answer::Overloaded | Answer::Accepted(_))));
        assert!(answers.contains(&Answer::Overloaded), "nobody was turned away");
        let again: Vec<_> = (0..100).map(|i| format!("k{i}")).collect();
        let answers = join_all(again.iter().map(|key| shop.add("BR.2", "mango", 0, key))).await;
        answers.into_iter().for_each(|answer| drop(accepted(answer)));
        assert_eq!(history(shop.log.as_ref()).states["cart:BR.2"].1, 100);
        shop.close().await;
    });
}

/// What waits when the service is told to end is decided and answered; what comes after is not.
pub fn a_shutdown_finishes_what_waits(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options { batch_max: 3, ..Options::default() }).await;
        let intake = shop.running.intake();
        let asked: Vec<_> = (0..100)
            .map(|i| {
                let intake = intake.clone();
                tokio::spawn(async move { intake.ask(command("BR.1", add("mango", 0), &format!("k{i}"))).await })
            })
            .collect();
        let metrics = shop.running.metrics();
        while metrics.commands.get() < 50 {
            tokio::task::yield_now().await;
        }
        let log = shop.log.clone();
        shop.running.shutdown().await;
        let answers: Vec<_> = join_all(asked).await.into_iter().map(Result::unwrap).collect();
        let accepted = answers.iter().filter(|answer| matches!(answer, Answer::Accepted(_))).count();
        let refused = answers.iter().filter(|a| matches!(a, Answer::NotReady | Answer::Moved { .. })).count();
        assert_eq!(accepted + refused, 100, "{answers:?}");
        assert!(accepted > 0, "{answers:?}");
        assert_eq!(history(log.as_ref()).states["cart:BR.1"].1, accepted as u64);
    });
}
