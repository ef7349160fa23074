//! The table of timers that process managers have set and that have not come due.
//!
//! A timer belongs to the lane whose event set it, and whoever follows that lane reads all of its timers when it
//! starts: that is why they share a partition, which begins with the process and not with a tenant.

use std::sync::Arc;

use feira_ids::Hash16;
use feira_projection_store::{Column, ColumnType, Mutation, Order, Row, Table, Value};

use crate::RowError;
use crate::column::{Cells, Writes};

/// Timers that are set.
pub static TIMERS: Table = Table {
    name: "timers_v1",
    columns: &[
        Column { name: "process", kind: ColumnType::Text },
        Column { name: "lane", kind: ColumnType::Text },
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "timer", kind: ColumnType::Text },
        Column { name: "due", kind: ColumnType::Timestamp },
        Column { name: "set_hlc", kind: ColumnType::BigInt },
        Column { name: "event", kind: ColumnType::Blob },
        Column { name: "correlation", kind: ColumnType::Blob },
        Column { name: "asks", kind: ColumnType::Text },
    ],
    partition: 2,
    clustering: &[Order::Ascending, Order::Ascending],
    doc: "A timer of a process manager that was set by an event of a lane and has not come due.",
};

/// A timer that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerRow {
    /// The tenant of the event that set it.
    pub tenant: Arc<str>,
    /// Its id within process and tenant.
    pub timer: Arc<str>,
    /// The business time when it is due, milliseconds since 1970.
    pub due: i64,
    /// The hybrid time of the event that set it.
    pub set_hlc: i64,
    /// The id of the event that set it.
    pub event: Hash16,
    /// What began it all.
    pub correlation: Hash16,
    /// What is asked when it is due, as JSON.
    pub asks: Arc<str>,
}

/// The partition of the timers that `process` has set from the events of `lane`.
pub fn timers_key(process: &str, lane: &str) -> Vec<Value> {
    vec![process.into(), lane.into()]
}

/// Sets a timer, in place of one of the same id that was set before.
pub fn put_timer(process: &str, lane: &str, timer: &TimerRow) -> Mutation {
    Writes::new(&TIMERS, timer_key(process, lane, &timer.tenant, &timer.timer), timer.set_hlc)
        .timestamp("due", timer.due)
        .bigint("set_hlc", timer.set_hlc)
        .blob("event", Some(&timer.event.0))
        .blob("correlation", Some(&timer.correlation.0))
        .shared("asks", Some(&timer.asks))
        .upsert()
}

/// Takes a timer away, as it was set at the hybrid time `hlc` or before.
pub fn remove_timer(process: &str, lane: &str, tenant: &str, timer: &str, hlc: i64) -> Mutation {
    Mutation::Delete { table: &TIMERS, key: timer_key(process, lane, tenant, timer), timestamp: hlc }
}

fn timer_key(process: &str, lane: &str, tenant: &str, timer: &str) -> Vec<Value> {
    let mut key = timers_key(process, lane);
    key.extend([tenant.into(), timer.into()]);
    key
}

impl TimerRow {
    /// Reads a row of [`TIMERS`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&TIMERS, row);
        cells.text()?;
        cells.text()?;
        let (tenant, timer, due, set_hlc) = (cells.text()?, cells.text()?, cells.timestamp()?, cells.bigint()?);
        let event = hash(&mut cells)?;
        let correlation = hash(&mut cells)?;
        Ok(Self { tenant, timer, due, set_hlc, event, correlation, asks: cells.text()? })
    }
}

fn hash(cells: &mut Cells) -> Result<Hash16, RowError> {
    let bytes = cells.optional_blob()?.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    bytes.map(Hash16).ok_or_else(|| cells.error("is not sixteen bytes"))
}
