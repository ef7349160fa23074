//! What is read of conversations is what their owner sees, and facts are what was last said.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use feira_codec::{EventSet, Opened};
use feira_commands::conversation::{MESSAGES_IN_BUCKET, ReceiptStatus, ThreadInput, thread_key};
use feira_conversation_domain::business::{self, Business};
use feira_conversation_domain::contact::{self, Contact};
use feira_conversation_domain::sender::{self, Sender};
use feira_conversation_domain::template::{self, Template};
use feira_conversation_domain::thread::{Command, State, Thread, What};
use feira_conversation_server::projections::{BusinessRows, ContactRows, ListedRows, ThreadRows};
use feira_conversation_server::{Facts, Threads};
use feira_decider::{At, Decider};
use feira_events::catalog::{Availability, Condition, Details, Pricing, ProductListed, ProductWithdrawn};
use feira_events::conversation::{Category, Channel, Content, Profile, Section, Side};
use feira_events::{FactPosition, Meta, Sealed, catalog};
use feira_ids::{
    AggregateId, CommandId, Fingerprint, LaneId, Principal, PrincipalKind, Role, ServiceName, TenantId, kind,
};
use feira_money::Amount;
use feira_projection_store::{Checkpoint, ModelStore, Range, Store};
use feira_rows::clock::{CLOCKS, ClockRow, clock_key};
use feira_rows::conversation::{
    BUSINESSES, BusinessRow, CONTACTS, ContactRow, INBOX, InboxRow, MESSAGES, MessageRow, SENDERS, SenderRow, THREADS,
    ThreadRow, business_key, contact_key, message_bucket, message_key, messages_key, sender_key, tenant_key,
    thread_row_key,
};
use feira_runtime::{GatherError, Heads, Hosted, Projection};
use proptest::prelude::*;

const T0: i64 = 1_764_104_400_000;
const HOUR: i64 = 60 * 60 * 1_000;

fn shop() -> TenantId {
    TenantId::new("feira-livre").unwrap()
}

fn opened(event: &impl EventSet, aggregate: &str, lane_seq: i64, version: i64, at: i64) -> Opened {
    let command_id = CommandId::default();
    let meta = Meta {
        event_id: command_id.event(0),
        lane: 0,
        lane_seq,
        term: 1,
        aggregate: aggregate.into(),
        aggregate_seq: Some(version),
        hlc: 1_700_000_000_000_000 + 2 * lane_seq,
        at,
        tenant: shop(),
        principal: "person:BR.1".into(),
        command_id,
        fingerprint: Fingerprint::default(),
        index: 0,
        count: 1,
        causation_id: command_id.0,
        correlation_id: command_id.0,
        traceparent: None,
    };
    feira_codec::open(&feira_codec::frame(&meta, &event.encode_body().unwrap()).unwrap()).unwrap()
}

/// One lane of this service and one of the catalog, with everything that stands on them in rows.
struct Log {
    store: Arc<ModelStore>,
    conversation: i64,
    catalog: i64,
}

impl Log {
    fn new() -> Self {
        Self { store: Arc::new(ModelStore::new()), conversation: 0, catalog: 0 }
    }

    async fn take_in(&self, projection: &dyn Projection, lane: &str, record: &Opened) {
        let id = LaneId::new(&ServiceName::new(lane), 0);
        let writes = projection.apply(&id, record).unwrap();
        let checkpoint = Checkpoint { lane_seq: record.meta.lane_seq as u64, hint: 0 };
        self.store.apply(writes, projection.id(), &id.to_string(), checkpoint).await.unwrap();
    }

    async fn conversation(&mut self, event: &impl EventSet, aggregate: &str, version: i64, at: i64) {
        self.conversation += 1;
        let record = opened(event, aggregate, self.conversation, version, at);
        for projection in [&BusinessRows as &dyn Projection, &ContactRows, &ThreadRows] {
            self.take_in(projection, "conversation", &record).await;
        }
    }

    async fn catalog(&mut self, event: &catalog::Event) {
        self.catalog += 1;
        self.take_in(&ListedRows, "catalog", &opened(event, "product:CAFE", self.catalog, self.catalog, T0)).await;
    }

    /// Decides `commands` one after another, each at its time, and takes in what comes of them.
    async fn decide<D>(&mut self, aggregate: &str, commands: impl IntoIterator<Item = (D::Command, i64)>) -> D::State
    where
        D: Decider<Event: EventSet>,
    {
        let (mut state, mut version) = (D::State::default(), 0);
        for (command, at) in commands {
            for event in D::decide(&state, command, At(at)).unwrap_or_default() {
                version += 1;
                self.conversation(&event, aggregate, version, at).await;
                state = D::evolve(state, &event);
            }
        }
        // As a snapshot keeps it.
        let kept: D::State = serde_json::from_slice(&serde_json::to_vec(&state).unwrap()).unwrap();
        assert_eq!(kept, state);
        state
    }

