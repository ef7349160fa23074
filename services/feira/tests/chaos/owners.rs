//! Who is said to own which lane of the carts.

use std::sync::Arc;

use feira_event_log::{EventLog, Owner};
use feira_event_log_kafka::KafkaLog;
use feira_ids::{LaneId, ServiceName};

use crate::load::LANES;

/// The latest announcements.
pub struct Owners(pub Arc<KafkaLog>);

impl Owners {
    /// The owner of a lane.
    pub fn of(&self, lane: u32) -> Option<Owner> {
        self.0.owners().owner(&LaneId::new(&ServiceName::new("cart"), lane))
    }

    /// The lanes whose owner is at `address`.
    pub fn lanes_of(&self, address: &str) -> Vec<u32> {
        (0..LANES as u32).filter(|lane| self.of(*lane).is_some_and(|owner| owner.address == address)).collect()
    }
}
