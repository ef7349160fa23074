//! Where lanes end, for a decision that must know all that had happened by now.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use feira_event_log::{EventLog, LogError};
use feira_ids::{AggregateId, LaneId, ServiceName, TenantId, kind, lane_of};
use feira_projection_store::{ProjectionId, Store};
use tokio::time::Instant;

use crate::processes::process_followed;
use crate::{GatherError, pace};

/// Where lanes end.
#[async_trait]
pub trait Heads: Send + Sync + 'static {
    /// The lane that `aggregate` of `tenant` belongs to, in the service of its kind, and the sequence of that lane's last
    /// record.
    ///
    /// # Errors
    /// When the log does not answer.
    async fn head(&self, tenant: &TenantId, aggregate: &AggregateId) -> Result<(LaneId, u64), GatherError>;

    /// Every lane of `service`, with the sequence of its last record.
    ///
    /// # Errors
    /// As [`Heads::head`].
    async fn heads(&self, service: &ServiceName) -> Result<Vec<(LaneId, u64)>, GatherError>;
}

/// Asks the log itself.
pub struct LogHeads(Arc<dyn EventLog>);

impl LogHeads {
    /// The ends of `log`.
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        Self(log)
    }

    async fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&dyn EventLog) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, GatherError> {
        let log = self.0.clone();
        let unheard = |source| GatherError { what: "the log does not say how far it goes".to_owned(), source };
        // The log may wait for a server.
        pace::blocking(move || what(&*log)).await.map_err(|error| unheard(error.into()))
    }
}

#[async_trait]
impl Heads for LogHeads {
    async fn head(&self, tenant: &TenantId, aggregate: &AggregateId) -> Result<(LaneId, u64), GatherError> {
        let (tenant, aggregate) = (tenant.clone(), aggregate.clone());
        self.ask(move |log| {
            let service = ServiceName::new(kind(aggregate.kind_name()).map_or("", |kind| kind.service));
            let lane = LaneId::new(&service, lane_of(&tenant, &aggregate, log.lanes(&service)?));
            let head = log.last_seq(&lane)?;
            Ok((lane, head))
        })
        .await
    }

    async fn heads(&self, service: &ServiceName) -> Result<Vec<(LaneId, u64)>, GatherError> {
        let service = service.clone();
        self.ask(move |log| {
            let lanes = (0..log.lanes(&service)?).map(|index| LaneId::new(&service, index));
            lanes.map(|lane| log.last_seq(&lane).map(|head| (lane, head))).collect()
        })
        .await
    }
}

/// Waits for a service's own rows to have come as far as its log and others' had when that was asked.
///
/// Something is written and used in the next moment: what is not known yet is called unknown only after that.
#[derive(Clone)]
pub struct Latest {
    store: Arc<dyn Store>,
    heads: Arc<dyn Heads>,
    wait: Duration,
}

impl Latest {
    /// Of the rows in `store`, no longer than `wait`.
    pub fn new(store: Arc<dyn Store>, heads: Arc<dyn Heads>, wait: Duration) -> Self {
        Self { store, heads, wait }
    }

    /// Waits until `projection` has taken in all that stands on the lane of `aggregate`. Answers that lane and the last
    /// record that is taken in for certain.
    ///
    /// # Errors
    /// When the store or the log does not answer, or the projection stays behind.
    pub async fn taken_in(
        &self,
        projection: ProjectionId,
        tenant: &TenantId,
        aggregate: &AggregateId,
    ) -> Result<(LaneId, u64), GatherError> {
        let (lane, head) = self.heads.head(tenant, aggregate).await?;
        let reached = self.store.reached(projection, &lane.to_string(), head, self.wait).await;
        let unread = |source| GatherError { what: format!("how far {projection} is cannot be read"), source };
        if reached.map_err(|error| unread(error.into()))? {
            return Ok((lane, head));
        }
        let source = format!("{projection} has not come to {lane}:{head}").into();
        Err(GatherError { what: format!("the latest events of {lane} are not here yet"), source })
    }

    /// Waits until the process called `process` has followed all that stands on the lanes of `sources`: what follows from
    /// it is answered then, and stands on the log where it was not refused.
    ///
    /// # Errors
    /// When the store or the log does not answer, or the process stays behind.
    pub async fn followed(&self, process: &str, sources: &[ServiceName]) -> Result<(), GatherError> {
        let until = Instant::now() + self.wait;
        for service in sources {
            for (lane, head) in self.heads.heads(service).await? {
                let left = until.saturating_duration_since(Instant::now());
                let followed = process_followed(&*self.store, process, &lane, head, left).await;
                let unread = |source| GatherError { what: format!("how far {process} is cannot be read"), source };
                if !followed.map_err(|error| unread(error.into()))? {
                    let source = format!("{process} has not come to {lane}:{head}").into();
                    return Err(GatherError { what: format!("what follows from {lane} is not done yet"), source });
                }
            }
        }
        Ok(())
    }
}
