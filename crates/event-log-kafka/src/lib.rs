//! The event log on Kafka: a lane is a partition, a batch is a transaction, and a lane's transactional id is its fence.
//!
//! A consumer group assigns lanes to processes and does nothing else. Whoever takes a lane first proves that it is still
//! a member to which the lane is assigned, then fences the former owner by initialising the lane's one transactional
//! id, then reads the lane up to the high watermark. The broker never checks who owns a lane; that is why a former
//! owner can still try to append, and why the transactional id refuses it.
//!
//! Offsets on Kafka have holes (every transaction leaves a mark of its own): nothing here counts with them. What makes a
//! lane whole is its dense sequence, written with every record and checked whenever a record is read.

mod close;
mod config;
mod cursor;
mod envelope;
mod failure;
mod log;
mod members;
mod names;
mod owners;
mod reach;
mod reader;
mod take;
mod topics;
mod wait;
mod writer;

pub use config::{GroupProtocol, KafkaConfig};
pub use log::KafkaLog;
pub use names::Names;
pub use writer::RECORD_BYTES_MAX;
