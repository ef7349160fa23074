//! A shop that runs on a home's log, and the commands that are sent to it.

use std::sync::Arc;
use std::time::Duration;

use feira_commands::cart::Input;
use feira_event_log::EventLog;
use feira_ids::{AggregateId, CommandId, Fingerprint, Principal, PrincipalKind, Role, TenantId};
use feira_projection_store::ModelStore;

use super::Home;
use super::basket::{Baskets, View};
use crate::clock::wall_ms;
use crate::{Accepted, Answer, Command, Commands, LocalCommands, Options, Running, Service, ServiceHost};

/// A service of baskets that runs.
pub struct Shop {
    /// The service.
    pub running: Running,
    /// The way to it.
    pub commands: LocalCommands,
    /// The shell of its domain.
    pub baskets: Baskets,
    /// The log it runs on.
    pub log: Arc<dyn EventLog>,
}

impl Shop {
    /// Starts the service and waits until it serves.
    pub async fn open(home: &dyn Home, options: Options) -> Self {
        let shop = Self::start(home.open(), home, options).await;
        assert!(shop.running.wait_ready(home.patience()).await, "not ready in time: {:?}", shop.running.ready());
        shop
    }

    /// Starts the service with `host` in place of baskets, and waits until it serves.
    pub async fn open_hosting(home: &dyn Home, options: Options, host: ServiceHost) -> Self {
        let shop = Self::start_hosting(home.open(), home, options, "local", host, Baskets::default()).await;
        assert!(shop.running.wait_ready(home.patience()).await, "not ready in time: {:?}", shop.running.ready());
        shop
    }

    /// Starts the service; it takes commands of its own process alone.
    pub async fn start(log: Arc<dyn EventLog>, home: &dyn Home, options: Options) -> Self {
        Self::start_at(log, home, options, "local").await
    }

    /// Starts the service, announced at `address`.
    pub async fn start_at(log: Arc<dyn EventLog>, home: &dyn Home, options: Options, address: &str) -> Self {
        let baskets = Baskets::default();
        let host = ServiceHost::builder("cart").host(baskets.clone()).build();
        Self::start_hosting(log, home, options, address, host, baskets).await
    }

    async fn start_hosting(
        log: Arc<dyn EventLog>,
        home: &dyn Home,
        options: Options,
        address: &str,
        host: ServiceHost,
        baskets: Baskets,
    ) -> Self {
        let store = Arc::new(ModelStore::new());
        let running = Service::start(host, vec![], log.clone(), store, &home.folder(), address, options)
            .await
            .expect("the service starts");
        let commands = LocalCommands::new([running.intake()]);
        Self { running, commands, baskets, log }
    }

    /// Ends the service and lets go of the log.
    pub async fn close(self) {
        self.running.shutdown().await;
    }

    /// Sends a command as a client would.
    pub async fn ask(&self, command: Command) -> Answer {
        self.commands.ask(command).await
    }

    /// Adds units to a basket under an idempotency key.
    pub async fn add(&self, basket: &str, sku: &str, quantity: i32, key: &str) -> Answer {
        self.ask(command(basket, Input::AddItem { sku: sku.into(), quantity }, key)).await
    }
}

/// The one business of the suite.
pub fn tenant() -> TenantId {
    TenantId::new("feira-livre").expect("a well formed id")
}

/// A command to a basket, as an administrator sends it.
pub fn command(basket: &str, input: Input, key: &str) -> Command {
    command_of(&tenant(), basket, input, key)
}

/// A command to a basket of another business.
pub fn command_of(tenant: &TenantId, basket: &str, input: Input, key: &str) -> Command {
    let (kind, roles) = (PrincipalKind::Member, vec![Role::Admin]);
    let principal = Principal { kind, id: "rosa".into(), tenant: Some(tenant.clone()), roles };
    let operation = input.operation();
    let command_id = CommandId::derive(tenant, &principal.to_string(), operation, key);
    let input = serde_json::to_vec(&input).expect("an input is JSON");
    Command {
        tenant: tenant.clone(),
        principal,
        aggregate: AggregateId::new("cart", basket).expect("a well formed key"),
        operation: operation.into(),
        version: 1,
        command_id,
        fingerprint: Fingerprint::of(operation, &input),
        expected_version: None,
        deadline_ms: wall_ms() + 30_000,
        clock_offset_ms: 0,
        wants_view: true,
        causation_id: command_id.0,
        correlation_id: command_id.0,
        traceparent: None,
        input: input.into(),
    }
}

/// What was accepted.
///
/// # Panics
/// When it was not.
#[track_caller]
pub fn accepted(answer: Answer) -> Accepted {
    match answer {
        Answer::Accepted(accepted) => accepted,
        other => panic!("expected it to be accepted, not {other:?}"),
    }
}

/// The basket in an answer.
#[track_caller]
pub fn view(accepted: &Accepted) -> View {
    serde_json::from_slice(&accepted.view).expect("a view is JSON")
}

/// Runs a rule on threads of its own, and no longer than the home's patience allows.
#[track_caller]
pub fn run<T>(home: &dyn Home, rule: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    let runtime = runtime.expect("threads can be started");
    let limit = home.patience() * 3;
    let done = runtime.block_on(async { tokio::time::timeout(limit, rule).await });
    runtime.shutdown_timeout(Duration::from_secs(5));
    done.expect("the rule was seen through in time")
}
