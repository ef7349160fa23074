//! The whole on lanes: what others' logs say is entered by the process, drafted, issued, and stands after a restart.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use feira_billing_server::{SERVICE, host, projections};
use feira_codec::EventSet;
use feira_commands::billing::{InvoiceInput, InvoicesView, SERIES};
use feira_event_log::simulated::Cluster;
use feira_event_log::{EventLog, LaneWriter, NewRecord, Resume};
use feira_events::conversation;
use feira_ids::{CommandId, Fingerprint, ServiceName};
use feira_projection_store::{ModelStore, Store};
use feira_runtime::suite::Turned;
use feira_runtime::{Answer, Commands, LocalCommands, LogHeads, Options, ProcessOptions, Processes, Running, Service};

use super::{GRACE_MS, PERIOD, captured, command, delivered, meta, noon, november, shop};

/// Billing in this process, and what follows from others' events.
struct Platform {
    running: Running,
    processes: Processes,
    commands: Arc<LocalCommands>,
}

impl Platform {
    async fn start(log: Arc<dyn EventLog>, store: Arc<dyn Store>, folder: &Path, clock: Arc<Turned>) -> Self {
        let hosted = host(store.clone(), Arc::new(LogHeads::new(log.clone())), Duration::from_secs(30));
        let options = Options { clock: clock.clone(), ..Options::default() };
        let running =
            Service::start(hosted, projections(), log.clone(), store.clone(), folder, "local", options).await.unwrap();
        assert!(running.wait_ready(Duration::from_secs(30)).await);
        let commands = Arc::new(LocalCommands::new([running.intake()]));
        let options = ProcessOptions { clock, ..ProcessOptions::default() };
        let processes = Processes::start(feira_billing_server::processes(), commands.clone(), log, store, options);
        Self { running, processes: processes.await.unwrap(), commands }
    }

    async fn stop(self) {
        self.processes.shutdown().await;
        self.running.shutdown().await;
    }

    /// Waits until everything that others' logs say is entered.
    async fn followed(&self, log: &dyn EventLog) {
        let began = Instant::now();
        let done = || {
            let states = self.processes.states();
            states.iter().all(|state| state.caught_up && state.at == log.last_seq(&state.lane).unwrap())
        };
        while !done() {
            assert!(began.elapsed() < Duration::from_secs(30), "{:?}", self.processes.states());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn ask(&self, input: &InvoiceInput, key: &str) -> Answer {
        let mut asked = command(&format!("invoice:{SERIES}"), input);
        asked.operation = input.operation().into();
        asked.command_id = CommandId::derive(&shop(), "member:bia", input.operation(), key);
        asked.fingerprint = Fingerprint::of(input.operation(), &asked.input);
        self.commands.ask(asked).await
    }
}

fn view(answer: Answer) -> InvoicesView {
    match answer {
        Answer::Accepted(accepted) => serde_json::from_slice(&accepted.view).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn code(answer: Answer) -> Arc<str> {
    match answer {
        Answer::Refused { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

/// Another service's lane, as its owner writes it.
struct Source {
    writer: Box<dyn LaneWriter>,
    term: u64,
    seq: i64,
}

impl Source {
    fn take(log: &dyn EventLog, service: &str) -> Self {
        let membership = log.join(&ServiceName::new(service), "local").unwrap();
        while !membership.assignment(0, Duration::from_secs(1)).lanes.contains(&0) {}
        let taken = membership.take(0, Resume::START, &mut |_| Ok(()), &|| false).unwrap();
        Self { writer: taken.writer, term: taken.term, seq: 0 }
    }

    fn say(&mut self, event: &impl EventSet, aggregate: &str) {
        self.seq += 1;
        let mut meta = meta(aggregate, 0, self.seq, self.seq);
        meta.term = self.term as i64;
        let value = feira_codec::frame(&meta, &event.encode_body().unwrap()).unwrap();
        let event_type = event.name();
        self.writer.append(&[NewRecord { meta, event_type, value }], None).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_and_captures_on_others_logs_are_invoiced_once_and_stand_after_a_restart() {
    let names = [("conversation", 1), ("payments", 1), (SERVICE, 2)];
    let cluster = Cluster::new(&names.map(|(name, lanes)| (ServiceName::new(name), lanes)));
    let others = cluster.process("others");
    let mut conversation = Source::take(others.as_ref(), "conversation");
    let mut payments = Source::take(others.as_ref(), "payments");
    let free = delivered("m-1", "BR", conversation::Class::Free, conversation::Category::Service);
    let charged = delivered("m-2", "BR", conversation::Class::Charged, conversation::Category::Utility);
    conversation.say(&free, "thread:main/BR.1");
    conversation.say(&charged, "thread:main/BR.1");
    payments.say(&captured("o-1", 10_000, 399, 3_990_000), "shard:0");

    let log = cluster.process("billing");
    let (store, folder) = (Arc::new(ModelStore::new()), tempfile::tempdir().unwrap());
    let clock = Arc::new(Turned::at_ms(noon()));
    let platform = Platform::start(log.clone(), store.clone(), folder.path(), clock.clone()).await;
    platform.followed(log.as_ref()).await;
    let (draft, issue) = (InvoiceInput::Draft { period: PERIOD.into() }, InvoiceInput::Issue { period: PERIOD.into() });
    let drafted = view(platform.ask(&draft, "k1").await).latest.unwrap();
    let totals: Vec<_> =
        drafted.document.totals.iter().map(|total| (total.due.to_string(), total.collected.to_string())).collect();
    let expected = [("0.00 BRL", "3.99 BRL"), ("0.01 USD", "0.00 USD")];
    assert_eq!(totals, expected.map(|(due, collected)| (due.to_owned(), collected.to_owned())));
    assert_eq!((drafted.number, drafted.document.usage.count), (None, 3));
    assert_eq!(&*code(platform.ask(&issue, "k2").await), "PERIOD_NOT_OVER");

    // More comes before the month is over: the draft does not cover it.
    conversation.say(&charged, "thread:main/BR.1");
    platform.followed(log.as_ref()).await;
    clock.turn_ms(november().until() + GRACE_MS - noon());
    assert_eq!(&*code(platform.ask(&issue, "k3").await), "DRAFT_STALE");
    assert_eq!(view(platform.ask(&draft, "k4").await).latest.unwrap().document.usage.count, 4);
    let issued = view(platform.ask(&issue, "k5").await);
    assert_eq!((issued.issued, issued.latest.as_ref().unwrap().number), (1, Some(1)));
    platform.stop().await;

    // Another process, which has to ask everything again.
    let (store, folder) = (Arc::new(ModelStore::new()), tempfile::tempdir().unwrap());
    let platform = Platform::start(log.clone(), store, folder.path(), clock).await;
    platform.followed(log.as_ref()).await;
    assert_eq!(view(platform.ask(&issue, "k5").await), issued);
    assert_eq!(view(platform.ask(&issue, "k6").await), issued);
    assert_eq!(&*code(platform.ask(&draft, "k7").await), "ALREADY_ISSUED");
    platform.stop().await;
}
