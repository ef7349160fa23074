//! What the codec promises: round trips, golden bytes, hostile bytes, and the history of schemas.

#![allow(clippy::unwrap_used)]

mod round_trip;
mod samples;
