//! Rules of processes: what follows from an event is asked once, in order, and at its time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use feira_commands::cart::Input;
use feira_events::Meta;
use feira_ids::{CommandId, TenantId};
use feira_projection_store::{Checkpoint, ModelStore, ProjectionId, Store};
use feira_rows::clock::{ClockRow, put_clock};

use super::basket::RARE;
use super::commands::{accepted, command_of, run};
use super::echo::{ECHO, Echoing, LATER, REFUSED};
use super::{Home, Shop, Stubborn, Turned, command, history, tenant};
use crate::{Options, ProcessOptions, ProcessState, Processes};

/// When the clocks of the rules begin.
const BEGIN_MS: i64 = 1_800_000_000_000;

/// A shop, and what follows from its events.
struct Market<'a> {
    home: &'a dyn Home,
    shop: Shop,
    store: Arc<Stubborn>,
    clock: Arc<Turned>,
    echo: Arc<Echoing>,
}

impl<'a> Market<'a> {
    async fn open(home: &'a dyn Home) -> Self {
        let clock = Arc::new(Turned::at_ms(BEGIN_MS));
        let shop = Shop::open(home, Options { clock: clock.clone(), ..Options::default() }).await;
        let store = Arc::new(Stubborn::new(Arc::new(ModelStore::new())));
        Self { home, shop, store, clock, echo: Arc::new(Echoing::new()) }
    }

    /// Starts the process. Whoever stops it and starts another has it go on as after a restart.
    async fn follow(&self) -> Processes {
        let options = ProcessOptions {
            clock: self.clock.clone(),
            look_every: Duration::from_millis(5),
            ask_timeout: Duration::from_millis(500),
            ..ProcessOptions::default()
        };
        let commands = Arc::new(self.shop.commands.clone());
        Processes::start(vec![self.echo.clone()], commands, self.shop.log.clone(), self.store.clone(), options)
            .await
            .unwrap()
    }

    async fn add(&self, sku: &str) {
        accepted(self.shop.add("BR.1", sku, 1, sku).await);
    }

    fn units(&self, basket: &str) -> BTreeMap<Arc<str>, i32> {
        let standing = history(self.shop.log.as_ref());
        standing.states.get(&format!("cart:{basket}")).map(|(state, _)| state.units.clone()).unwrap_or_default()
    }

    async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < self.home.patience(), "{what} did not come about");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn until_units(&self, basket: &str, units: &[(&str, i32)]) {
        let units: BTreeMap<Arc<str>, i32> = units.iter().map(|(sku, count)| ((*sku).into(), *count)).collect();
        self.until(&format!("{units:?} in {basket}"), || self.units(basket) == units).await;
    }

    /// Waits until the process is at the end of all lanes.
    async fn until_done(&self, processes: &Processes) {
        let service = feira_ids::ServiceName::new("cart");
        self.until("the end of the lanes", || {
            processes.states().iter().all(|state| {
                assert_eq!(state.lane.service, service);
                state.caught_up && state.at == self.shop.log.last_seq(&state.lane).unwrap()
            })
        })
        .await;
    }

    async fn until_timers(&self, processes: &Processes, count: u64) {
        let set = || processes.states().iter().map(|state| state.timers).sum::<u64>();
        self.until(&format!("{count} timers"), || set() == count).await;
    }
}

fn troubles(processes: &Processes) -> Vec<ProcessState> {
    processes.states().into_iter().filter(|state| state.trouble.is_some()).collect()
}

/// What follows from an event is asked in the name of the process, under an id of the event's, and says what led to it.
pub fn what_follows_from_an_event_is_asked(home: &dyn Home) {
    run(home, async {
        let market = Market::open(home).await;
        let processes = market.follow().await;
        let mut first = command("BR.1", Input::AddItem { sku: "echo-mango".into(), quantity: 1 }, "k1");
        first.correlation_id = feira_ids::Hash16([7; 16]);
        let led = accepted(market.shop.ask(first).await).events[0].id;
        market.until_units(ECHO, &[("mango", 1)]).await;
        let standing = history(market.shop.log.as_ref());
        let (_, meta) = standing.records.iter().find(|(_, meta)| &*meta.aggregate == "cart:ECHO").unwrap();
        assert_eq!(&*meta.principal, "service:process-echo");
        assert_eq!((meta.causation_id, meta.correlation_id), (led.0, feira_ids::Hash16([7; 16])));
        market.until_done(&processes).await;
        assert!(troubles(&processes).is_empty());
        assert_eq!(processes.metrics().asked.get(), 1);
        processes.shutdown().await;
        market.shop.close().await;
    });
}

