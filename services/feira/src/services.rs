//! The services as a home runs them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use feira_cart_server::CatalogHead;
use feira_event_log::{EventLog, LogError};
use feira_ids::{AggregateId, LaneId, ServiceName, TenantId, lane_of};
use feira_runtime::{GatherError, Intake, Options, Projection, Running, Service, ServiceHost};

use crate::failure::Failure;
use crate::health::waits_for;
use crate::home::Home;

/// All services that have lanes.
pub const NAMES: [&str; 2] = [feira_catalog_server::SERVICE, feira_cart_server::SERVICE];

/// A service that runs in this process.
pub struct Served {
    name: &'static str,
    intake: Intake,
    running: Mutex<Option<Running>>,
}

impl Served {
    fn new(name: &'static str, running: Running) -> Arc<Self> {
        Arc::new(Self { name, intake: running.intake(), running: Mutex::new(Some(running)) })
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

    /// Decides what is under way and hands the lanes over.
    pub async fn shutdown(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            running.shutdown().await;
        }
    }
}

/// Starts the catalog, whose lanes take commands at `address`.
pub async fn catalog(home: &Home, address: &str) -> Result<Arc<Served>, Failure> {
    let (host, projections) = (feira_catalog_server::host(), feira_catalog_server::projections());
    start(feira_catalog_server::SERVICE, host, projections, home, address).await
}

/// Starts the carts, whose lanes take commands at `address`.
pub async fn cart(home: &Home, catch_up: Duration, address: &str) -> Result<Arc<Served>, Failure> {
    let host = feira_cart_server::host(home.store.clone(), Arc::new(LogHead(home.log.clone())), catch_up);
    start(feira_cart_server::SERVICE, host, feira_cart_server::projections(), home, address).await
}

async fn start(
    name: &'static str,
    host: ServiceHost,
    projections: Vec<Arc<dyn Projection>>,
    home: &Home,
    address: &str,
) -> Result<Arc<Served>, Failure> {
    let (log, store) = (home.log.clone(), home.store.clone());
    let started = Service::start(host, projections, log, store, &home.lanes(), address, Options::default()).await;
    let running = started.map_err(|error| Failure::because(format!("{name} did not start"), error))?;
    Ok(Served::new(name, running))
}

/// Asks the log itself where the catalog ends.
struct LogHead(Arc<dyn EventLog>);

#[async_trait]
impl CatalogHead for LogHead {
    async fn head(&self, tenant: &TenantId, product: &AggregateId) -> Result<(LaneId, u64), GatherError> {
        let (log, tenant, product) = (self.0.clone(), tenant.clone(), product.clone());
        // The log may wait for a server.
        let asked = tokio::task::spawn_blocking(move || {
            let service = ServiceName::new(feira_catalog_server::SERVICE);
            let lane = LaneId::new(&service, lane_of(&tenant, &product, log.lanes(&service)?));
            let head = log.last_seq(&lane)?;
            Ok::<_, LogError>((lane, head))
        });
        let unheard =
            |source| GatherError { what: "the catalog's log does not say how far it goes".to_owned(), source };
        asked.await.map_err(|error| unheard(error.into()))?.map_err(|error| unheard(error.into()))
    }
}
