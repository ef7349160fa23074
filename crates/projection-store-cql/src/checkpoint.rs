//! Checkpoints in the database, and one reader for all who wait for the same lane.
//!
//! A checkpoint is written with its own sequence as the timestamp, so that it cannot go back. To forget it all the same,
//! its generation is raised: the sequence begins again, the timestamps go on. Whoever still writes with the generation
//! before writes into the past.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use feira_projection_store::{Checkpoint, Column, ColumnType, Order, ProjectionId, StoreError, Table};
use tokio::sync::watch;

use crate::session::{Cql, retried, unreadable};
use crate::statement;
use crate::value::Bind;

/// Where checkpoints are.
pub static CHECKPOINTS: Table = Table {
    name: "checkpoints_v1",
    columns: &[
        Column { name: "projection", kind: ColumnType::Text },
        Column { name: "version", kind: ColumnType::Int },
        Column { name: "lane", kind: ColumnType::Text },
        Column { name: "generation", kind: ColumnType::BigInt },
        Column { name: "lane_seq", kind: ColumnType::BigInt },
        Column { name: "hint", kind: ColumnType::BigInt },
    ],
    partition: 2,
    clustering: &[Order::Ascending],
    doc: "How far each projection has taken each lane in. Its timestamps are generations and sequences, not times.",
};

/// Bits of a timestamp that are the sequence; those above are the generation.
const SEQUENCE_BITS: u32 = 40;

/// Above this a timestamp would look to ScyllaDB as if it lay in the future.
const GENERATION_MAX: i64 = 1_000;

/// The pauses between reads while somebody waits.
const POLL_FIRST: Duration = Duration::from_millis(5);
const POLL_LAST: Duration = Duration::from_millis(20);

/// A projection on a lane, as this process knows it.
pub struct LaneState {
    projection: ProjectionId,
    lane: String,
    /// Minus one until it was read.
    generation: AtomicI64,
    seen: watch::Sender<Seen>,
    polling: AtomicBool,
}

/// What the last read or write showed.
#[derive(Clone, Debug, Default)]
struct Seen {
    lane_seq: u64,
    /// Why the last read failed.
    failure: Option<String>,
}

impl LaneState {
    /// Nothing known yet.
    pub fn new(projection: ProjectionId, lane: &str) -> Self {
        Self {
            projection,
            lane: lane.to_owned(),
            generation: AtomicI64::new(-1),
            seen: watch::Sender::new(Seen::default()),
            polling: AtomicBool::new(false),
        }
    }

    /// Reads the checkpoint.
    pub async fn read(&self, cql: &Cql, keyspace: &str) -> Result<Checkpoint, StoreError> {
        let prepared = cql.prepare(CHECKPOINTS.name, &statement::select_one(keyspace, &CHECKPOINTS)).await?;
        let key = (self.projection.name, version(self.projection)?, &self.lane);
        let answer = retried(CHECKPOINTS.name, "read a checkpoint", || cql.session.execute_unpaged(&prepared, &key));
        let rows = answer.await?.into_rows_result().map_err(|error| unreadable(&CHECKPOINTS, error))?;
        let row = rows
            .maybe_first_row::<(&str, i32, &str, i64, i64, i64)>()
            .map_err(|error| unreadable(&CHECKPOINTS, error))?;
        let (generation, lane_seq, hint) =
            row.map_or((0, 0, 0), |(_, _, _, generation, seq, hint)| (generation, seq, hint));
        self.generation.store(generation, Ordering::Release);
        let checkpoint = Checkpoint { lane_seq: lane_seq as u64, hint: hint as u64 };
        self.show(checkpoint.lane_seq, None);
        Ok(checkpoint)
    }

    /// Moves the checkpoint forward; the rows up to it must be acknowledged.
    pub async fn write(&self, cql: &Cql, keyspace: &str, checkpoint: Checkpoint) -> Result<(), StoreError> {
        if self.generation.load(Ordering::Acquire) < 0 {
            self.read(cql, keyspace).await?;
        }
        let generation = self.generation.load(Ordering::Acquire);
        self.insert(cql, keyspace, generation, checkpoint).await?;
        self.seen.send_if_modified(|seen| {
            let moved = seen.lane_seq < checkpoint.lane_seq;
            seen.lane_seq = seen.lane_seq.max(checkpoint.lane_seq);
            moved
        });
        Ok(())
    }