    fn facts(&self, wait: Duration) -> Facts {
        let heads = Ends { conversation: self.conversation as u64, catalog: self.catalog as u64 };
        Facts::new(self.store.clone(), Arc::new(heads), wait)
    }
}

/// Logs end where the test says.
struct Ends {
    conversation: u64,
    catalog: u64,
}

#[async_trait]
impl Heads for Ends {
    async fn head(&self, _tenant: &TenantId, aggregate: &AggregateId) -> Result<(LaneId, u64), GatherError> {
        let service = kind(aggregate.kind_name()).unwrap().service;
        let end = if service == "catalog" { self.catalog } else { self.conversation };
        Ok((LaneId::new(&ServiceName::new(service), 0), end))
    }

    async fn heads(&self, service: &ServiceName) -> Result<Vec<(LaneId, u64)>, GatherError> {
        let end = if service.as_str() == "catalog" { self.catalog } else { self.conversation };
        Ok(vec![(LaneId::new(service, 0), end)])
    }
}

fn text() -> Content {
    Content::Text { body: Sealed::from_parts("feira-livre/BR.1".into(), [7; 12], vec![9; 30]) }
}

fn ask(what: What) -> Command {
    Command { sender: "main".into(), customer: "BR.1".into(), what }
}

fn any_command() -> impl Strategy<Value = Command> {
    let id = || (0u8..30).prop_map(|i| Arc::<str>::from(format!("m-{i}")));
    let status = || prop_oneof![Just(ReceiptStatus::Delivered), Just(ReceiptStatus::Read), Just(ReceiptStatus::Failed)];
    prop_oneof![
        2 => (id(), prop::option::of(T0..T0 + 60 * HOUR)).prop_map(|(message, sent_at)| ask(What::Receive {
            message, content: text(), referral: None, sent_at, sender_open: true,
        })),
        3 => id().prop_map(|message| ask(What::Send {
            message, content: text(), sender_open: true, template: None, products: vec![], agreed: None,
        })),
        4 => (id(), status()).prop_map(|(message, status)| ask(What::Receipt {
            message, status, at: None, code: Some("131026".into()),
        })),
    ]
}

async fn check(commands: Vec<(Command, i64)>) {
    let mut log = Log::new();
    let mut at = T0;
    let commands: Vec<_> = commands
        .into_iter()
        .map(|(command, later)| {
            at += later;
            (command, at)
        })
        .collect();
    let state: State = log.decide::<Thread>("thread:main/BR.1", commands).await;
    let store = &log.store;
    let all = Range { limit: 1_000, ..Range::default() };
    let inbox = store.scan(&INBOX, &tenant_key(&shop()), all.clone()).await.unwrap().rows;
    if state.messages == 0 {
        assert!(inbox.is_empty());
        return;
    }
    let row = store.get(&THREADS, &thread_row_key(&shop(), "main", "BR.1")).await.unwrap().unwrap();
    let row = ThreadRow::from_row(row).unwrap();
    assert_eq!((row.messages, row.windows, Some(row.last_at)), (state.messages, state.windows, state.last_at));
    assert_eq!((&*row.country, row.opened_by), ("BR", Side::Customer));
    let inbox: Vec<_> = inbox.into_iter().map(|row| InboxRow::from_row(row).unwrap()).collect();
    let stands =
        InboxRow { last_at: row.last_at, customer: "BR.1".into(), sender: "main".into(), messages: state.messages };
    assert_eq!(inbox, [stands]);
    let thread = thread_key("main", "BR.1");
    let messages = store.scan(&MESSAGES, &messages_key(&shop(), &thread, 0), all).await.unwrap().rows;
    let messages: Vec<_> = messages.into_iter().map(|row| MessageRow::from_row(row).unwrap()).collect();
    let read: Vec<_> = messages.iter().map(|m| (&m.message, m.seq, m.from, m.status(), m.sent_at, &m.stamps)).collect();
    let known: Vec<_> = state.latest.iter().map(|m| (&m.id, m.seq, m.from, m.status, m.sent_at, &m.stamps)).collect();
    assert_eq!(read, known);
    assert!(messages.iter().all(|message| message.content == text() && &*message.author == "person:BR.1"));
}

proptest! {
    #[test]
    fn the_rows_of_a_thread_are_its_state(
        commands in prop::collection::vec((any_command(), 0i64..10 * HOUR), 0..60),
    ) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(check(commands));
    }
}

