//! A business with one customer on a log of its own, and the service that takes its messages.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use feira_bench::{Latencies, Round};
use feira_commands::conversation::{BusinessInput, SenderInput, ThreadInput, ThreadView};
use feira_conversation_server::{CATALOG, SERVICE, host, projections};
use feira_event_log::{EventLog, Resume};
use feira_event_log_embedded::{EmbeddedLog, Options as LogOptions};
use feira_events::conversation::{Channel, Content, Profile};
use feira_events::{Meta, Sealed};
use feira_ids::{AggregateId, CommandId, Fingerprint, LaneId, Principal, PrincipalKind, Role, ServiceName, TenantId};
use feira_projection_store::ModelStore;
use feira_runtime::{Answer, Command, Commands, LocalCommands, LogHeads, Options, Projection, Running, Service};
use serde::Serialize;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::history;

/// The customer, as the business knows them.
pub const CUSTOMER: &str = "BR.1";
const THREAD: &str = "thread:main/BR.1";
/// How long the takeover of a long log may take.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// A message's words, sealed.
pub fn text() -> Content {
    Content::Text { body: Sealed::from_parts("feira-livre/BR.1".into(), [7; 12], vec![9; 80]) }
}

/// The service, and whom it serves.
pub struct Market {
    /// How long it took to be ready on the whole thread.
    pub taken_over: Duration,
    /// How much the log takes on the disk.
    pub log_mib: u64,
    runtime: Runtime,
    log: Arc<dyn EventLog>,
    running: Running,
    commands: LocalCommands,
    messages: AtomicU64,
    _folder: TempDir,
}

impl Market {
    /// A thread of `messages`, and the service that took it over.
    pub fn open(messages: u64) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
        let store = Arc::new(ModelStore::new());
        runtime.block_on(begin(folder.path(), store.clone(), messages));
        // The rows that sending needs are there; those of the history are not what is measured.
        let began = Instant::now();
        let log = open_log(folder.path());
        let (running, commands) = runtime.block_on(serve(log.clone(), vec![], store, &folder.path().join("lanes")));
        let taken_over = began.elapsed();
        let log_mib = mib_in(&folder.path().join("log"));
        let messages = AtomicU64::new(messages);
        Self { taken_over, log_mib, runtime, log, running, commands, messages, _folder: folder }
    }

    /// Sends messages, so many at once, until `turn` is over.
    pub fn send(&self, at_once: usize, turn: Duration) -> Round {
        let before = self.log.last_seq(&lane()).expect("the lane is there");
        let round = self.runtime.block_on(async {
            let began = Instant::now();
            let sending = (0..at_once).map(|_| async {
                let mut latencies = Latencies::default();
                while began.elapsed() < turn {
                    let number = self.messages.fetch_add(1, Ordering::Relaxed) + 1;
                    let input = ThreadInput::Send { message: format!("more-{number}").into(), content: text() };
                    let command = command(Role::Agent, THREAD, input.operation(), &input);
                    let asked = Instant::now();
                    let view = accepted(self.commands.ask(command).await);
                    latencies.record(asked.elapsed());
                    let view: ThreadView = serde_json::from_slice(&view).expect("a view is JSON");
                    assert!(view.messages >= 1, "the thread has messages");
                }
                latencies
            });
            Round::side_by_side(futures::future::join_all(sending).await, began.elapsed())
        });
        let after = self.log.last_seq(&lane()).expect("the lane is there");
        assert_eq!(after - before, round.count, "each message is on the log");
        round
    }

    /// Ends it.
    pub fn close(self) {
        self.runtime.block_on(self.running.shutdown());
    }
}

fn lane() -> LaneId {
    LaneId::new(&ServiceName::new(SERVICE), 0)
}

fn open_log(folder: &Path) -> Arc<dyn EventLog> {
    let services = [(ServiceName::new(SERVICE), 1), (ServiceName::new(CATALOG), 1)];
    EmbeddedLog::open(&folder.join("log"), &services, LogOptions::default()).expect("the log can be opened")
}