    /// Begins again at nothing in a generation behind all that were.
    pub async fn forget(&self, cql: &Cql, keyspace: &str) -> Result<(), StoreError> {
        self.read(cql, keyspace).await?;
        let generation = self.generation.load(Ordering::Acquire) + 1;
        self.insert(cql, keyspace, generation, Checkpoint::default()).await?;
        self.generation.store(generation, Ordering::Release);
        self.show(0, None);
        Ok(())
    }

    async fn insert(&self, cql: &Cql, keyspace: &str, generation: i64, at: Checkpoint) -> Result<(), StoreError> {
        if at.lane_seq >= 1 << SEQUENCE_BITS || generation > GENERATION_MAX {
            let place =
                format!("{} on {}: sequence {}, generation {generation}", self.projection, self.lane, at.lane_seq);
            return Err(CHECKPOINTS.invalid(format!("{place} is too high: give the projection a new version")));
        }
        let prepared = cql.prepare(CHECKPOINTS.name, &statement::upsert(keyspace, &CHECKPOINTS)).await?;
        let values = [
            Bind::Text(self.projection.name),
            Bind::Int(version(self.projection)?),
            Bind::Text(&self.lane),
            Bind::Long(generation),
            Bind::Long(at.lane_seq as i64),
            Bind::Long(at.hint as i64),
            Bind::Long(generation << SEQUENCE_BITS | at.lane_seq as i64),
        ];
        let values = &values[..];
        let written =
            retried(CHECKPOINTS.name, "write a checkpoint", || cql.session.execute_unpaged(&prepared, values));
        written.await.map(drop)
    }

    /// Waits until the checkpoint is at `lane_seq`, at most `wait`.
    pub async fn reached(
        self: &Arc<Self>,
        cql: &Arc<Cql>,
        keyspace: &Arc<str>,
        lane_seq: u64,
        wait: Duration,
    ) -> Result<bool, StoreError> {
        let mut seen = self.seen.subscribe();
        if seen.borrow_and_update().lane_seq >= lane_seq {
            return Ok(true);
        }
        if !self.polling.load(Ordering::Acquire) && self.read(cql, keyspace).await?.lane_seq >= lane_seq {
            return Ok(true);
        }
        self.poll(cql, keyspace);
        match tokio::time::timeout(wait, seen.wait_for(|seen| seen.lane_seq >= lane_seq)).await {
            Ok(Ok(_)) => Ok(true),
            Ok(Err(_)) => Ok(false),
            Err(_) => match &self.seen.borrow().failure {
                None => Ok(false),
                Some(failure) => Err(StoreError::Unavailable {
                    what: format!("read the checkpoint of {} on {}: {failure}", self.projection, self.lane),
                    source: None,
                }),
            },
        }
    }

    /// Reads again and again, as long as somebody waits; one such reader for each lane.
    fn poll(self: &Arc<Self>, cql: &Arc<Cql>, keyspace: &Arc<str>) {
        if self.polling.swap(true, Ordering::AcqRel) {
            return;
        }
        let (state, cql, keyspace) = (self.clone(), cql.clone(), keyspace.clone());
        tokio::spawn(async move {
            let mut pause = POLL_FIRST;
            loop {
                tokio::time::sleep(pause).await;
                pause = (pause * 3 / 2).min(POLL_LAST);
                if let Err(error) = state.read(&cql, &keyspace).await {
                    let lane_seq = state.seen.borrow().lane_seq;
                    state.show(lane_seq, Some(error.to_string()));
                }
                if state.seen.receiver_count() > 0 {
                    continue;
                }
                state.polling.store(false, Ordering::Release);
                // Somebody may have come between the count and the word that nobody reads.
                if state.seen.receiver_count() == 0 || state.polling.swap(true, Ordering::AcqRel) {
                    break;
                }
            }
        });
    }

    fn show(&self, lane_seq: u64, failure: Option<String>) {
        self.seen.send_if_modified(|seen| {
            let moved = seen.lane_seq != lane_seq;
            *seen = Seen { lane_seq, failure };
            moved
        });
    }
}

/// The version as CQL keeps it.
pub fn version(projection: ProjectionId) -> Result<i32, StoreError> {
    i32::try_from(projection.version).map_err(|_| CHECKPOINTS.invalid(format!("{projection} has too high a version")))
}
