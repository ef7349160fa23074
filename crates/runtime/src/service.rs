//! A service in this process: its lanes and its projectors, from start to shutdown.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use feira_event_log::{EventLog, LogError, Membership};
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Store, StoreError};
use tokio::time::Instant;

use crate::intake::{Inner, Intake};
use crate::kind::{Kind, KindOf, ShardKindOf};
use crate::lane::{Cell, LaneOwner, Phase, recalls};
use crate::pace::{self, Part};
use crate::projector::{ProjectionState, Projectors};
use crate::{Hosted, HostedShard, Metrics, Options, Projection};

/// How long a supervisor waits for a change of assignment at a time.
const ASSIGNMENT_WAIT: Duration = Duration::from_millis(200);
/// How often the watchdog looks.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// The kinds of aggregates that a service hosts.
pub struct ServiceHost {
    service: ServiceName,
    kinds: Vec<Arc<dyn Kind>>,
}

/// Puts a [`ServiceHost`] together.
pub struct ServiceHostBuilder(ServiceHost);

impl ServiceHost {
    /// Begins the service called `name`.
    pub fn builder(name: &str) -> ServiceHostBuilder {
        ServiceHostBuilder(Self { service: ServiceName::new(name), kinds: Vec::new() })
    }
}

impl ServiceHostBuilder {
    /// Adds a kind of aggregate.
    pub fn host(mut self, hosted: impl Hosted) -> Self {
        self.0.kinds.push(Arc::new(KindOf(Arc::new(hosted))));
        self
    }

    /// Adds a kind of aggregate that holds entities.
    pub fn host_shard(mut self, hosted: impl HostedShard) -> Self {
        self.0.kinds.push(Arc::new(ShardKindOf(Arc::new(hosted))));
        self
    }

    /// The host.
    ///
    /// # Panics
    /// When two of the kinds have one name, or one belongs to another service: a mistake of the program.
    pub fn build(mut self) -> ServiceHost {
        self.0.kinds.sort_by_key(|kind| kind.name());
        for pair in self.0.kinds.windows(2) {
            assert_ne!(pair[0].name(), pair[1].name(), "a kind is hosted once");
        }
        for kind in &self.0.kinds {
            let registered = feira_ids::kind(kind.name()).map(|kind| kind.service);
            assert_eq!(registered, Some(self.0.service.as_str()), "{} is registered to another service", kind.name());
        }
        self.0
    }
}

