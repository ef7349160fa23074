//! The services as a home runs them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use feira_event_log::EventLog;
use feira_ids::ServiceName;
use feira_projection_store::Store;
use feira_runtime::{
    Commands, Intake, LogHeads, Options, ProcessManager, ProcessOptions, Processes, Projection, Running, Service,
    ServiceHost,
};
use feira_verify::Parts;

use crate::failure::Failure;
use crate::health::waits_for;
use crate::home::Home;

/// All services that have lanes.
pub const NAMES: [&str; 5] = [
    feira_catalog_server::SERVICE,
    feira_cart_server::SERVICE,
    feira_conversation_server::SERVICE,
    feira_payments_server::SERVICE,
    feira_billing_server::SERVICE,
];

/// The process that enters usage.
const USAGE: &str = "usage";

/// A service, ready to be started.
pub struct Plan {
    name: &'static str,
    host: ServiceHost,
    projections: Vec<Arc<dyn Projection>>,
    processes: Vec<Arc<dyn ProcessManager>>,
}

/// The catalog.
pub fn catalog() -> Plan {
    Plan {
        name: feira_catalog_server::SERVICE,
        host: feira_catalog_server::host(),
        projections: feira_catalog_server::projections(),
        processes: feira_catalog_server::processes(),
    }
}

/// Carts and orders.
pub fn cart(home: &Home, catch_up: Duration) -> Plan {
    Plan {
        name: feira_cart_server::SERVICE,
        host: feira_cart_server::host(home.store.clone(), Arc::new(LogHeads::new(home.log.clone())), catch_up),
        projections: feira_cart_server::projections(),
        processes: feira_cart_server::processes(),
    }
}

/// Conversations.
pub fn conversation(home: &Home, catch_up: Duration) -> Plan {
    Plan {
        name: feira_conversation_server::SERVICE,
        host: feira_conversation_server::host(home.store.clone(), Arc::new(LogHeads::new(home.log.clone())), catch_up),
        projections: feira_conversation_server::projections(),
        processes: feira_conversation_server::processes(),
    }
}

/// Payments.
pub fn payments() -> Plan {
    Plan {
        name: feira_payments_server::SERVICE,
        host: feira_payments_server::host(),
        projections: feira_payments_server::projections(),
        processes: feira_payments_server::processes(),
    }
}

/// Usage and invoices.
pub fn billing(home: &Home, catch_up: Duration) -> Plan {
    Plan {
        name: feira_billing_server::SERVICE,
        host: feira_billing_server::host(home.store.clone(), Arc::new(LogHeads::new(home.log.clone())), catch_up),
        projections: feira_billing_server::projections(),
        processes: feira_billing_server::processes(),
    }
}

/// All services, as they are set where nothing is.
#[cfg(feature = "embedded")]
pub fn all(home: &Home) -> [Plan; 5] {
    [
        catalog(),
        cart(home, feira_cart_server::CATCH_UP),
        conversation(home, feira_conversation_server::CATCH_UP),
        payments(),
        billing(home, feira_billing_server::CATCH_UP),
    ]
}

/// What a verification looks at: every service's lanes and projections, billing first, which follows the others.
pub fn verified(log: Arc<dyn EventLog>, store: Arc<dyn Store>) -> Parts {
    let services = [
        feira_billing_server::SERVICE,
        feira_cart_server::SERVICE,
        feira_conversation_server::SERVICE,
        feira_payments_server::SERVICE,
        feira_catalog_server::SERVICE,
    ];
    let projections = [
        feira_catalog_server::projections(),
        feira_cart_server::projections(),
        feira_conversation_server::projections(),
        feira_payments_server::projections(),
        feira_billing_server::projections(),
    ];
    Parts {
        log,
        store,
        services: services.map(ServiceName::new).to_vec(),
        projections: projections.concat(),
        usage: Some(USAGE),
    }
}

/// How many lanes the ledger's shards stand on.
///
/// # Errors
/// When the log does not say.
pub fn payments_lanes(log: &dyn EventLog) -> Result<u32, Failure> {
    let lanes = log.lanes(&ServiceName::new(feira_payments_server::SERVICE));
    lanes.map_err(|error| Failure::because("the log does not say how many shards the ledger has", error))
}

/// A service that runs in this process.
pub struct Served {
    name: &'static str,
    intake: Intake,
    running: Mutex<Option<Running>>,
    managers: Vec<Arc<dyn ProcessManager>>,
    processes: tokio::sync::Mutex<Option<Processes>>,
}

impl Served {
    /// Starts what `plan` says, whose lanes take commands at `address`. What follows from events is not followed yet.
    pub async fn start(plan: Plan, home: &Home, address: &str) -> Result<Arc<Self>, Failure> {
        let Plan { name, host, projections, processes } = plan;
        let (log, store) = (home.log.clone(), home.store.clone());
        let started = Service::start(host, projections, log, store, &home.lanes(), address, Options::default()).await;
        let running = started.map_err(|error| Failure::because(format!("{name} did not start"), error))?;
        Ok(Arc::new(Self {
            name,
            intake: running.intake(),
            running: Mutex::new(Some(running)),
            managers: processes,
            processes: tokio::sync::Mutex::default(),
        }))
    }

    /// Follows events from now on; what follows from them is sent to `commands`.
    pub async fn follow(&self, home: &Home, commands: Arc<dyn Commands>) -> Result<(), Failure> {
        if self.managers.is_empty() {
            return Ok(());
        }
        let (managers, log, store) = (self.managers.clone(), home.log.clone(), home.store.clone());
        let started = Processes::start(managers, commands, log, store, ProcessOptions::default()).await;
        let processes =
            started.map_err(|error| Failure::because(format!("what follows in {} did not start", self.name), error))?;
        *self.processes.lock().await = Some(processes);
        Ok(())
    }

    /// What takes commands for its lanes.
    pub fn intake(&self) -> Intake {
        self.intake.clone()
    }

    /// What it still waits for, in words; nothing when it is ready.
    pub fn waits_for(&self) -> Result<(), String> {
        match &*self.running.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(running) => waits_for(self.name, &running.ready()),
            None => Err(format!("{} is stopping", self.name)),
        }
    }

    /// Leaves off following events. To be done everywhere before lanes are handed over: what is asked needs them.
    pub async fn unfollow(&self) {
        if let Some(processes) = self.processes.lock().await.take() {
            processes.shutdown().await;
        }
    }

    /// Decides what is under way and hands the lanes over.
    pub async fn shutdown(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            running.shutdown().await;
        }
    }
}

/// Ends services: first what follows from events, then the lanes.
pub async fn shutdown(served: &[Arc<Served>]) {
    futures::future::join_all(served.iter().map(|served| served.unfollow())).await;
    futures::future::join_all(served.iter().map(|served| served.shutdown())).await;
}
