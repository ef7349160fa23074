//! A purchase in the running service: stock and payments are elsewhere and answer as they would.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use feira_cart_server::{CATALOG, PAYMENTS, SERVICE, host, processes, projections};
use feira_codec::EventSet;
use feira_commands::order::PAYMENT_TIME_MS;
use feira_commands::{cart, order, stock};
use feira_event_log::simulated::Cluster;
use feira_event_log::{EventLog, LaneWriter, NewRecord, Resume};
use feira_events::catalog::{Availability, Condition, Details, Pricing, ProductListed};
use feira_events::order::{OrderStatus, PaymentStatus};
use feira_events::payments::{Event as PaymentEvent, Intent, IntentCaptured};
use feira_events::stock::{Event as StockEvent, StockCommitted, StockReserved};
use feira_events::{Meta, catalog};
use feira_ids::{
    AccountId, AggregateId, CommandId, Fingerprint, Principal, PrincipalKind, Role, ServiceName, TenantId,
};
use feira_projection_store::{ModelStore, Range, Store};
use feira_rows::order::{
    CUSTOMER_ORDERS, DAY_ORDERS, ORDER_LINES, ORDERS, OrderRow, customer_key, day_key, line_from_row, order_key,
    placed_from_row,
};
use feira_runtime::suite::Turned;
use feira_runtime::{
    Accepted, Answer, Command, Commands, LocalCommands, LogHeads, Options, Position, ProcessOptions, Processes,
    Running, Service,
};
use tempfile::TempDir;

use super::{reais, shop};

const CUSTOMER: &str = "BR.1";

fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64
}

/// Another service's only lane, as its owner writes it.
struct Source {
    writer: Box<dyn LaneWriter>,
    term: i64,
    seq: i64,
}

impl Source {
    fn take(log: &dyn EventLog, service: &str) -> Self {
        let membership = log.join(&ServiceName::new(service), "elsewhere").unwrap();
        while !membership.assignment(0, Duration::from_secs(1)).lanes.contains(&0) {}
        let taken = membership.take(0, Resume::START, &mut |_| Ok(()), &|| false).unwrap();
        Self { writer: taken.writer, term: taken.term as i64, seq: 0 }
    }

    fn say(&mut self, tenant: &str, aggregate: &str, event: &impl EventSet) {
        self.seq += 1;
        let tenant = TenantId::new(tenant).unwrap();
        let command_id = CommandId::derive(&tenant, "service:elsewhere", aggregate, &self.seq.to_string());
        let meta = Meta {
            event_id: command_id.event(0),
            lane: 0,
            lane_seq: self.seq,
            term: self.term,
            aggregate: aggregate.into(),
            aggregate_seq: Some(self.seq),
            hlc: self.seq,
            at: now(),
            tenant,
            principal: "service:elsewhere".into(),
            command_id,
            fingerprint: Fingerprint::default(),
            index: 0,
            count: 1,
            causation_id: command_id.0,
            correlation_id: command_id.0,
            traceparent: None,
        };
        let value = feira_codec::frame(&meta, &event.encode_body().unwrap()).unwrap();
        self.writer.append(&[NewRecord { meta, event_type: event.name(), value }], None).unwrap();
    }
}

/// The other services: they answer once for each id, and say what follows on their lanes.
struct Elsewhere {
    catalog: Mutex<Source>,
    payments: Mutex<Source>,
    left: Mutex<BTreeMap<String, i32>>,
    held: Mutex<BTreeMap<String, i32>>,
    answers: Mutex<BTreeMap<CommandId, Answer>>,
    /// What was asked of them, once each.
    asked: Mutex<Vec<String>>,
}

