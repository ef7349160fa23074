//! How far things have come: for each lane, a sequence.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use feira_ids::{LaneId, ServiceName};
use serde::{Deserialize, Serialize};

/// A set of lanes with the sequence reached on each; written `cart/1:42,catalog/0:7`. Two are merged by the larger one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Position(BTreeMap<LaneId, u64>);

/// A text that is no position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a position is written service/lane:sequence, several joined by commas; take it as it was given to you")]
pub struct PositionError;

/// More lanes than any answer names.
const LANES_MAX: usize = 4096;

impl Position {
    /// The position `seq` on one lane.
    pub fn at(lane: LaneId, seq: u64) -> Self {
        Self(BTreeMap::from([(lane, seq)]))
    }

    /// Takes in `other`: each lane's larger sequence.
    pub fn merge(&mut self, other: &Self) {
        for (lane, &seq) in &other.0 {
            let reached = self.0.entry(lane.clone()).or_default();
            *reached = seq.max(*reached);
        }
    }

    /// The lanes of `service` and the sequences on them.
    pub fn of_service(&self, service: &ServiceName) -> impl Iterator<Item = (&LaneId, u64)> {
        self.0.iter().filter(move |(lane, _)| lane.service == *service).map(|(lane, &seq)| (lane, seq))
    }

    /// The sequence on `lane`, if the position speaks of it.
    pub fn seq(&self, lane: &LaneId) -> Option<u64> {
        self.0.get(lane).copied()
    }

    /// Whether it speaks of no lane.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (lane, seq)) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma}{lane}:{seq}")?;
        }
        Ok(())
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let mut position = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (lane, seq) = part.rsplit_once(':').ok_or(PositionError)?;
            let (service, index) = lane.split_once('/').ok_or(PositionError)?;
            if service.is_empty() || service.len() > 32 || !service.bytes().all(|b| b.is_ascii_lowercase()) {
                return Err(PositionError);
            }
            let index = index.parse().map_err(|_| PositionError)?;
            let seq = seq.parse().map_err(|_| PositionError)?;
            position.merge(&Self::at(LaneId { service: ServiceName::new(service), index }, seq));
            if position.0.len() > LANES_MAX {
                return Err(PositionError);
            }
        }
        Ok(position)
    }
}

impl TryFrom<String> for Position {
    type Error = PositionError;

    fn try_from(text: String) -> Result<Self, PositionError> {
        text.parse()
    }
}

impl From<Position> for String {
    fn from(position: Position) -> Self {
        position.to_string()
    }
}