async fn serve(
    log: Arc<dyn EventLog>,
    projections: Vec<Arc<dyn Projection>>,
    store: Arc<ModelStore>,
    folder: &Path,
) -> (Running, LocalCommands) {
    let host = host(store.clone(), Arc::new(LogHeads::new(log.clone())), Duration::from_secs(5));
    let running = Service::start(host, projections, log, store, folder, "local", Options::default());
    let running = running.await.expect("the service starts");
    assert!(running.wait_ready(PATIENCE).await, "not ready in time: {:?}", running.ready());
    let commands = LocalCommands::new([running.intake()]);
    (running, commands)
}

/// Registers the business, lets the customer write first, and makes the thread as long as it should be.
async fn begin(folder: &Path, store: Arc<ModelStore>, messages: u64) {
    let log = open_log(folder);
    // What this owner writes down beside the log goes with it: the next one has nothing.
    let lanes = tempfile::tempdir_in(folder).expect("a folder can be made");
    let (running, commands) = serve(log.clone(), projections(), store.clone(), lanes.path()).await;
    let ask = async |role, aggregate: &str, operation, input: Bytes| {
        accepted(commands.ask(command_of(role, aggregate, operation, input)).await)
    };
    let (name, country) = ("Feira Livre".into(), "BR".into());
    let register = BusinessInput::Register { name, profile: Profile::default(), country, sandbox: true };
    ask(Role::Admin, "business:main", register.operation(), json(&register)).await;
    let open = SenderInput::Open { display_name: "Feira Livre".into(), channel: Channel::Chat };
    ask(Role::Admin, "sender:main", open.operation(), json(&open)).await;
    let write = ThreadInput::Receive { message: "first".into(), content: text(), referral: None, sent_at: None };
    let view = ask(Role::Consumer, THREAD, write.operation(), json(&write)).await;
    let view: ThreadView = serde_json::from_slice(&view).expect("a view is JSON");
    assert_eq!(view.messages, 1);
    running.shutdown().await;
    let last = last(&*log);
    tokio::task::spawn_blocking(move || history::append(&*log, &last, view.windows, 1, messages))
        .await
        .expect("the history is written");
}

/// The envelope of the lane's last event.
fn last(log: &dyn EventLog) -> Meta {
    let last = log.last_seq(&lane()).expect("the lane is there");
    let resume = Resume { next_seq: last, ..Resume::START };
    let mut reader = log.reader(&lane(), resume).expect("the lane can be read");
    let records = reader.read(1, Duration::ZERO).expect("the lane can be read");
    feira_codec::decode_meta(&records.first().expect("it has a last record").value).expect("as written")
}

fn json(input: &impl Serialize) -> Bytes {
    serde_json::to_vec(input).expect("an input is JSON").into()
}

fn command(role: Role, aggregate: &str, operation: &'static str, input: &impl Serialize) -> Command {
    command_of(role, aggregate, operation, json(input))
}

fn command_of(role: Role, aggregate: &str, operation: &'static str, input: Bytes) -> Command {
    let tenant = TenantId::new("feira-livre").expect("a business");
    let (kind, id) = match role {
        Role::Consumer => (PrincipalKind::Person, CUSTOMER),
        _ => (PrincipalKind::Member, "bia"),
    };
    let principal = Principal { kind, id: id.into(), tenant: Some(tenant.clone()), roles: vec![role] };
    // Every input is another, so it can be its own key.
    let key = format!("{aggregate} {}", String::from_utf8_lossy(&input));
    let command_id = CommandId::derive(&tenant, &principal.to_string(), operation, &key);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_millis() as i64;
    Command {
        tenant,
        principal,
        aggregate: AggregateId::parse(aggregate).expect("a well formed id"),
        operation: operation.into(),
        version: 1,
        command_id,
        fingerprint: Fingerprint::of(operation, &input),
        expected_version: None,
        deadline_ms: now + 30_000,
        clock_offset_ms: 0,
        wants_view: true,
        causation_id: command_id.0,
        correlation_id: command_id.0,
        traceparent: None,
        input,
    }
}

fn accepted(answer: Answer) -> Bytes {
    match answer {
        Answer::Accepted(accepted) => accepted.view,
        other => panic!("{other:?}"),
    }
}

/// How much the files of a folder take.
fn mib_in(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).expect("the folder can be read");
    let bytes = files.map(|file| file.and_then(|file| file.metadata()).expect("a file can be looked at").len());
    bytes.sum::<u64>() >> 20
}