impl Elsewhere {
    fn new(cluster: &Arc<Cluster>, left: &[(&str, i32)]) -> Self {
        let log = cluster.process("elsewhere");
        let mut catalog = Source::take(log.as_ref(), CATALOG);
        for (sku, _) in left {
            catalog.say("feira-livre", &format!("product:{sku}"), &listed(sku));
        }
        Self {
            catalog: Mutex::new(catalog),
            payments: Mutex::new(Source::take(log.as_ref(), PAYMENTS)),
            left: Mutex::new(left.iter().map(|(sku, left)| ((*sku).to_owned(), *left)).collect()),
            held: Mutex::default(),
            answers: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    fn answer(&self, command: &Command) -> Answer {
        let mut answers = self.answers.lock().unwrap();
        let first = || {
            self.asked.lock().unwrap().push(said(command));
            match command.aggregate.kind_name() {
                "stock" => self.stock(command),
                _ => accepted(),
            }
        };
        answers.entry(command.command_id).or_insert_with(first).clone()
    }

    fn stock(&self, command: &Command) -> Answer {
        let sku: Arc<str> = command.aggregate.key().into();
        let (mut left, mut held) = (self.left.lock().unwrap(), self.held.lock().unwrap());
        let left = left.get_mut(&*sku).unwrap();
        let say =
            |event: StockEvent| self.catalog.lock().unwrap().say("feira-livre", command.aggregate.as_str(), &event);
        match serde_json::from_slice(&command.input).unwrap() {
            stock::Input::Reserve { quantity, .. } if *left < quantity => return refused("OUT_OF_STOCK"),
            stock::Input::Reserve { order, quantity, until } => {
                *left -= quantity;
                held.insert(sku.to_string(), quantity);
                say(StockEvent::StockReserved(StockReserved { sku, order, quantity, until, available: None }));
            }
            stock::Input::Commit { order } => {
                let Some(quantity) = held.remove(&*sku) else { return refused("RESERVATION_EXPIRED") };
                let sold = StockCommitted { sku, order, quantity, on_hand: None, available: None };
                say(StockEvent::StockCommitted(sold));
            }
            stock::Input::Release { .. } => *left += held.remove(&*sku).unwrap_or(0),
            other => panic!("{other:?}"),
        }
        accepted()
    }

    fn asked(&self, what: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked.contains(what)).count()
    }

    /// The customer paid.
    fn capture(&self, id: &str, minor: i64) {
        let captured = IntentCaptured {
            intent: Intent {
                intent: id.into(),
                business: "feira-livre".into(),
                order: id.into(),
                customer: CUSTOMER.into(),
                account: account(),
                amount: reais(minor),
            },
            transfer: "t-1".into(),
            payer: AccountId::parse("0/person/ana").unwrap(),
            fee: reais(160),
            fee_micro: 1_600_000,
            fee_bp: 399,
            net: reais(minor - 160),
            postings: vec![],
            balances: vec![],
        };
        self.payments.lock().unwrap().say(TenantId::PLATFORM, "shard:0", &PaymentEvent::IntentCaptured(captured));
    }
}

fn account() -> AccountId {
    AccountId::parse("0/biz/feira-livre").unwrap()
}

fn said(command: &Command) -> String {
    format!("{} {} {}", command.operation, command.aggregate, String::from_utf8_lossy(&command.input))
}

fn accepted() -> Answer {
    let (position, view) = (Position::default(), "{}".into());
    Answer::Accepted(Accepted { position, version: 1, events: vec![], view, repeated: false })
}

fn refused(code: &str) -> Answer {
    Answer::Refused { position: Position::default(), code: code.into(), field: None, message: "none is left".into() }
}

fn listed(sku: &str) -> catalog::Event {
    let details = Details {
        title: sku.into(),
        description: "".into(),
        availability: Availability::InStock,
        condition: Condition::New,
        link: None,
        image_links: vec![],
        brand: None,
        category: None,
        item_group: None,
    };
    let pricing = Pricing { price: reais(1_000), sale_price: None };
    catalog::Event::ProductListed(ProductListed { sku: sku.into(), details, pricing })
}

/// Carts and orders here, everything else elsewhere.
struct Routes {
    here: LocalCommands,
    elsewhere: Arc<Elsewhere>,
}

#[async_trait]
impl Commands for Routes {
    async fn ask(&self, command: Command) -> Answer {
        match command.aggregate.kind_name() {
            "cart" | "order" => self.here.ask(command).await,
            _ => self.elsewhere.answer(&command),
        }
    }
}

/// The service, running.
struct House {
    log: Arc<dyn EventLog>,
    store: Arc<ModelStore>,
    clock: Arc<Turned>,
    running: Running,
    processes: Processes,
    routes: Arc<Routes>,
    _folder: TempDir,
}

impl House {
    async fn open(cluster: &Arc<Cluster>, elsewhere: &Arc<Elsewhere>) -> Self {
        let log: Arc<dyn EventLog> = cluster.process("cart");
        let (store, folder) = (Arc::new(ModelStore::new()), tempfile::tempdir().unwrap());
        let hosted = host(store.clone(), Arc::new(LogHeads::new(log.clone())), Duration::from_secs(30));
        let (lanes, clock): (&Path, _) = (folder.path(), Arc::new(Turned::at_ms(now())));
        let options = Options { clock: clock.clone(), ..Options::default() };
        let started = Service::start(hosted, projections(), log.clone(), store.clone(), lanes, "local", options);
        let running = started.await.unwrap();
        assert!(running.wait_ready(Duration::from_secs(30)).await);
        let (here, elsewhere) = (LocalCommands::new([running.intake()]), elsewhere.clone());
        let routes = Arc::new(Routes { here, elsewhere });
        let options = ProcessOptions { clock: clock.clone(), ..ProcessOptions::default() };
        let started = Processes::start(processes(), routes.clone(), log.clone(), store.clone(), options);
        let processes = started.await.unwrap();
        Self { log, store, clock, running, processes, routes, _folder: folder }
    }

