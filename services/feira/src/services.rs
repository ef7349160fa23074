//! The services as a home runs them: one list, from which everything else learns which there are.

#[cfg(feature = "deployed")]
use std::net::SocketAddr;
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

/// A service that this binary can host. It is known by its entry in [`ALL`] and nowhere else.
pub struct Known {
    /// Its name in topics, in the settings and on the command line.
    pub name: &'static str,
    /// What it holds.
    pub about: &'static str,
    /// Reads its section of the settings.
    #[cfg(feature = "deployed")]
    pub seat: fn(toml::Value) -> Result<Seat, toml::de::Error>,
    /// What it hosts in a home. Where it gathers facts it waits so long for the latest, or as long as it does by itself.
    host: fn(&Home, Option<Duration>) -> ServiceHost,
    projections: fn() -> Vec<Arc<dyn Projection>>,
    processes: fn() -> Vec<Arc<dyn ProcessManager>>,
}

/// Where a service listens, and what else its section of the settings says.
#[cfg(feature = "deployed")]
#[derive(Debug)]
pub struct Seat {
    /// Where it takes commands for its lanes.
    pub listen: SocketAddr,
    /// Where others find it; none when that is where it listens.
    pub advertise: Option<String>,
    /// How long it waits for the latest facts; none for a service that gathers none.
    pub catch_up: Option<Duration>,
}

/// All services that have lanes, each after those whose events it follows: in this order they are started.
pub static ALL: &[Known] = &[
    Known {
        name: feira_catalog_server::SERVICE,
        about: "Products and their stock",
        #[cfg(feature = "deployed")]
        seat: |section| {
            let config: feira_catalog_server::Config = section.try_into()?;
            Ok(Seat { listen: config.listen, advertise: config.advertise, catch_up: None })
        },
        host: |_, _| feira_catalog_server::host(),
        projections: feira_catalog_server::projections,
        processes: feira_catalog_server::processes,
    },
    Known {
        name: feira_payments_server::SERVICE,
        about: "Payments",
        #[cfg(feature = "deployed")]
        seat: |section| {
            let config: feira_payments_server::Config = section.try_into()?;
            Ok(Seat { listen: config.listen, advertise: config.advertise, catch_up: None })
        },
        host: |_, _| feira_payments_server::host(),
        projections: feira_payments_server::projections,
        processes: feira_payments_server::processes,
    },
    Known {
        name: feira_conversation_server::SERVICE,
        about: "Conversations",
        #[cfg(feature = "deployed")]
        seat: |section| {
            let config: feira_conversation_server::Config = section.try_into()?;
            let catch_up = Some(config.catch_up());
            Ok(Seat { listen: config.listen, advertise: config.advertise, catch_up })
        },
        host: |home, catch_up| {
            let catch_up = catch_up.unwrap_or(feira_conversation_server::CATCH_UP);
            feira_conversation_server::host(home.store.clone(), heads(home), catch_up)
        },
        projections: feira_conversation_server::projections,
        processes: feira_conversation_server::processes,
    },
    Known {
        name: feira_cart_server::SERVICE,
        about: "Carts and orders",
        #[cfg(feature = "deployed")]
        seat: |section| {
            let config: feira_cart_server::Config = section.try_into()?;
            let catch_up = Some(config.catch_up());
            Ok(Seat { listen: config.listen, advertise: config.advertise, catch_up })
        },
        host: |home, catch_up| {
            let catch_up = catch_up.unwrap_or(feira_cart_server::CATCH_UP);
            feira_cart_server::host(home.store.clone(), heads(home), catch_up)
        },
        projections: feira_cart_server::projections,
        processes: feira_cart_server::processes,
    },
    Known {
        name: feira_billing_server::SERVICE,
        about: "Usage and invoices",
        #[cfg(feature = "deployed")]
        seat: |section| {
            let config: feira_billing_server::Config = section.try_into()?;
            let catch_up = Some(config.catch_up());
            Ok(Seat { listen: config.listen, advertise: config.advertise, catch_up })
        },
        host: |home, catch_up| {
            let catch_up = catch_up.unwrap_or(feira_billing_server::CATCH_UP);
            feira_billing_server::host(home.store.clone(), heads(home), catch_up)
        },
        projections: feira_billing_server::projections,
        processes: feira_billing_server::processes,
    },
    // The next service goes above.
];

/// The process that enters usage.
const USAGE: &str = "usage";

/// The names of all services that have lanes.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|known| known.name)
}

/// The service called `name`.
pub fn known(name: &str) -> Option<&'static Known> {
    ALL.iter().find(|known| known.name == name)
}

/// Where the lanes end whose facts a service waits for.
fn heads(home: &Home) -> Arc<LogHeads> {
    Arc::new(LogHeads::new(home.log.clone()))
}

/// What a verification looks at: every service's lanes, those first that follow others, and every projection.
pub fn verified(log: Arc<dyn EventLog>, store: Arc<dyn Store>) -> Parts {
    Parts {
        log,
        store,
        services: ALL.iter().rev().map(|known| ServiceName::new(known.name)).collect(),
        projections: ALL.iter().flat_map(|known| (known.projections)()).collect(),
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
    /// Starts a service whose lanes take commands at `address`. What follows from events is not followed yet.
    pub async fn start(
        known: &Known,
        catch_up: Option<Duration>,
        home: &Home,
        address: &str,
    ) -> Result<Arc<Self>, Failure> {
        let Known { name, host, projections, processes, .. } = *known;
        let (host, projections) = (host(home, catch_up), projections());
        let (log, store) = (home.log.clone(), home.store.clone());
        let started = Service::start(host, projections, log, store, &home.lanes(), address, Options::default()).await;
        let running = started.map_err(|error| Failure::because(format!("{name} did not start"), error))?;
        Ok(Arc::new(Self {
            name,
            intake: running.intake(),
            running: Mutex::new(Some(running)),
            managers: processes(),
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
