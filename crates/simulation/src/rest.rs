//! When all is at rest.

use std::time::Duration;

use feira_event_log::EventLog;
use feira_ids::LaneId;
use feira_projection_store::Store;
use feira_runtime::process_checkpoint;
use tokio::time::Instant;

use crate::services::{managers, projections};

/// When nothing has happened for so long, all is at rest.
const QUIET: Duration = Duration::from_secs(4);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(250);

/// Waits until nothing happens any more: every lane was followed to its end, and no lane grew for a while. `before` is done
/// before each look. It asks the log itself, which may block.
///
/// # Errors
/// After `patience`: who is behind, and where.
pub async fn come_to_rest(
    log: &dyn EventLog,
    store: &dyn Store,
    lanes: &[LaneId],
    patience: Duration,
    before: impl Fn(),
) -> Result<(), String> {
    let (began, mut ends, mut since) = (Instant::now(), vec![], Instant::now());
    loop {
        before();
        tokio::time::sleep(LOOK).await;
        let now: Vec<u64> = lanes.iter().map(|lane| log.last_seq(lane).unwrap_or(u64::MAX)).collect();
        if now != ends {
            (ends, since) = (now, Instant::now());
        }
        let behind = behind(store, lanes, &ends).await;
        if behind.is_empty() && since.elapsed() >= QUIET {
            return Ok(());
        }
        if began.elapsed() > patience {
            return Err(format!("it does not come to rest: {}", behind.join(", ")));
        }
    }
}

/// Who has not come to the end of its lanes.
async fn behind(store: &dyn Store, lanes: &[LaneId], ends: &[u64]) -> Vec<String> {
    let mut behind = Vec::new();
    for (lane, end) in lanes.iter().zip(ends) {
        for projection in projections() {
            if projection.sources().contains(&lane.service) {
                let at = store.checkpoint(projection.id(), &lane.to_string()).await.map_or(0, |at| at.lane_seq);
                if at < *end {
                    behind.push(format!("{} is at {lane}:{at} of {end}", projection.id()));
                }
            }
        }
        for manager in managers() {
            if manager.sources().contains(&lane.service) {
                let at = process_checkpoint(store, manager.name(), lane).await.map_or(0, |at| at.lane_seq);
                if at < *end {
                    behind.push(format!("{} is at {lane}:{at} of {end}", manager.name()));
                }
            }
        }
    }
    behind
}
