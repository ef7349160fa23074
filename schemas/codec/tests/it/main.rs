//! What the codec promises: round trips, golden bytes, hostile bytes, and the history of schemas.

#![allow(clippy::unwrap_used)]

mod asyncapi;
mod golden;
mod history;
mod hostile;
mod round_trip;
mod samples;
