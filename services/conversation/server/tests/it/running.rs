//! A morning of a business in the running service: from its registration to a message that is charged.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use feira_commands::conversation::{
    BusinessInput, ReceiptStatus, SenderInput, TemplateInput, ThreadInput, ThreadView, default_policy,
};
use feira_conversation_server::{CATALOG, SERVICE, host, processes, projections};
use feira_event_log::simulated::Cluster;
use feira_events::Sealed;
use feira_events::conversation::{Category, Channel, Class, ClassReason, Content, Profile};
use feira_ids::{AggregateId, CommandId, Fingerprint, Principal, PrincipalKind, Role, ServiceName, TenantId};
use feira_projection_store::{ModelStore, Store};
use feira_rows::conversation::{CONTACTS, ContactRow, contact_key};
use feira_runtime::{
    Answer, Clocks, Command, Commands, LocalCommands, LogHeads, Options, ProcessOptions, Processes, Running, Service,
};
use serde::Serialize;
use tempfile::TempDir;

const HOUR: i64 = 60 * 60 * 1_000;
const PATIENCE: Duration = Duration::from_secs(20);

struct Market {
    store: Arc<ModelStore>,
    running: Running,
    processes: Processes,
    commands: LocalCommands,
    clocks: Clocks,
    _folder: TempDir,
}

impl Market {
    async fn open() -> Self {
        let cluster = Cluster::new(&[(ServiceName::new(SERVICE), 4), (ServiceName::new(CATALOG), 1)]);
        let log = cluster.process("one");
        let store = Arc::new(ModelStore::new());
        let folder = tempfile::tempdir().unwrap();
        let host = host(store.clone(), Arc::new(LogHeads::new(log.clone())), Duration::from_secs(5));
        let options = Options::default();
        let running = Service::start(host, projections(), log.clone(), store.clone(), folder.path(), "local", options);
        let running = running.await.unwrap();
        assert!(running.wait_ready(PATIENCE).await);
        let commands = LocalCommands::new([running.intake()]);
        let (options, asked) = (ProcessOptions::default(), Arc::new(commands.clone()));
        let processes = Processes::start(processes(), asked, log, store.clone(), options).await.unwrap();
        let clocks = Clocks::new(store.clone());
        Self { store, running, processes, commands, clocks, _folder: folder }
    }

    async fn ask(&self, role: Role, who: &str, aggregate: &str, operation: &str, input: &impl Serialize) -> Answer {
        let (tenant, input) = (TenantId::new("feira-livre").unwrap(), Bytes::from(serde_json::to_vec(input).unwrap()));
        let kind = if role == Role::Consumer { PrincipalKind::Person } else { PrincipalKind::Member };
        let principal = Principal { kind, id: who.into(), tenant: Some(tenant.clone()), roles: vec![role] };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
        // Every input of the test is another, so it can be its own key.
        let key = format!("{aggregate} {}", String::from_utf8_lossy(&input));
        let command_id = CommandId::derive(&tenant, &principal.to_string(), operation, &key);
        let command = Command {
            clock_offset_ms: self.clocks.offset_ms(&tenant).await.unwrap(),
            wants_view: true,
            tenant,
            principal,
            aggregate: AggregateId::parse(aggregate).unwrap(),
            operation: operation.into(),
            version: 1,
            command_id,
            fingerprint: Fingerprint::of(operation, &input),
            expected_version: None,
            deadline_ms: now + 10_000,
            causation_id: command_id.0,
            correlation_id: command_id.0,
            traceparent: None,
            input,
        };
        self.commands.ask(command).await
    }

    async fn thread(&self, role: Role, who: &str, input: &ThreadInput) -> Answer {
        self.ask(role, who, "thread:main/BR.1", input.operation(), input).await
    }

    async fn close(self) {
        self.processes.shutdown().await;
        self.running.shutdown().await;
    }
}

fn accepted(answer: Answer) -> Bytes {
    match answer {
        Answer::Accepted(accepted) => accepted.view,
        other => panic!("{other:?}"),
    }
}

fn thread(answer: Answer) -> ThreadView {
    serde_json::from_slice(&accepted(answer)).unwrap()
}

fn refused(answer: Answer) -> (String, String) {
    match answer {
        Answer::Refused { code, message, .. } => (code.to_string(), message.to_string()),
        other => panic!("{other:?}"),
    }
}

