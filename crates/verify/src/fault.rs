//! What is not as it must be, and where.

use std::fmt;

use feira_ids::LaneId;
use serde::{Deserialize, Serialize};

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Every record can be read, and says of itself what the log says.
    Records,
    /// Lane sequences are 1, 2, 3 … and terms never fall.
    Lanes,
    /// A command is decided once on its lane, and all its records stand together.
    Commands,
    /// Each event has an id of its own.
    Events,
    /// An aggregate's events are 1, 2, 3 …
    Aggregates,
    /// A tenant's business time never falls along a lane.
    Times,
    /// What is debited is credited, balances are the sum of postings, and nobody has less than nothing.
    Ledger,
    /// A transfer between shards is credited once and settled for what was credited.
    Transfers,
    /// Each delivered message and each captured payment is entered into usage once.
    Usage,
    /// Stock is never below zero.
    Stock,
    /// Rows are what a replay of the log gives.
    Projections,
}

/// Where a fault is on the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The lane: `cart/3`.
    pub lane: String,
    /// The record in it.
    pub lane_seq: u64,
}

impl Place {
    /// Record `lane_seq` of `lane`.
    pub fn new(lane: &LaneId, lane_seq: u64) -> Self {
        Self { lane: lane.to_string(), lane_seq }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.lane, self.lane_seq)
    }
}

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What was looked at.
    pub check: Check,
    /// The record that shows it, or that wrote the row last; none when nothing on the log did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The row: its table and primary key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// What is wrong.
    pub what: String,
}

impl Fault {
    /// `what` is wrong at `place`.
    pub fn at(check: Check, place: Place, what: impl Into<String>) -> Self {
        Self { check, place: Some(place), row: None, what: what.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        if let Some(row) = &self.row {
            write!(f, "row {row}: ")?;
        }
        f.write_str(&self.what)
    }
}
