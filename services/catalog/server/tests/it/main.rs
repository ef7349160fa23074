//! Stock in a running service: raced for, run out, over restarts.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use feira_catalog_server::{SERVICE, host, processes, projections};
use feira_commands::stock::{Input, View};
use feira_event_log::EventLog;
use feira_event_log::simulated::Cluster;
use feira_ids::{AggregateId, CommandId, Fingerprint, Principal, PrincipalKind, Role, ServiceName, TenantId};
use feira_projection_store::{ModelStore, Store};
use feira_rows::stock::{STOCK, StockRow, stock_key};
use feira_runtime::suite::Turned;
use feira_runtime::{Answer, Command, Commands, LocalCommands, Options, ProcessOptions, Processes, Running, Service};
use tempfile::TempDir;

const NOW: i64 = 1_790_000_000_000;
const HOLD_MS: i64 = 60_000;
const BUYERS: usize = 1_000;
const UNITS: i64 = 10;

fn shop() -> TenantId {
    TenantId::new("feira-livre").unwrap()
}

/// The catalog, running.
struct House {
    log: Arc<dyn EventLog>,
    store: Arc<ModelStore>,
    clock: Arc<Turned>,
    running: Running,
    processes: Processes,
    commands: Arc<LocalCommands>,
    _folder: TempDir,
}

impl House {
    async fn open(cluster: &Arc<Cluster>, clock: Arc<Turned>) -> Self {
        let log: Arc<dyn EventLog> = cluster.process("catalog");
        let (store, folder) = (Arc::new(ModelStore::new()), tempfile::tempdir().unwrap());
        let options = Options { clock: clock.clone(), queue_max: 2 * BUYERS, ..Options::default() };
        let started =
            Service::start(host(), projections(), log.clone(), store.clone(), folder.path(), "local", options);
        let running = started.await.unwrap();
        assert!(running.wait_ready(Duration::from_secs(30)).await);
        let commands = Arc::new(LocalCommands::new([running.intake()]));
        let options = ProcessOptions { clock: clock.clone(), ..ProcessOptions::default() };
        let processes = Processes::start(processes(), commands.clone(), log.clone(), store.clone(), options);
        let processes = processes.await.unwrap();
        Self { log, store, clock, running, processes, commands, _folder: folder }
    }

    async fn stop(self) {
        self.processes.shutdown().await;
        self.running.shutdown().await;
    }

    async fn ask(&self, input: &Input, role: Role, key: &str) -> Answer {
        ask(&self.commands, input, role, key).await
    }

