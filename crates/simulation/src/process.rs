//! One process of the platform: all five services, what follows from their events, and a place on the network.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use feira_event_log::EventLog;
use feira_event_log::simulated::Cluster;
use feira_projection_store::Store;
use feira_runtime::pace::Simulant;
use feira_runtime::{
    Commands, LogHeads, Options, ProcessManager, ProcessOptions, Processes, Projection, RemoteCommands, Running,
    Service, ServiceHost, StartError, Watchdog,
};
use tokio::sync::Notify;

use crate::network::Network;
use crate::services::{SERVICES, names};
use crate::store::SlowStore;

/// A step takes so long at most.
const SLOWEST: Duration = Duration::from_millis(40);
/// Nothing is stuck in a simulation but by the simulation's own will.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a process waits before it tries to start again.
const AGAIN: Duration = Duration::from_millis(200);

/// What all processes share.
#[derive(Clone)]
pub struct Ground {
    /// The log's cluster.
    pub cluster: Arc<Cluster>,
    /// The store.
    pub store: Arc<SlowStore>,
    /// The network.
    pub network: Arc<Network>,
}

impl Ground {
    /// The way to whoever owns a lane, by the log as `process` has it.
    pub fn commands(&self, process: &str) -> RemoteCommands {
        let network = self.network.clone();
        let commands =
            RemoteCommands::over(self.cluster.process(process), &names(), move |address| network.dial(address));
        commands.expect("the cluster was made with the services")
    }
}

/// A process that was started and not killed since.
pub struct Process {
    /// Its tasks.
    pub simulant: Arc<Simulant>,
    up: Arc<AtomicBool>,
    end: Arc<Notify>,
    ended: Arc<AtomicBool>,
}

impl Process {
    /// Starts it.
    pub fn start(name: &'static str, ground: &Ground) -> Self {
        let simulant = Simulant::new(SLOWEST);
        let (up, end, ended) = (Arc::<AtomicBool>::default(), Arc::<Notify>::default(), Arc::<AtomicBool>::default());
        let life = live(name, ground.clone(), simulant.clone(), up.clone(), end.clone(), ended.clone());
        simulant.spawn(life);
        Self { simulant, up, end, ended }
    }

    /// Whether all of it runs.
    pub fn is_up(&self) -> bool {
        self.up.load(Ordering::SeqCst)
    }

    /// Asks it to end in good order.
    pub fn ask_to_end(&self) {
        self.up.store(false, Ordering::SeqCst);
        self.end.notify_one();
    }

    /// Whether it has ended in good order.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }
}

async fn live(
    name: &'static str,
    ground: Ground,
    simulant: Arc<Simulant>,
    up: Arc<AtomicBool>,
    end: Arc<Notify>,
    ended: Arc<AtomicBool>,
) {
    let log = ground.cluster.process(name);
    let mut running = Vec::new();
    while running.len() < SERVICES.len() {
        // Until log and store let it.
        match serve(running.len(), name, ground.clone(), log.clone()).await {
            Ok(started) => running.push(started),
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
    ground.network.open(name, &simulant, running.iter().map(Running::intake).collect());
    let commands: Arc<dyn Commands> = Arc::new(ground.commands(name));
    let mut processes = Vec::new();
    while processes.len() < SERVICES.len() {
        let (_, _, managers) = plan(processes.len(), &ground, &log);
        let (commands, store) = (commands.clone(), ground.store.clone());
        match Processes::start(managers, commands, log.clone(), store, ProcessOptions::default()).await {
            Ok(started) => processes.push(started),
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
    up.store(true, Ordering::SeqCst);
    end.notified().await;
    for processes in &processes {
        processes.shutdown().await;
    }
    for running in running {
        running.shutdown().await;
    }
    ground.network.close(name);
    ended.store(true, Ordering::SeqCst);
}

async fn serve(
    place: usize,
    name: &'static str,
    ground: Ground,
    log: Arc<dyn EventLog>,
) -> Result<Running, StartError> {
    let (host, projections, _) = plan(place, &ground, &log);
    let options = Options {
        // Small, so that what is rare elsewhere happens here all the time.
        batch_max: 8,
        cache_aggregates: 4,
        recent_commands: 16,
        recent_answers: 4,
        flush_records: 9,
        flush_idle: Duration::from_millis(80),
        watchdog: Watchdog { patience: NEVER, ..Watchdog::default() },
        ..Options::default()
    };
    Service::start(host, projections, log, ground.store.clone(), &folder(name), name, options).await
}

/// Where the process called `name` keeps its snapshots.
pub fn folder(name: &str) -> PathBuf {
    Path::new("simulated").join(name)
}

type Plan = (ServiceHost, Vec<Arc<dyn Projection>>, Vec<Arc<dyn ProcessManager>>);

fn plan(place: usize, ground: &Ground, log: &Arc<dyn EventLog>) -> Plan {
    let store: Arc<dyn Store> = ground.store.clone();
    let heads = Arc::new(LogHeads::new(log.clone()));
    match place {
        0 => (feira_catalog_server::host(), feira_catalog_server::projections(), feira_catalog_server::processes()),
        1 => (feira_payments_server::host(), feira_payments_server::projections(), feira_payments_server::processes()),
        2 => (
            feira_conversation_server::host(store, heads, feira_conversation_server::CATCH_UP),
            feira_conversation_server::projections(),
            feira_conversation_server::processes(),
        ),
        3 => (
            feira_cart_server::host(store, heads, feira_cart_server::CATCH_UP),
            feira_cart_server::projections(),
            feira_cart_server::processes(),
        ),
        _ => (
            feira_billing_server::host(store, heads, feira_billing_server::CATCH_UP),
            feira_billing_server::projections(),
            feira_billing_server::processes(),
        ),
    }
}
