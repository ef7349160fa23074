//! What every service runs on: lanes that decide commands, projectors that write rows, and the way between processes.
//!
//! One direction: a command goes in by [`Commands`], its lane decides it, the events go to the log, projectors write
//! rows, a query reads them at a [`Position`]. Which log and which store is the caller's choice; nothing here knows.

mod answer;
mod chain;
mod clock;
mod clocks;
mod closing;
mod command;
mod heads;
mod host;
mod intake;
mod jitter;
mod kind;
mod lane;
mod metrics;
mod options;
pub mod pace;
mod patience;
mod position;
mod process;
mod processes;
mod projection;
mod projector;
mod reads;
mod router;
pub mod rpc;
mod service;
pub mod suite;

pub use answer::{Accepted, Answer, EventRef};
pub use chain::Chain;
pub use clock::{Clock, SystemClock};
pub use clocks::Clocks;
pub use command::{Command, Commands};
pub use heads::{Heads, Latest, LogHeads};
pub use host::{GatherError, Hosted, HostedShard};
pub use intake::Intake;
pub use metrics::{Counter, Metrics};
pub use options::{Options, Watchdog};
pub use patience::wait_until;
pub use position::{Position, PositionError};
pub use process::{ProcessManager, process};
pub use processes::{ProcessMetrics, ProcessOptions, ProcessState, Processes, process_checkpoint};
pub use projection::{Projection, ProjectionError, event_of};
pub use projector::ProjectionState;
pub use reads::{READ_WAIT, Reads, Waited};
pub use router::{LocalCommands, RemoteCommands};
pub use rpc::{Secret, SecretError};
pub use service::{LaneState, Readiness, Running, Service, ServiceHost, ServiceHostBuilder, StartError};