/// Who ends between an ask and the checkpoint asks again; that changes nothing.
pub fn a_crash_between_ask_and_checkpoint_asks_again_and_changes_nothing(home: &dyn Home) {
    run(home, async {
        let market = Market::open(home).await;
        market.store.refuses.store(true, Ordering::SeqCst);
        let processes = market.follow().await;
        market.add("echo-mango").await;
        market.add("refuse-caju").await;
        market.until_units(ECHO, &[("mango", 1)]).await;
        market.until_units(REFUSED, &[("caju", 1)]).await;
        let refused = || market.store.refused.load(Ordering::SeqCst) > 0;
        market.until("a checkpoint that is not taken", refused).await;
        processes.shutdown().await;
        market.store.refuses.store(false, Ordering::SeqCst);
        let processes = market.follow().await;
        market.until_done(&processes).await;
        assert!(processes.metrics().asked.get() >= 3, "it was not asked again");
        assert_eq!((market.units(ECHO), market.units(REFUSED)).0, [("mango".into(), 1)].into());
        assert_eq!(market.units(REFUSED), [("caju".into(), 1)].into());
        processes.shutdown().await;
        // From here on the checkpoint is believed.
        let processes = market.follow().await;
        market.until_done(&processes).await;
        assert_eq!(processes.metrics().asked.get(), 0);
        processes.shutdown().await;
        market.shop.close().await;
    });
}

/// A refusal is an answer: what follows it is asked, and the process goes on.
pub fn a_refusal_is_an_answer_and_what_follows_it_is_asked(home: &dyn Home) {
    run(home, async {
        let market = Market::open(home).await;
        let processes = market.follow().await;
        market.add("refuse-mango").await;
        market.add("echo-caju").await;
        market.until_units(REFUSED, &[("mango", 1)]).await;
        market.until_units(ECHO, &[("caju", 1)]).await;
        market.until_done(&processes).await;
        assert_eq!(processes.metrics().refused.get(), 1);
        assert!(troubles(&processes).is_empty());
        processes.shutdown().await;
        market.shop.close().await;
    });
}

/// Events of a lane are answered in their order, also when the first must be asked for long.
pub fn events_are_answered_in_order_and_until_they_are(home: &dyn Home) {
    run(home, async {
        let market = Market::open(home).await;
        let facts = market.shop.baskets.facts.clone();
        facts.missing.store(true, Ordering::SeqCst);
        let processes = market.follow().await;
        market.add("rare-first").await;
        for i in 10..30 {
            market.add(&format!("echo-{i}")).await;
        }
        market.until("trouble that shows", || !troubles(&processes).is_empty()).await;
        assert!(market.units(ECHO).is_empty(), "what comes later waits");
        facts.missing.store(false, Ordering::SeqCst);
        market.until_done(&processes).await;
        assert!(troubles(&processes).is_empty());
        processes.shutdown().await;
        let standing = history(market.shop.log.as_ref());
        let led: Vec<_> = of(&standing, "cart:BR.1").map(|meta| meta.event_id.0).collect();
        let followed: Vec<_> = of(&standing, "cart:ECHO").map(|meta| meta.causation_id).collect();
        assert_eq!(led, followed);
        assert_eq!(market.units(ECHO).get(RARE), Some(&1));
        market.shop.close().await;
    });
}

fn of<'a>(standing: &'a super::History, aggregate: &'a str) -> impl Iterator<Item = &'a Meta> {
    standing.records.iter().map(|(_, meta)| meta).filter(move |meta| &*meta.aggregate == aggregate)
}

