//! The position that is judged: how far each lane goes.

use feira_event_log::{EventLog, LogError};
use feira_ids::{LaneId, ServiceName};

/// A lane and its last record that is judged.
#[derive(Clone, Debug)]
pub struct Pinned {
    /// The lane.
    pub lane: LaneId,
    /// Its last record; 0 for none.
    pub last: u64,
}

/// Pins the lanes of `services`. What a record rests on must be pinned after it: name services that follow others first.
/// They are given back the other way round, so that causes are read before what they cause.
pub fn pin(log: &dyn EventLog, services: &[ServiceName]) -> Result<Vec<Pinned>, LogError> {
    let mut pinned = Vec::new();
    for service in services {
        for index in 0..log.lanes(service)? {
            let lane = LaneId::new(service, index);
            let last = log.last_seq(&lane)?;
            pinned.push(Pinned { lane, last });
        }
    }
    pinned.reverse();
    Ok(pinned)
}
