//! The service with its projections and processes, on a log of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use feira_commands::payments::Input;
use feira_event_log::EventLog;
use feira_event_log_embedded::EmbeddedLog;
use feira_events::payments::{Purpose, Transfer};
use feira_ids::{
    AccountId, AggregateId, CommandId, Fingerprint, Principal, PrincipalKind, Role, ServiceName, TenantId,
};
use feira_money::Amount;
use feira_payments_server::{SERVICE, host, processes, projections};
use feira_projection_store::{ModelStore, Range, Row, Store, Table, Value};
use feira_runtime::{Answer, Command, Commands, LocalCommands, Options, ProcessOptions, Processes, Running, Service};
use tempfile::TempDir;

const SHARDS: u32 = 2;

/// The service, running.
pub struct House {
    folder: TempDir,
    log: Arc<dyn EventLog>,
    pub store: Arc<ModelStore>,
    running: Running,
    processes: Option<Processes>,
    commands: Arc<LocalCommands>,
}

pub fn account(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

pub fn brl(minor: i64) -> Amount {
    Amount::new(minor, "BRL".parse().unwrap())
}

pub fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64
}

pub fn gift(n: u64, from: &str, to: &str, minor: i64) -> Transfer {
    Transfer {
        transfer: format!("{n:032x}").into(),
        from: account(from),
        to: account(to),
        amount: brl(minor),
        purpose: Purpose::Gift,
        subject: None,
        customer: None,
        note: None,
        deadline: 0,
    }
}

pub fn payment(n: u64, from: &str, to: &str, minor: i64, intent: &str) -> Transfer {
    let (subject, customer) = (Some(intent.into()), Some("BR.1".into()));
    Transfer { purpose: Purpose::Order, subject, customer, ..gift(n, from, to, minor) }
}

pub fn caller(kind: PrincipalKind, id: &str, tenant: Option<&str>, role: Role) -> Principal {
    let tenant = tenant.map(|tenant| TenantId::new(tenant).unwrap());
    Principal { kind, id: id.into(), tenant, roles: vec![role] }
}

pub fn service() -> Principal {
    caller(PrincipalKind::Service, "process-test", Some(TenantId::PLATFORM), Role::Service)
}

impl House {
    /// Accounts under the Brazilian rules, with money on them.
    pub async fn with(accounts: &[(&str, i64)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let house = Self::open(folder, Arc::new(ModelStore::new()), true).await;
        for (name, minor) in accounts {
            let open = Input::OpenAccount { account: account(name), regime: "BR-trial-2020".into() };
            assert!(matches!(house.ask(&service(), open, name).await, Answer::Accepted(_)));
            if *minor > 0 {
                let fund = Input::Fund { account: account(name), amount: brl(*minor) };
                assert!(matches!(house.ask(&service(), fund, name).await, Answer::Accepted(_)));
            }
        }
        house
    }

    async fn open(folder: TempDir, store: Arc<ModelStore>, carried: bool) -> Self {
        let services = [(ServiceName::new(SERVICE), SHARDS)];
        let log: Arc<dyn EventLog> =
            EmbeddedLog::open(&folder.path().join("log"), &services, Default::default()).unwrap();
        let lanes: &Path = &folder.path().join("lanes");
        let started =
            Service::start(host(), projections(), log.clone(), store.clone(), lanes, "local", Options::default());
        let running = started.await.unwrap();
        assert!(running.wait_ready(Duration::from_secs(30)).await);
        let commands = Arc::new(LocalCommands::new([running.intake()]));
        let processes = if carried {
            let options = ProcessOptions::default();
            let started = Processes::start(processes(), commands.clone(), log.clone(), store.clone(), options);
            Some(started.await.unwrap())
        } else {
            None
        };
        Self { folder, log, store, running, processes, commands }
    }

    /// The same without anything that carries transfers.
    pub async fn without_processes(self) -> Self {
        self.again(false).await
    }

    /// The next process on the same folder.
    pub async fn restart(self) -> Self {
        self.again(true).await
    }

    async fn again(self, carried: bool) -> Self {
        let Self { folder, log, store, running, processes, commands } = self;
        if let Some(processes) = processes {
            processes.shutdown().await;
        }
        running.shutdown().await;
        drop((commands, log));
        Self::open(folder, store, carried).await
    }

    pub async fn stop(self) {
        if let Some(processes) = self.processes {
            processes.shutdown().await;
        }
        self.running.shutdown().await;
    }

    /// Waits until nothing follows any more and all rows are written.
    pub async fn quiet(&self) {
        let began = Instant::now();
        let end = || -> Vec<u64> {
            let service = ServiceName::new(SERVICE);
            (0..SHARDS).map(|lane| self.log.last_seq(&feira_ids::LaneId::new(&service, lane)).unwrap()).collect()
        };
        let done = || {
            let states = self.processes.as_ref().unwrap().states();
            let followed = states.iter().all(|state| state.at == self.log.last_seq(&state.lane).unwrap());
            let projections = self.running.ready().projections;
            let written = projections.iter().all(|state| state.at == self.log.last_seq(&state.lane).unwrap());
            followed && written
        };
        let mut before = vec![];
        while !(done() && before == end()) {
            assert!(began.elapsed() < Duration::from_secs(60), "{:?}", self.processes.as_ref().unwrap().states());
            before = end();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn scan(&self, table: &'static Table, partition: &[Value]) -> Vec<Row> {
        let range = Range { limit: 1_000, ..Range::default() };
        self.store.scan(table, partition, range).await.unwrap().rows
    }

    /// Asks the shard that an input is for.
    pub async fn ask(&self, principal: &Principal, input: Input, key: &str) -> Answer {
        let shard = match &input {
            Input::Fund { account, .. } => account.shard(),
            Input::Credit { transfer } => transfer.to.shard(),
            Input::RequestMoney { payer, .. } => payer.shard(),
            other => other.actor().map_or(0, AccountId::shard),
        };
        let tenant = TenantId::new(TenantId::PLATFORM).unwrap();
        let operation = input.operation();
        let aggregate = AggregateId::new("shard", &shard.to_string()).unwrap();
        let command_id = CommandId::derive(&tenant, &principal.to_string(), &format!("{operation} {shard}"), key);
        let input = serde_json::to_vec(&input).unwrap();
        let command = Command {
            tenant,
            principal: principal.clone(),
            aggregate,
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
        self.commands.ask(command).await
    }
}