/// Why a service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The log.
    #[error("the event log does not let the service start")]
    Log(#[from] LogError),
    /// The store.
    #[error("the store does not let the projections start")]
    Store(#[from] StoreError),
    /// The operating system.
    #[error("a thread cannot be started")]
    Thread(#[from] std::io::Error),
}

/// Starts services.
pub struct Service;

impl Service {
    /// Starts a service: enters it among those that serve its lanes, and starts its projectors.
    ///
    /// `address` is where this process takes commands, `local` where it takes none from others. Snapshots of lanes are
    /// kept under `folder`. Returns at once; lanes are served as they are assigned and replayed
    /// ([`Running::wait_ready`]).
    ///
    /// # Errors
    /// [`StartError`] when log or store do not answer; nothing is left running then.
    pub async fn start(
        host: ServiceHost,
        projections: Vec<Arc<dyn Projection>>,
        log: Arc<dyn EventLog>,
        store: Arc<dyn Store>,
        folder: &Path,
        address: &str,
        options: Options,
    ) -> Result<Running, StartError> {
        let projectors = Projectors::start(projections, log.clone(), store).await?;
        let metrics = projectors.metrics.clone();
        match Lanes::start(host, log, folder, address, options, metrics.clone()).await {
            Ok(lanes) => Ok(Running { lanes, projectors, metrics }),
            Err(error) => {
                projectors.stop().await;
                Err(error)
            }
        }
    }
}

/// A service that runs.
pub struct Running {
    lanes: Lanes,
    projectors: Projectors,
    metrics: Arc<Metrics>,
}

/// How far a service is from doing all it is there for.
#[derive(Clone, Debug)]
pub struct Readiness {
    /// Its lanes.
    pub lanes: Vec<LaneState>,
    /// Its projections.
    pub projections: Vec<ProjectionState>,
    assigned_once: bool,
}

/// A lane as this process has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneState {
    /// Which.
    pub lane: LaneId,
    /// Whether it is assigned to this process.
    pub assigned: bool,
    /// The term it is served under; none while it is not.
    pub term: Option<u64>,
    /// Why it cannot be served, as far as is known.
    pub trouble: Option<Arc<str>>,
}

impl Readiness {
    /// Whether lanes were assigned and each of them is served, and every projection has come to the end of its lanes
    /// once.
    pub fn is_ready(&self) -> bool {
        let served = self.lanes.iter().all(|lane| !lane.assigned || lane.term.is_some());
        let projected = self.projections.iter().all(|projection| projection.caught_up);
        self.assigned_once && served && projected
    }
}

impl Running {
    /// What takes commands for the lanes that this process owns.
    pub fn intake(&self) -> Intake {
        self.lanes.intake.clone()
    }

    /// What the service has counted.
    pub fn metrics(&self) -> Arc<Metrics> {
        self.metrics.clone()
    }

    /// How far it is from doing all it is there for.
    pub fn ready(&self) -> Readiness {
        let lanes = self.lanes.states();
        Readiness {
            lanes,
            projections: self.projectors.states(),
            assigned_once: self.lanes.assigned_once.load(Ordering::SeqCst),
        }
    }

    /// Waits until it is ready, at most `wait`; answers whether it is.
    pub async fn wait_ready(&self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        while !self.ready().is_ready() {
            if Instant::now() >= until {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        true
    }

    /// Ends the service: commands that wait are decided, lanes are handed over, projectors stop after the batch they
    /// are at.
    pub async fn shutdown(self) {
        tokio::join!(self.lanes.stop(), self.projectors.stop());
    }
}

/// The lanes of a service and the threads that see to them.
struct Lanes {
    intake: Intake,
    service: ServiceName,
    cells: Vec<Arc<Cell>>,
    membership: Arc<dyn Membership>,
    closing: Arc<AtomicBool>,
    assigned_once: Arc<AtomicBool>,
    owners: Mutex<Vec<Part>>,
    supervisors: Mutex<Vec<Part>>,
}

impl Lanes {
    async fn start(
        host: ServiceHost,
        log: Arc<dyn EventLog>,
        folder: &Path,
        address: &str,
        mut options: Options,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StartError> {
        // A record must be framed with its envelope, and read back.
        options.record_bytes_max = options.record_bytes_max.min(feira_codec::VALUE_BYTES_MAX - (64 << 10));
        let (service, address) = (host.service, Arc::<str>::from(address));
        let joined = {
            let (log, service, address) = (log.clone(), service.clone(), address.clone());
            pace::blocking(move || {
                let lanes = log.lanes(&service)?;
                Ok::<_, LogError>((lanes, log.join(&service, &address)?))
            })
        };
        let (lanes, membership) = joined.await?;
        let cells: Vec<_> = (0..lanes).map(|_| Arc::new(Cell::new(options.queue_max))).collect();
        let kinds: Arc<[Arc<dyn Kind>]> = host.kinds.into();
        let intake = Intake::new(Inner {
            service: service.clone(),
            kinds: kinds.iter().map(|kind| (kind.name(), kind.clone())).collect(),
            cells: cells.clone(),
            gather_timeout: options.gather_timeout,
            metrics: metrics.clone(),
        });
        let started = Self {
            intake,
            service: service.clone(),
            cells: cells.clone(),
            membership: membership.clone(),
            closing: Arc::new(AtomicBool::new(false)),
            assigned_once: Arc::new(AtomicBool::new(false)),
            owners: Mutex::default(),
            supervisors: Mutex::default(),
        };
        let recalls = recalls();
        let watchdog = options.watchdog.clone();
        for (index, cell) in (0..).zip(&cells) {
            let owner = LaneOwner {
                lane: LaneId::new(&service, index),
                address: address.clone(),
                cell: cell.clone(),
                log: log.clone(),
                membership: membership.clone(),
                kinds: kinds.clone(),
                options: options.clone(),
                metrics: metrics.clone(),
                folder: folder.join(service.as_str()).join(format!("lane-{index}")),
                recalls: recalls.clone(),
            };
            match pace::spawn(format!("lane-{service}-{index}"), owner.run()) {
                Ok(part) => keep(&started.owners, part),
                Err(error) => return Err(started.give_up(error).await),
            }
        }
        for part in [started.supervise(), started.watch(watchdog)] {
            match part {
                Ok(part) => keep(&started.supervisors, part),
                Err(error) => return Err(started.give_up(error).await),
            }
        }
        Ok(started)
    }

    async fn give_up(self, error: std::io::Error) -> StartError {
        self.stop().await;
        error.into()
    }

    /// Tells the lanes what the membership says of them.
    fn supervise(&self) -> std::io::Result<Part> {
        let (membership, cells) = (self.membership.clone(), self.cells.clone());
        let (closing, assigned_once) = (self.closing.clone(), self.assigned_once.clone());
        pace::spawn(format!("assign-{}", self.service), async move {
            let mut seen = 0;
            while !closing.load(Ordering::SeqCst) {
                let assignment = pace::assignment(&*membership, seen, ASSIGNMENT_WAIT).await;
                if assignment.generation <= seen {
                    continue;
                }
                seen = assignment.generation;
                for (index, cell) in (0..).zip(&cells) {
                    if assignment.lost || !assignment.lanes.contains(&index) {
                        cell.stop();
                    } else {
                        cell.assign(seen);
                    }
                }
                assigned_once.fetch_or(!assignment.lost, Ordering::SeqCst);
            }
        })
    }

    /// Ends the process when a lane has commands and does not move.
    fn watch(&self, watchdog: crate::Watchdog) -> std::io::Result<Part> {
        let (service, cells, closing) = (self.service.clone(), self.cells.clone(), self.closing.clone());
        let every = WATCH_EVERY.min(watchdog.patience / 4);
        pace::spawn(format!("watch-{service}"), async move {
            while !closing.load(Ordering::SeqCst) {
                for (index, cell) in cells.iter().enumerate() {
                    let stuck = cell.stuck_for();
                    if stuck > watchdog.patience {
                        let what = format!("lane {service}/{index} has made no progress for {} s", stuck.as_secs());
                        tracing::error!(lane = format!("{service}/{index}"), "{what}; the process ends itself");
                        (watchdog.bite)(&what);
                    }
                }
                pace::rest(every).await;
            }
        })
    }

    fn states(&self) -> Vec<LaneState> {
        let cells = (0..).zip(&self.cells);
        cells
            .map(|(index, cell)| {
                let (phase, assigned) = cell.state();
                let term = match phase {
                    Phase::Serving { term } => Some(term),
                    Phase::Away | Phase::Taking => None,
                };
                LaneState { lane: LaneId::new(&self.service, index), assigned, term, trouble: cell.trouble() }
            })
            .collect()
    }

    async fn stop(self) {
        self.cells.iter().for_each(|cell| cell.close());
        join(&self.owners).await;
        self.closing.store(true, Ordering::SeqCst);
        let membership = self.membership.clone();
        pace::blocking(move || membership.leave()).await;
        self.supervisors.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(Part::unpark);
        join(&self.supervisors).await;
    }
}

impl Drop for Lanes {
    /// Without a shutdown the threads end by themselves, soon.
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        self.cells.iter().for_each(|cell| cell.close());
    }
}

fn keep(parts: &Mutex<Vec<Part>>, part: Part) {
    parts.lock().unwrap_or_else(PoisonError::into_inner).push(part);
}

async fn join(parts: &Mutex<Vec<Part>>) {
    let parts = std::mem::take(&mut *parts.lock().unwrap_or_else(PoisonError::into_inner));
    if pace::join(parts).await > 0 {
        tracing::error!("a part of the service failed in the program");
    }
}
