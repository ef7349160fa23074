//! The log of events as every home has it: lanes with one writer each, batches that are whole or not there, readers.
//!
//! A batch is acknowledged once it is durable and can be read; a former owner's batch never becomes visible once a
//! successor has taken the lane. What a lane's owner does with the log is in `feira-runtime`; this crate says only what
//! a log promises, and `suite` proves it of each.

mod error;
mod log;
mod record;
pub mod simulated;
pub mod suite;

pub use error::{AppendError, LogError, TakeError};
pub use log::{Assignment, EventLog, LaneReader, LaneWriter, Membership, Owner, OwnerHints, Resume, Taken};
pub use record::{Hint, NewRecord, StoredRecord};
