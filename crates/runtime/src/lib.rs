//! What every service runs on: lanes that decide commands, projectors that write rows, and the way between processes.
//!
//! One direction: a command goes in by [`Commands`], its lane decides it, the events go to the log, projectors write
//! rows, a query reads them at a [`Position`]. Which log and which store is the caller's choice; nothing here knows.

mod answer;
mod command;
mod host;
mod position;
mod projection;

pub use answer::{Accepted, Answer, EventRef};
pub use command::{Command, Commands};
pub use host::{GatherError, Hosted};
pub use position::{Position, PositionError};
pub use projection::{Projection, ProjectionError};
