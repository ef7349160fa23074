//! The service on the embedded log and store: a command goes through its lane into a row, and is there after a restart.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use feira___name___server::{SERVICE, host, projections};
use feira_commands::__name__::{Input, View};
use feira_event_log::EventLog;
use feira_event_log_embedded::EmbeddedLog;
use feira_ids::{AggregateId, CommandId, Fingerprint, Principal, PrincipalKind, Role, ServiceName, TenantId};
use feira_projection_store::Store;
use feira_projection_store_embedded::EmbeddedStore;
use feira_rows::__name__::{__NAME__, __Name__Row, row_key};
use feira_runtime::{Accepted, Answer, Command, Commands, LocalCommands, Options, Running, Service};

const WAIT: Duration = Duration::from_secs(30);

fn shop() -> TenantId {
    TenantId::new("feira-livre").unwrap()
}

/// The service, running in a folder.
struct House {
    log: Arc<dyn EventLog>,
    store: Arc<dyn Store>,
    running: Running,
    commands: LocalCommands,
}

impl House {
    async fn open(folder: &Path) -> Self {
        let services = [(ServiceName::new(SERVICE), 2)];
        let options = feira_event_log_embedded::Options::default();
        let log: Arc<dyn EventLog> = EmbeddedLog::open(&folder.join("log"), &services, options).unwrap();
        let store: Arc<dyn Store> = EmbeddedStore::open(folder.join("store")).unwrap();
        let (lanes, options) = (folder.join("lanes"), Options::default());
        let started =
            Service::start(host(), projections(), log.clone(), store.clone(), &lanes, "local", options).await;
        let running = started.unwrap();
        assert!(running.wait_ready(WAIT).await);
        let commands = LocalCommands::new([running.intake()]);
        Self { log, store, running, commands }
    }

    async fn ask(&self, title: &str, role: Role, key: &str) -> Answer {
        let input = Input::SetTitle { title: title.into() };
        let operation = input.operation();
        let command_id = CommandId::derive(&shop(), "member:bia", operation, key);
        let input = serde_json::to_vec(&input).unwrap();
        let command = Command {
            tenant: shop(),
            principal: Principal {
                kind: PrincipalKind::Member,
                id: "bia".into(),
                tenant: Some(shop()),
                roles: vec![role],
            },
            aggregate: AggregateId::new("__name__", "main").unwrap(),
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
        self.commands.ask(command).await
    }

    /// The row, once everything is in rows.
    async fn row(&self) -> Option<__Name__Row> {
        let written = || {
            let projections = self.running.ready().projections;
            projections.iter().all(|state| state.at == self.log.last_seq(&state.lane).unwrap())
        };
        let began = Instant::now();
        while !written() {
            assert!(began.elapsed() < WAIT);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let row = self.store.get(&__NAME__, &row_key(&shop(), "main")).await.unwrap();
        row.map(|row| __Name__Row::from_row(row).unwrap())
    }
}

fn accepted(answer: Answer) -> (Accepted, View) {
    match answer {
        Answer::Accepted(accepted) => {
            let view = serde_json::from_slice(&accepted.view).unwrap();
            (accepted, view)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_title_is_decided_once_and_read_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path()).await;
    assert_eq!(house.row().await, None);
    let (first, view) = accepted(house.ask("Feira da manhã", Role::Admin, "k-1").await);
    assert_eq!((first.repeated, view.version, view.title.as_deref()), (false, 1, Some("Feira da manhã")));
    let row = house.row().await.unwrap();
    assert_eq!((&*row.id, row.version, &*row.title), ("main", 1, "Feira da manhã"));
    house.running.shutdown().await;
    drop((house.log, house.store, house.commands));

    let house = House::open(folder.path()).await;
    let (again, _) = accepted(house.ask("Feira da manhã", Role::Admin, "k-1").await);
    assert!(again.repeated);
    let (_, view) = accepted(house.ask("Feira da noite", Role::Admin, "k-2").await);
    assert_eq!(view.version, 2);
    assert_eq!(house.row().await.map(|row| row.title).as_deref(), Some("Feira da noite"));
    house.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_set_a_title_or_sets_none_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path()).await;
    for role in [Role::Consumer, Role::Agent, Role::Analyst, Role::Operator] {
        assert!(matches!(house.ask("Feira", role, "k-1").await, Answer::Forbidden), "{role:?}");
    }
    let refused = house.ask("", Role::Admin, "k-2").await;
    assert!(matches!(&refused, Answer::Refused { code, .. } if &**code == "BAD_TITLE"), "{refused:?}");
    assert_eq!(house.row().await, None);
    house.running.shutdown().await;
}
