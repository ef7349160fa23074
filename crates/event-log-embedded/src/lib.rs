//! The event log of one process: segments in a folder, one durable write for all batches that wait.
//!
//! A batch is the unit of everything: of a transaction, of a checksum, of what recovery keeps or cuts. It is acknowledged
//! and can be read once it is on the disk, never before. What recovery cannot explain by a write that was cut short is
//! damage: the log then does not open, and says which byte of which file is wrong.

mod log;

mod appender;
mod reader;
mod recovery;
mod roll;
mod state;

mod disk;
mod format;
mod manifest;
mod segment;

#[cfg(test)]
mod tests;

pub use log::{EmbeddedLog, Options};
