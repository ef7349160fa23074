//! The event log on a real Kafka: the suite that every log passes, and what only Kafka can do wrong.
//!
//! The broker is the one at `FEIRA_TEST_KAFKA` (127.0.0.1:19092 when that is not set). Without one the tests fail:
//! `deploy/local/up.sh --kafka` starts it.

// A test may fail where it stands.
#![allow(clippy::unwrap_used)]

mod cluster;
mod conformance;
mod reading;
mod taking;
mod writing;