    async fn stop(self) {
        self.processes.shutdown().await;
        self.running.shutdown().await;
    }

    async fn ask(&self, id: &str, aggregate: &str, operation: &'static str, input: Vec<u8>, key: &str) -> Answer {
        let command_id = CommandId::derive(&shop(), id, &format!("{operation} {aggregate}"), key);
        let (kind, tenant, roles) = (PrincipalKind::Person, Some(shop()), vec![Role::Consumer]);
        let command = Command {
            tenant: shop(),
            principal: Principal { kind, id: id.into(), tenant, roles },
            aggregate: AggregateId::parse(aggregate).unwrap(),
            operation: operation.into(),
            version: 1,
            command_id,
            fingerprint: Fingerprint::of(operation, &input),
            expected_version: None,
            deadline_ms: now() + 30_000,
            clock_offset_ms: 0,
            wants_view: true,
            causation_id: command_id.0,
            correlation_id: command_id.0,
            traceparent: None,
            input: input.into(),
        };
        self.routes.ask(command).await
    }

    async fn cart(&self, input: cart::Input, key: &str) -> cart::View {
        let encoded = serde_json::to_vec(&input).unwrap();
        match self.ask(CUSTOMER, &format!("cart:{CUSTOMER}"), input.operation(), encoded, key).await {
            Answer::Accepted(accepted) => serde_json::from_slice(&accepted.view).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// Puts three of one and one of another product in and checks out.
    async fn check_out(&self, id: &str) -> cart::View {
        for (sku, quantity) in [("CAFE", 3), ("CHA", 1)] {
            self.cart(cart::Input::AddItem { sku: sku.into(), quantity }, sku).await;
        }
        self.cart(checkout(id), id).await
    }

    async fn cancel(&self, by: &str, id: &str) -> Answer {
        let input = order::Input::Cancel { customer: by.into(), reason: "changed my mind".into() };
        let encoded = serde_json::to_vec(&input).unwrap();
        self.ask(by, &format!("order:{id}"), input.operation(), encoded, "cancel").await
    }

    /// Waits until nothing follows any more and all rows are written.
    async fn quiet(&self) {
        let end = || self.processes.states().iter().map(|state| self.log.last_seq(&state.lane).unwrap()).sum::<u64>();
        let done = || {
            let followed = self.processes.states();
            let written = self.running.ready().projections;
            followed.iter().all(|state| state.at == self.log.last_seq(&state.lane).unwrap())
                && written.iter().all(|state| state.at == self.log.last_seq(&state.lane).unwrap())
        };
        let (began, mut before) = (Instant::now(), u64::MAX);
        while !(done() && before == end()) {
            assert!(began.elapsed() < Duration::from_secs(60), "{:?}", self.processes.states());
            before = end();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn order(&self, id: &str) -> OrderRow {
        OrderRow::from_row(self.store.get(&ORDERS, &order_key(&shop(), id)).await.unwrap().unwrap()).unwrap()
    }
}

fn checkout(id: &str) -> cart::Input {
    let (order, thread) = (id.into(), Some(format!("main/{CUSTOMER}").into()));
    cart::Input::Checkout { order, thread, account: account(), accept_total: Some(reais(4_000)) }
}

fn cluster() -> Arc<Cluster> {
    Cluster::new(&[(SERVICE, 2), (CATALOG, 1), (PAYMENTS, 1)].map(|(name, lanes)| (ServiceName::new(name), lanes)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_comes_to_its_end_whenever_the_service_starts_anew() {
    let cluster = cluster();
    let elsewhere = Arc::new(Elsewhere::new(&cluster, &[("CAFE", 3), ("CHA", 1)]));
    let house = House::open(&cluster, &elsewhere).await;
    assert_eq!(house.check_out("o-1").await.checkout.as_deref(), Some("o-1"));
    assert_eq!(house.cart(checkout("o-2"), "again").await.checkout.as_deref(), Some("o-1"));
    house.quiet().await;
    let row = house.order("o-1").await;
    assert_eq!((row.status, row.payment, row.total), (OrderStatus::Placed, PaymentStatus::Pending, reais(4_000)));
    assert_eq!(elsewhere.asked("payments.create_intent"), 1);
    assert_eq!(elsewhere.asked("ORDER_DETAILS"), 1);
    house.stop().await;

    // The next process asks everything again, under the same ids: it is done once.
    elsewhere.capture("o-1", 4_000);
    let house = House::open(&cluster, &elsewhere).await;
    house.quiet().await;
    let row = house.order("o-1").await;
    assert_eq!((row.status, row.payment, row.fee), (OrderStatus::Confirmed, PaymentStatus::Captured, Some(160)));
    let range = Range { limit: 10, ..Range::default() };
    let lines = house.store.scan(&ORDER_LINES, &order_key(&shop(), "o-1"), range.clone()).await.unwrap().rows;
    let lines: Vec<_> = lines.into_iter().map(|row| line_from_row(row).unwrap()).collect();
    let lines: Vec<_> = lines.iter().map(|line| (&*line.sku, line.quantity)).collect();
    assert_eq!(lines, [("CAFE", 3), ("CHA", 1)]);
    for (table, key) in
        [(&CUSTOMER_ORDERS, customer_key(&shop(), CUSTOMER)), (&DAY_ORDERS, day_key(&shop(), row.placed_at))]
    {
        let rows = house.store.scan(table, &key, range.clone()).await.unwrap().rows;
        let placed: Vec<_> = rows.into_iter().map(|row| placed_from_row(table, row).unwrap()).collect();
        assert_eq!(placed, [(row.placed_at, Arc::from("o-1"))]);
    }
    let cart = house.cart(cart::Input::RemoveItem { sku: "CAFE".into() }, "look").await;
    assert_eq!((cart.lines.len(), cart.checkout, cart.last_order.as_deref()), (0, None, Some("o-1")));
    assert_eq!((elsewhere.asked("stock.reserve"), elsewhere.asked("stock.commit")), (2, 2));
    assert_eq!((elsewhere.asked("payments.create_intent"), elsewhere.asked("CONFIRMED")), (1, 1));
    assert_eq!(elsewhere.asked("stock.release"), 0);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_cannot_be_had_is_named_and_the_cart_is_as_it_was() {
    let cluster = cluster();
    let elsewhere = Arc::new(Elsewhere::new(&cluster, &[("CAFE", 3), ("CHA", 0)]));
    let house = House::open(&cluster, &elsewhere).await;
    house.check_out("o-1").await;
    house.quiet().await;
    let cart = house.cart(cart::Input::RemoveItem { sku: "BOLO".into() }, "look").await;
    let failure = cart.failure.unwrap();
    assert_eq!(
        (&*failure.code, failure.sku.as_deref(), &*failure.message),
        ("OUT_OF_STOCK", Some("CHA"), "none is left")
    );
    assert_eq!((cart.lines.len(), cart.checkout), (2, None));
    let row = house.order("o-1").await;
    assert_eq!(
        (row.status, row.payment, row.code.as_deref()),
        (OrderStatus::Cancelled, PaymentStatus::Failed, Some("OUT_OF_STOCK"))
    );
    assert_eq!(*elsewhere.left.lock().unwrap(), [("CAFE".to_owned(), 3), ("CHA".to_owned(), 0)].into());
    assert_eq!((elsewhere.asked("payments."), elsewhere.asked("CANCELLED")), (0, 1));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_calls_an_order_off_and_has_paid_all_the_same_is_refunded() {
    let cluster = cluster();
    let elsewhere = Arc::new(Elsewhere::new(&cluster, &[("CAFE", 3), ("CHA", 1)]));
    let house = House::open(&cluster, &elsewhere).await;
    house.check_out("o-1").await;
    house.quiet().await;
    assert!(matches!(house.cancel("BR.2", "o-1").await, Answer::Refused { code, .. } if &*code == "ORDER_UNKNOWN"));
    assert!(matches!(house.cancel(CUSTOMER, "o-1").await, Answer::Accepted(_)));
    house.quiet().await;
    assert_eq!(elsewhere.asked("payments.cancel_intent"), 1);
    // The money had been on its way.
    elsewhere.capture("o-1", 4_000);
    house.quiet().await;
    assert_eq!((elsewhere.asked("payments.refund"), elsewhere.asked("stock.commit")), (1, 0));
    assert_eq!(*elsewhere.left.lock().unwrap(), [("CAFE".to_owned(), 3), ("CHA".to_owned(), 1)].into());
    let row = house.order("o-1").await;
    assert_eq!((row.status, row.payment), (OrderStatus::Cancelled, PaymentStatus::Captured));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_nobody_pays_ends_when_its_time_has_come() {
    let cluster = cluster();
    let elsewhere = Arc::new(Elsewhere::new(&cluster, &[("CAFE", 3), ("CHA", 1)]));
    let house = House::open(&cluster, &elsewhere).await;
    house.check_out("o-1").await;
    house.quiet().await;
    assert_eq!(house.order("o-1").await.status, OrderStatus::Placed);
    house.clock.turn_ms(PAYMENT_TIME_MS);
    let began = Instant::now();
    while house.order("o-1").await.status != OrderStatus::Cancelled {
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", house.processes.states());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    house.quiet().await;
    assert_eq!(house.order("o-1").await.code.as_deref(), Some("PAYMENT_TIME_OVER"));
    assert_eq!((elsewhere.asked("payments.cancel_intent"), elsewhere.asked("CANCELLED")), (1, 1));
    assert_eq!(*elsewhere.left.lock().unwrap(), [("CAFE".to_owned(), 3), ("CHA".to_owned(), 1)].into());
    let cart = house.cart(cart::Input::RemoveItem { sku: "BOLO".into() }, "look").await;
    assert_eq!((cart.lines.len(), cart.checkout, &*cart.failure.unwrap().code), (2, None, "PAYMENT_TIME_OVER"));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_says_what_only_follows() {
    let cluster = cluster();
    let elsewhere = Arc::new(Elsewhere::new(&cluster, &[("CAFE", 3), ("CHA", 1)]));
    let house = House::open(&cluster, &elsewhere).await;
    house.check_out("o-1").await;
    house.quiet().await;
    let paid = order::Input::Paid { amount: reais(4_000), fee: reais(0) };
    let encoded = serde_json::to_vec(&paid).unwrap();
    for operation in [paid.operation(), "order.cancel"] {
        let answer = house.ask(CUSTOMER, "order:o-1", operation, encoded.clone(), operation).await;
        assert!(matches!(answer, Answer::Forbidden | Answer::Invalid { .. }), "{answer:?}");
    }
    house.quiet().await;
    assert_eq!(house.order("o-1").await.payment, PaymentStatus::Pending);
    // What is not the customer's own cart is not theirs to check out.
    let encoded = serde_json::to_vec(&checkout("o-9")).unwrap();
    let answer = house.ask("BR.2", &format!("cart:{CUSTOMER}"), "cart.checkout", encoded, "k").await;
    assert!(matches!(answer, Answer::Forbidden), "{answer:?}");
    assert_eq!(elsewhere.asked("stock.commit"), 0);
    house.stop().await;
}
