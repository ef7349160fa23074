//! What can go wrong with a log, by what the caller is to do.

use std::error::Error;
use std::path::PathBuf;

use feira_ids::LaneId;

/// Why a log cannot be opened, read or asked.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The log does not answer now; it may later.
    #[error("the event log is not available: {what}")]
    Unavailable {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// Acknowledged data are damaged or gone. Nothing is served until an operator decides.
    #[error("the event log is damaged at {place}: {reason}")]
    Damaged {
        /// File and position, or lane and sequence.
        place: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// Another process holds the folder.
    #[error("{} is in use by another process; stop it, or give this one a folder of its own", .folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// There is no such lane.
    #[error("lane {0} does not exist; the log was made with fewer lanes or without this service")]
    NoSuchLane(LaneId),
    /// The operating system refused a file operation.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// Why a batch was not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// A successor has the lane. Nothing of the batch is, or will be, visible. Drop the writer.
    #[error("the lane has another owner")]
    Fenced,
    /// Whether the batch stands is not known. Drop the writer, take the lane anew, and read what the log says.
    #[error("the outcome of the append is not known")]
    Unknown(#[source] Box<dyn Error + Send + Sync>),
    /// The batch was not written and the writer is as before: the disk is full, or a limit was met.
    #[error("the batch was refused: {reason}")]
    Refused {
        /// Why, and what to do.
        reason: String,
    },
    /// The batch is not one that this lane can take next: a mistake of the program.
    #[error("the batch does not continue the lane: {reason}")]
    Invalid {
        /// What is wrong with it.
        reason: String,
    },
}

/// Why a lane was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The lane is not, or no longer, assigned to this process: wait for the next assignment.
    #[error("the lane is not assigned to this process")]
    NotAssigned,
    /// The caller asked to stop.
    #[error("stopped while taking the lane")]
    Stopped,
    /// The log failed; try again after a pause, unless it is damaged.
    #[error("the log failed while the lane was taken")]
    Log(#[from] LogError),
    /// The caller could not take in a record of the lane.
    #[error("record {lane_seq} of the lane could not be taken in")]
    Replay {
        /// Which.
        lane_seq: u64,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}
