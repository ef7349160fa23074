//! Where lanes end, for a decision that must know all that had happened by now.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use feira_event_log::{EventLog, LogError};
use feira_ids::{AggregateId, LaneId, ServiceName, TenantId, kind, lane_of};
use feira_projection_store::{ProjectionId, Store};

use crate::GatherError;

/// Where lanes end.
#[async_trait]
pub trait Heads: Send + Sync + 'static {
    /// The lane that `aggregate` of `tenant` belongs to, in the service of its kind, and the sequence of that lane's last
    /// record.
    ///
    /// # Errors
    /// When the log does not answer.
    async fn head(&self, tenant: &TenantId, aggregate: &AggregateId) -> Result<(LaneId, u64), GatherError>;
}

/// Asks the log itself.
pub struct LogHeads(Arc<dyn EventLog>);

impl LogHeads {
    /// The ends of `log`.
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        Self(log)
    }
}

#[async_trait]
impl Heads for LogHeads {
    async fn head(&self, tenant: &TenantId, aggregate: &AggregateId) -> Result<(LaneId, u64), GatherError> {
        let (log, tenant, aggregate) = (self.0.clone(), tenant.clone(), aggregate.clone());
        // The log may wait for a server.
        let asked = tokio::task::spawn_blocking(move || {
            let service = ServiceName::new(kind(aggregate.kind_name()).map_or("", |kind| kind.service));
            let lane = LaneId::new(&service, lane_of(&tenant, &aggregate, log.lanes(&service)?));
            let head = log.last_seq(&lane)?;
            Ok::<_, LogError>((lane, head))
        });
        let unheard = |source| GatherError { what: "the log does not say how far it goes".to_owned(), source };
        asked.await.map_err(|error| unheard(error.into()))?.map_err(|error| unheard(error.into()))
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
}