/// A record that the process fails on holds its lane and shows; it goes on once it can.
pub fn a_record_that_a_process_fails_on_holds_its_lane(home: &dyn Home) {
    run(home, async {
        let market = Market::open(home).await;
        market.echo.fails.store(true, Ordering::SeqCst);
        let processes = market.follow().await;
        market.add("echo-mango").await;
        let told = |processes: &Processes| {
            troubles(processes)
                .iter()
                .any(|state| state.trouble.as_ref().is_some_and(|trouble| trouble.contains("a mistake of the program")))
        };
        market.until("trouble that shows", || told(&processes)).await;
        assert!(!processes.is_ready());
        market.echo.fails.store(false, Ordering::SeqCst);
        market.until_units(ECHO, &[("mango", 1)]).await;
        market.until_done(&processes).await;
        assert!(troubles(&processes).is_empty());
        processes.shutdown().await;
        market.shop.close().await;
    });
}

/// A timer is asked once, not before it is due, also when the process was restarted meanwhile.
pub fn a_timer_is_asked_once_and_not_before_it_is_due(home: &dyn Home) {
    run(home, async {
        let market = Market::open(home).await;
        let processes = market.follow().await;
        market.add("later-60000-mango").await;
        // It comes due a moment before, so that whoever has seen it has looked at the other.
        market.add("later-59999-before").await;
        market.until_timers(&processes, 2).await;
        market.clock.turn_ms(59_999);
        market.until_units(LATER, &[("before", 1)]).await;
        market.until_timers(&processes, 1).await;
        processes.shutdown().await;
        let processes = market.follow().await;
        market.until_timers(&processes, 1).await;
        market.until_done(&processes).await;
        assert_eq!(market.units(LATER).len(), 1);
        market.clock.turn_ms(1);
        market.until_units(LATER, &[("before", 1), ("mango", 1)]).await;
        market.until_timers(&processes, 0).await;
        processes.shutdown().await;
        // Nothing is left of it in the store.
        let processes = market.follow().await;
        market.add("later-0-after").await;
        market.until_units(LATER, &[("before", 1), ("mango", 1), ("after", 1)]).await;
        market.until_timers(&processes, 0).await;
        assert_eq!(processes.metrics().timers.get(), 1);
        let standing = history(market.shop.log.as_ref());
        let times: Vec<_> = of(&standing, "cart:LATER").map(|meta| meta.at - BEGIN_MS).collect();
        assert_eq!(times, [59_999, 60_000, 60_000]);
        processes.shutdown().await;
        market.shop.close().await;
    });
}

/// Who ends between what a timer asks and the note that it is done asks again; that changes nothing.
pub fn a_crash_after_a_timer_asks_again_and_changes_nothing(home: &dyn Home) {
    run(home, async {
        let market = Market::open(home).await;
        let processes = market.follow().await;
        market.add("later-60000-mango").await;
        market.until_timers(&processes, 1).await;
        market.until_done(&processes).await;
        market.store.refuses.store(true, Ordering::SeqCst);
        market.clock.turn_ms(60_000);
        market.until_units(LATER, &[("mango", 1)]).await;
        processes.shutdown().await;
        market.store.refuses.store(false, Ordering::SeqCst);
        let processes = market.follow().await;
        market.until("the timer asked again", || processes.metrics().timers.get() == 1).await;
        market.until_done(&processes).await;
        assert_eq!(market.units(LATER), [("mango".into(), 1)].into());
        processes.shutdown().await;
        market.shop.close().await;
    });
}

/// A timer that is forgotten is not asked; nor one that is due, when an event that forgets it stands on the lane.
pub fn a_forgotten_timer_is_not_asked(home: &dyn Home) {
    run(home, async {
        let market = Market::open(home).await;
        let processes = market.follow().await;
        market.add("later-1000-mango").await;
        market.add("later-2000-caju").await;
        market.add("later-2001-last").await;
        market.until_timers(&processes, 3).await;
        market.add("forget-mango").await;
        market.until_timers(&processes, 2).await;
        processes.shutdown().await;
        market.add("forget-caju").await;
        market.clock.turn_ms(3_000);
        let processes = market.follow().await;
        market.until_timers(&processes, 0).await;
        market.until_units(LATER, &[("last", 1)]).await;
        processes.shutdown().await;
        market.shop.close().await;
    });
}