#[test]
fn messages_lie_in_buckets_of_two_thousand() {
    assert_eq!([1, 1_999, 2_000, 3_999, 4_000].map(message_bucket), [0, 0, 1, 1, 2]);
    let key = message_key(&shop(), "main/BR.1", MESSAGES_IN_BUCKET);
    assert_eq!(key[..3], messages_key(&shop(), "main/BR.1", 1));
}

fn registered(sandbox: bool) -> business::Command {
    let profile = Profile { about: Some("Cafés".into()), ..Profile::default() };
    business::Command::Register { name: "Feira Livre".into(), profile, country: "BR".into(), sandbox }
}

#[tokio::test]
async fn a_sandboxs_clock_stands_where_it_was_moved_to() {
    let mut log = Log::new();
    let step = |by_ms| business::Command::MoveClock { by_ms: Some(by_ms), to: None };
    log.decide::<Business>("business:main", [(registered(true), T0), (step(5), T0), (step(7), T0)]).await;
    let clock = log.store.get(&CLOCKS, &clock_key(&shop())).await.unwrap().unwrap();
    assert_eq!(ClockRow::from_row(clock).unwrap(), ClockRow { offset_ms: 12, sandbox: true });
    let row = BusinessRow::from_row(log.store.get(&BUSINESSES, &business_key(&shop())).await.unwrap().unwrap());
    let row = row.unwrap();
    assert_eq!(
        (&*row.name, row.version, row.sandbox, row.profile.about.as_deref()),
        ("Feira Livre", 3, true, Some("Cafés"))
    );
}

#[tokio::test]
async fn a_business_in_earnest_has_no_clock_of_its_own() {
    let mut log = Log::new();
    let renamed = business::Command::SetProfile { name: "Feira".into(), profile: Profile::default() };
    log.decide::<Business>("business:main", [(registered(false), T0), (renamed, T0)]).await;
    assert_eq!(log.store.get(&CLOCKS, &clock_key(&shop())).await.unwrap(), None);
    let row = BusinessRow::from_row(log.store.get(&BUSINESSES, &business_key(&shop())).await.unwrap().unwrap());
    let row = row.unwrap();
    assert_eq!((&*row.name, &*row.country, row.profile), ("Feira", "BR", Profile::default()));
}

#[tokio::test]
async fn what_a_command_must_know_of_its_business_is_what_was_said() {
    let mut log = Log::new();
    let wait = Duration::from_secs(5);
    assert_eq!(log.facts(wait).sandbox(&shop()).await.unwrap(), None);
    assert!(!log.facts(wait).sender_open(&shop(), "main").await.unwrap());
    log.decide::<Business>("business:main", [(registered(true), T0)]).await;
    let open = sender::Command::Open {
        sender: "main".into(),
        display_name: "Feira".into(),
        channel: Channel::Chat,
        registered: true,
    };
    log.decide::<Sender>("sender:main", [(open, T0)]).await;
    let facts = log.facts(wait);
    assert_eq!(facts.sandbox(&shop()).await.unwrap(), Some(true));
    assert!(facts.sender_open(&shop(), "main").await.unwrap() && !facts.sender_open(&shop(), "other").await.unwrap());
    let row = log.store.get(&SENDERS, &sender_key(&shop(), "main")).await.unwrap().unwrap();
    assert_eq!(SenderRow::from_row(row).unwrap().channel, Channel::Chat);
}

fn template_content(name: &str) -> Content {
    Content::Template { name: name.into(), language: "pt_BR".into(), variables: None, variables_count: 0 }
}

#[tokio::test]
async fn a_template_is_known_with_its_use_and_whether_it_is_approved() {
    let mut log = Log::new();
    let create = template::Command::Create {
        name: "order_paid".into(),
        language: "pt_BR".into(),
        category: Category::Utility,
        body: "Olá, {{1}}!".into(),
        sandbox: Some(false),
    };
    let wait = Duration::from_secs(5);
    log.decide::<Template>("template:order_paid.pt_BR", [(create.clone(), T0)]).await;
    let known = log.facts(wait).template(&shop(), &template_content("order_paid")).await.unwrap().unwrap();
    assert_eq!((known.category, known.variables, known.approved), (Category::Utility, 1, false));
    let mut log = Log::new();
    let approve = template::Command::Approve;
    log.decide::<Template>("template:order_paid.pt_BR", [(create, T0), (approve, T0)]).await;
    let known = log.facts(wait).template(&shop(), &template_content("order_paid")).await.unwrap().unwrap();
    assert_eq!((known.approved, known.position), (true, FactPosition { lane: 0, lane_seq: 2 }));
    assert_eq!(log.facts(wait).template(&shop(), &template_content("other")).await.unwrap(), None);
    assert_eq!(log.facts(wait).template(&shop(), &text()).await.unwrap(), None);
}