    /// What is read of the stock, once everything is in rows.
    async fn row(&self) -> StockRow {
        let written = || {
            let projections = self.running.ready().projections;
            projections.iter().all(|state| state.at == self.log.last_seq(&state.lane).unwrap())
        };
        let began = Instant::now();
        while !written() {
            assert!(began.elapsed() < Duration::from_secs(30));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        StockRow::from_row(self.store.get(&STOCK, &stock_key(&shop(), "CAFE")).await.unwrap().unwrap()).unwrap()
    }
}

async fn ask(commands: &LocalCommands, input: &Input, role: Role, key: &str) -> Answer {
    let operation = input.operation();
    let command_id = CommandId::derive(&shop(), "service:test", operation, key);
    let input = serde_json::to_vec(input).unwrap();
    let kind = if role == Role::Service { PrincipalKind::Service } else { PrincipalKind::Member };
    let command = Command {
        tenant: shop(),
        principal: Principal { kind, id: "bia".into(), tenant: Some(shop()), roles: vec![role] },
        aggregate: AggregateId::new("stock", "CAFE").unwrap(),
        operation: operation.into(),
        version: 1,
        command_id,
        fingerprint: Fingerprint::of(operation, &input),
        expected_version: None,
        deadline_ms: i64::MAX,
        clock_offset_ms: 0,
        wants_view: true,
        causation_id: command_id.0,
        correlation_id: command_id.0,
        traceparent: None,
        input: input.into(),
    };
    commands.ask(command).await
}

fn view(answer: Answer) -> View {
    match answer {
        Answer::Accepted(accepted) => serde_json::from_slice(&accepted.view).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn reserve(order: &str, quantity: i32) -> Input {
    Input::Reserve { order: order.into(), quantity, until: NOW + HOLD_MS }
}

fn cluster() -> Arc<Cluster> {
    Cluster::new(&[(ServiceName::new(SERVICE), 2)])
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_buyers_who_race_for_ten_units_ten_get_one() {
    let cluster = cluster();
    let house = House::open(&cluster, Arc::new(Turned::at_ms(NOW))).await;
    house.ask(&Input::Set { on_hand: UNITS }, Role::Admin, "set").await;
    let race = (0..BUYERS).map(|buyer| {
        let commands = house.commands.clone();
        tokio::spawn(async move {
            let order = format!("o-{buyer}");
            // Half of them lost the first answer and ask again under the same id.
            let first = ask(&commands, &reserve(&order, 1), Role::Service, &order).await;
            if buyer % 2 == 0 { first } else { ask(&commands, &reserve(&order, 1), Role::Service, &order).await }
        })
    });
    let race: Vec<_> = race.collect();
    let mut ends = BTreeMap::<String, i64>::new();
    for buyer in race {
        let end = match buyer.await.unwrap() {
            Answer::Accepted(_) => "held".to_owned(),
            Answer::Refused { code, .. } => code.to_string(),
            other => panic!("{other:?}"),
        };
        *ends.entry(end).or_default() += 1;
    }
    let expected = [("OUT_OF_STOCK".to_owned(), BUYERS as i64 - UNITS), ("held".to_owned(), UNITS)];
    assert_eq!(ends, expected.into());
    assert_eq!(house.row().await.available, Some(0));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_takes_in_time_can_be_had_again_also_after_a_restart() {
    let cluster = cluster();
    let house = House::open(&cluster, Arc::new(Turned::at_ms(NOW))).await;
    house.ask(&Input::Set { on_hand: UNITS }, Role::Admin, "set").await;
    assert_eq!(view(house.ask(&reserve("o-1", 4), Role::Service, "r1").await).available, Some(6));
    assert_eq!(view(house.ask(&reserve("o-2", 6), Role::Service, "r2").await).available, Some(0));
    let sold = view(house.ask(&Input::Commit { order: "o-1".into() }, Role::Service, "c1").await);
    assert_eq!((sold.on_hand, sold.reserved, sold.available), (Some(6), 6, Some(0)));
    let clock = house.clock.clone();
    house.stop().await;
    // The next process knows the times from the log, and asks nothing before they have come.
    let house = House::open(&cluster, clock.clone()).await;
    assert_eq!(house.row().await.available, Some(0));
    clock.turn_ms(HOLD_MS);
    let began = Instant::now();
    while house.row().await.available != Some(6) {
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", house.processes.states());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let late = house.ask(&Input::Commit { order: "o-2".into() }, Role::Service, "c2").await;
    assert!(matches!(late, Answer::Refused { code, .. } if &*code == "RESERVATION_EXPIRED"));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sells_counts_and_only_what_acts_for_orders_reserves() {
    let cluster = cluster();
    let house = House::open(&cluster, Arc::new(Turned::at_ms(NOW))).await;
    for role in [Role::Consumer, Role::Agent] {
        assert!(matches!(house.ask(&Input::Set { on_hand: 1 }, role, "set").await, Answer::Forbidden));
    }
    let reserved = house.ask(&reserve("o-1", 1), Role::Admin, "r1").await;
    assert!(matches!(reserved, Answer::Forbidden), "{reserved:?}");
    let set = view(house.ask(&Input::Set { on_hand: 3 }, Role::Admin, "set").await);
    assert_eq!((set.version, set.available), (1, Some(3)));
    house.stop().await;
}