/// A timer that is set again is asked at its new time alone, and each time that it is set.
pub fn a_timer_that_is_set_again_replaces_the_first(home: &dyn Home) {
    run(home, async {
        let market = Market::open(home).await;
        let processes = market.follow().await;
        let again = |wait_ms: i64, key: &'static str| {
            let sku = format!("later-{wait_ms}-mango");
            let shop = &market.shop;
            async move { accepted(shop.add("BR.1", &sku, 1, key).await) }
        };
        again(1000, "k1").await;
        again(5000, "k2").await;
        market.add("later-2000-between").await;
        market.until_timers(&processes, 2).await;
        market.until_done(&processes).await;
        market.clock.turn_ms(2_000);
        market.until_units(LATER, &[("between", 1)]).await;
        market.clock.turn_ms(3_000);
        market.until_units(LATER, &[("between", 1), ("mango", 1)]).await;
        again(0, "k3").await;
        market.until_units(LATER, &[("between", 1), ("mango", 2)]).await;
        market.until_timers(&processes, 0).await;
        processes.shutdown().await;
        market.shop.close().await;
    });
}

/// The clock of a sandbox moves what it asks and its timers, and nobody else's.
pub fn a_sandbox_clock_moves_its_timers_and_nobody_elses(home: &dyn Home) {
    run(home, async {
        let market = Market::open(home).await;
        let processes = market.follow().await;
        let hour_ms = 3_600_000;
        let other = TenantId::new("mumbai-bazaar").unwrap();
        market.add("later-3600000-mango").await;
        let theirs = Input::AddItem { sku: "later-3600000-caju".into(), quantity: 1 };
        accepted(market.shop.ask(command_of(&other, "BR.9", theirs, "k1")).await);
        market.until_timers(&processes, 2).await;
        let moved = ProjectionId { name: "moved", version: 1 };
        let clock = put_clock(&moved_by(&tenant()), ClockRow { offset_ms: hour_ms, sandbox: true });
        market.store.apply(vec![clock], moved, "cart/0", Checkpoint::default()).await.unwrap();
        market.until_units(LATER, &[("mango", 1)]).await;
        market.until_timers(&processes, 1).await;
        let standing = history(market.shop.log.as_ref());
        let (_, meta) = standing.records.iter().find(|(_, meta)| &*meta.aggregate == "cart:LATER").unwrap();
        assert_eq!((meta.tenant.clone(), meta.at), (tenant(), BEGIN_MS + hour_ms));
        let theirs = Input::AddItem { sku: "guava".into(), quantity: 1 };
        let after = accepted(market.shop.ask(command_of(&other, "BR.9", theirs, "k2")).await).events[0].id;
        let standing = history(market.shop.log.as_ref());
        let (_, meta) = standing.records.iter().find(|(_, meta)| meta.event_id == after).unwrap();
        assert_eq!(meta.at, BEGIN_MS, "another's time is as it was");
        processes.shutdown().await;
        market.shop.close().await;
    });
}

/// The envelope of an event by which the clock of `tenant` was moved.
fn moved_by(tenant: &TenantId) -> Meta {
    let command_id = CommandId::default();
    Meta {
        event_id: command_id.event(0),
        lane: 0,
        lane_seq: 1,
        term: 1,
        aggregate: "business:main".into(),
        aggregate_seq: Some(1),
        hlc: BEGIN_MS * 1000,
        at: BEGIN_MS,
        tenant: tenant.clone(),
        principal: "member:rosa".into(),
        command_id,
        fingerprint: Default::default(),
        index: 0,
        count: 1,
        causation_id: command_id.0,
        correlation_id: command_id.0,
        traceparent: None,
    }
}