#[tokio::test]
async fn what_a_contact_said_last_is_known_by_category() {
    let mut log = Log::new();
    let agree = |category| contact::What::OptIn { category, source: "till".into(), shown: "Sim".into() };
    let stop = contact::What::OptOut { category: Category::Utility, source: "till".into() };
    let said = [contact::What::Meet, agree(Category::Marketing), agree(Category::Utility), stop];
    let said = said.map(|what| (contact::Command { customer: "BR.1".into(), what }, T0));
    log.decide::<Contact>("contact:BR.1", said).await;
    let facts = log.facts(Duration::from_secs(5));
    let tenant = shop();
    let agreed = |category| facts.agreed(&tenant, "BR.1", category);
    assert_eq!(agreed(Category::Marketing).await.unwrap(), Some(true));
    assert_eq!(agreed(Category::Utility).await.unwrap(), Some(false));
    assert_eq!(agreed(Category::Authentication).await.unwrap(), None);
    assert_eq!(facts.agreed(&shop(), "BR.2", Category::Marketing).await.unwrap(), None);
    let row = log.store.get(&CONTACTS, &contact_key(&shop(), "BR.1")).await.unwrap().unwrap();
    let row = ContactRow::from_row(row).unwrap();
    assert_eq!((&*row.country, row.version), ("BR", 4));
}

fn listed() -> catalog::Event {
    let details = Details {
        title: "Café".into(),
        description: "".into(),
        availability: Availability::InStock,
        condition: Condition::New,
        link: None,
        image_links: vec![],
        brand: None,
        category: None,
        item_group: None,
    };
    let pricing = Pricing { price: Amount::new(1_990, "BRL".parse().unwrap()), sale_price: None };
    catalog::Event::ProductListed(ProductListed { sku: "CAFE".into(), details, pricing })
}

#[tokio::test]
async fn products_are_known_while_the_catalog_lists_them() {
    let mut log = Log::new();
    log.catalog(&listed()).await;
    let skus = vec!["CAFE".into(), "CHA".into(), "CAFE".into(), " ".into()];
    let list = Content::ProductList { header: None, sections: vec![Section { title: "".into(), skus }] };
    let wait = Duration::from_secs(5);
    let known = log.facts(wait).products(&shop(), &list).await.unwrap();
    assert_eq!(known.iter().map(|product| &*product.sku).collect::<Vec<_>>(), ["CAFE"]);
    assert_eq!(known[0].position, FactPosition { lane: 0, lane_seq: 1 });
    log.catalog(&catalog::Event::ProductWithdrawn(ProductWithdrawn { sku: "CAFE".into() })).await;
    assert_eq!(log.facts(wait).products(&shop(), &list).await.unwrap(), []);
}

#[tokio::test]
async fn what_was_said_a_moment_ago_is_waited_for_and_nothing_is_unknown_before() {
    let mut log = Log::new();
    let product = Content::Product { sku: "CAFE".into(), body: None };
    let behind = Facts::new(log.store.clone(), Arc::new(Ends { conversation: 1, catalog: 1 }), Duration::from_secs(5));
    let asked = tokio::spawn(async move { behind.products(&shop(), &product).await });
    tokio::task::yield_now().await;
    log.catalog(&listed()).await;
    assert_eq!(asked.await.unwrap().unwrap().len(), 1);
    let ends = Ends { conversation: 9, catalog: 9 };
    let behind = Facts::new(log.store.clone(), Arc::new(ends), Duration::from_millis(20));
    let error = behind.template(&shop(), &template_content("order_paid")).await.unwrap_err();
    assert_eq!(error.to_string(), "the latest events of conversation/0 are not here yet");
}

#[tokio::test]
async fn a_thread_is_its_customers_own_with_whichever_sender() {
    let threads = Threads::new(Log::new().facts(Duration::ZERO));
    let customer =
        Principal { kind: PrincipalKind::Person, id: "BR.1".into(), tenant: None, roles: vec![Role::Consumer] };
    let input = ThreadInput::Send { message: "m-1".into(), content: text() };
    let owns = |key: &str| threads.owns(&customer, &AggregateId::new("thread", key).unwrap(), &input);
    assert!(owns("main/BR.1") && owns("other/BR.1"));
    assert!(!owns("main/BR.2") && !owns("BR.1") && !owns("BR.1/BR.2") && !owns("main/BR.11"));
}
