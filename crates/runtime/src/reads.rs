//! Reading at a position: waits until a projection has come to it, for a bounded time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{ProjectionId, Store, StoreError};
use tokio::time::Instant;

use crate::Position;

/// How long a read waits for its position, all lanes together.
pub const READ_WAIT: Duration = Duration::from_secs(2);

/// Which projection consumes which services, and the store that knows how far it has come.
#[derive(Clone)]
pub struct Reads {
    store: Arc<dyn Store>,
    sources: Arc<HashMap<ProjectionId, Vec<ServiceName>>>,
}

/// Whether a projection has come to a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waited {
    /// It has.
    Reached,
    /// Not in time: read what there is, and say so.
    Lagging {
        /// The lane it lags on.
        lane: LaneId,
        /// Where it is.
        at: u64,
        /// Where it should be.
        wanted: u64,
    },
}

impl Reads {
    /// Reads through `store`; `projections` are those that can be waited for and the services each consumes.
    pub fn new(store: Arc<dyn Store>, projections: impl IntoIterator<Item = (ProjectionId, Vec<ServiceName>)>) -> Self {
        Self { store, sources: Arc::new(projections.into_iter().collect()) }
    }

    /// Waits until `projection` has taken in everything up to `position` on the lanes it consumes, [`READ_WAIT`] at
    /// most. Lanes of other services are passed over.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn wait_for(&self, position: &Position, projection: ProjectionId) -> Result<Waited, StoreError> {
        let until = Instant::now() + READ_WAIT;
        let sources = self.sources.get(&projection).map_or(&[][..], Vec::as_slice);
        for (lane, wanted) in sources.iter().flat_map(|service| position.of_service(service)) {
            let left = until.saturating_duration_since(Instant::now());
            let name = lane.to_string();
            if !self.store.reached(projection, &name, wanted, left).await? {
                let at = self.store.checkpoint(projection, &name).await?.lane_seq;
                if at < wanted {
                    return Ok(Waited::Lagging { lane: lane.clone(), at, wanted });
                }
            }
        }
        Ok(Waited::Reached)
    }
}
