//! Conversations as a service: what is read of them, what they know, and how they run.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod rows;
mod running;
