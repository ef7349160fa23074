//! What comes back of a command.

use std::sync::Arc;

use bytes::Bytes;
use feira_ids::EventId;
use serde::{Deserialize, Serialize};

use crate::Position;

/// How a command ended, or why it has not been decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Decided: its events (perhaps none) are on the log.
    Accepted(Accepted),
    /// Decided: the aggregate refused, and that stands on the log.
    Refused {
        /// Where the refusal stands.
        position: Position,
        /// What happened, as a stable code.
        code: Arc<str>,
        /// The input field that the caller can mend.
        field: Option<Arc<str>>,
        /// In words.
        message: Arc<str>,
    },
    /// Not decided: the aggregate has another version than expected.
    Conflict {
        /// The version it has.
        current: u64,
    },
    /// Not decided: the id was used for a command with another content.
    KeyReused,
    /// Not decided: the input does not read, or the operation is unknown.
    Invalid {
        /// What is wrong, for the caller.
        reason: Arc<str>,
    },
    /// Not decided: the principal may not do this.
    Forbidden,
    /// Not decided: a fact it needs could not be had now.
    FactsUnavailable {
        /// Which, for the operator.
        reason: Arc<str>,
    },
    /// Not decided here: another process has the lane.
    Moved {
        /// Who is said to have it.
        owner: Option<String>,
        /// The term that is said of.
        term: u64,
    },
    /// Not decided: the lane is being taken over.
    NotReady,
    /// Not decided: too much waits already.
    Overloaded,
    /// Not decided: the program failed on it; it is set aside for an operator.
    Poison {
        /// What to look for in the log of the process.
        reason: Arc<str>,
    },
    /// Whether it was decided is not known: ask again with the same id.
    TimedOut,
}

/// A command that was decided and accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Where its last record stands: read at this position to see its effect.
    pub position: Position,
    /// The aggregate's version after it.
    pub version: u64,
    /// Its events, none when nothing was to change.
    pub events: Vec<EventRef>,
    /// The aggregate as its owner sees it, as JSON; empty where the command does not want it. Of a repeat: as it is now.
    pub view: Bytes,
    /// Whether it had been decided before.
    pub repeated: bool,
}

/// An event, named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRef {
    /// Its id.
    pub id: EventId,
    /// Its full type: `feira.cart.v1.ItemAdded`.
    pub event_type: Arc<str>,
    /// Its place in the lane.
    pub lane_seq: u64,
}
