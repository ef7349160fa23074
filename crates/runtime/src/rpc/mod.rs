//! Commands between processes: one long stream each way over HTTP/2, of length-checked frames, many commands in flight.
//!
//! Whoever connects proves that it knows the platform's secret, for a bounded time; each command carries a proof that
//! the principal in it was put there by a process that knows it too. What is too long, garbled or unproved is answered
//! with why, and ends the stream.

mod client;
mod frame;
mod secret;
mod server;

pub(crate) use client::Peer;
pub use client::{Link, LinkFault};
pub use secret::{Secret, SecretError};
pub use server::server;

/// Where the stream is opened.
pub(crate) const PATH: &str = "/feira/rpc/v1/commands";