fn text() -> Content {
    Content::Text { body: Sealed::from_parts("feira-livre/BR.1".into(), [7; 12], vec![9; 30]) }
}

fn send(message: &str, content: Content) -> ThreadInput {
    ThreadInput::Send { message: message.into(), content }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_business_answers_free_inside_the_window_and_pays_for_a_template_after_it() {
    let market = Market::open().await;
    let register = BusinessInput::Register {
        name: "Feira Livre".into(),
        profile: Profile::default(),
        country: "BR".into(),
        sandbox: true,
    };
    accepted(market.ask(Role::Admin, "bia", "business:main", register.operation(), &register).await);
    // Each knows at once what was said a moment ago on another lane.
    let open = SenderInput::Open { display_name: "Feira Livre".into(), channel: Channel::Chat };
    accepted(market.ask(Role::Admin, "bia", "sender:main", open.operation(), &open).await);
    let create = TemplateInput::Create { category: Category::Utility, body: "Seu pedido chegou.".into() };
    accepted(market.ask(Role::Admin, "bia", "template:here.pt_BR", create.operation(), &create).await);

    let write = ThreadInput::Receive { message: "c-1".into(), content: text(), referral: None, sent_at: None };
    assert_eq!(market.thread(Role::Consumer, "BR.2", &write).await, Answer::Forbidden);
    let view = thread(market.thread(Role::Consumer, "BR.1", &write).await);
    assert_eq!((view.messages, &*view.country), (1, "BR"));
    let until = view.windows.window_until.unwrap();
    let told = default_policy().class(&view.windows, Category::Service, until - 1).unwrap();
    assert_eq!((told.class, told.reason), (Class::Free, ClassReason::InWindow));
    assert_eq!(market.thread(Role::Consumer, "BR.1", &send("c-2", text())).await, Answer::Forbidden);
    let view = thread(market.thread(Role::Agent, "bia", &send("b-1", text())).await);
    assert_eq!(view.message.unwrap().stamps.unwrap().class, Class::Free);
    let unknown = send("b-2", Content::Product { sku: "CAFE".into(), body: None });
    assert_eq!(refused(market.thread(Role::Agent, "bia", &unknown).await).0, "PRODUCT_UNKNOWN");

    // A day and an hour later only the template goes, and is charged.
    let later = BusinessInput::MoveClock { by_ms: Some(25 * HOUR), to: None };
    accepted(market.ask(Role::Admin, "bia", "business:main", later.operation(), &later).await);
    let tenant = TenantId::new("feira-livre").unwrap();
    let began = Instant::now();
    while market.clocks.offset_ms(&tenant).await.unwrap() == 0 {
        assert!(began.elapsed() < PATIENCE, "the clock was not moved");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let (code, message) = refused(market.thread(Role::Agent, "bia", &send("b-3", text())).await);
    assert_eq!(code, "WINDOW_CLOSED");
    assert!(message.starts_with("131047: the service window closed at 20"), "{message}");
    let template =
        Content::Template { name: "here".into(), language: "pt_BR".into(), variables: None, variables_count: 0 };
    let view = thread(market.thread(Role::Agent, "bia", &send("b-4", template)).await);
    let stamps = view.message.unwrap().stamps.unwrap();
    assert_eq!((stamps.class, stamps.reason, &*stamps.policy), (Class::Charged, ClassReason::Template, "feira-1"));
    let receipt = ThreadInput::Receipt { message: "b-4".into(), status: ReceiptStatus::Read, at: None, code: None };
    match market.thread(Role::Consumer, "BR.1", &receipt).await {
        Answer::Accepted(accepted) => {
            let types: Vec<_> = accepted.events.iter().map(|event| &*event.event_type).collect();
            let names = ["feira.conversation.v1.MessageDelivered", "feira.conversation.v1.MessageRead"];
            assert_eq!(types, names);
        }
        other => panic!("{other:?}"),
    }

    // The customer has become a contact.
    let began = Instant::now();
    let contact = loop {
        if let Some(row) = market.store.get(&CONTACTS, &contact_key(&tenant, "BR.1")).await.unwrap() {
            break ContactRow::from_row(row).unwrap();
        }
        assert!(began.elapsed() < PATIENCE, "no contact came about");
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    assert_eq!((&*contact.country, contact.version), ("BR", 1));
    market.close().await;
}
