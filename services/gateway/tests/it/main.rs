//! The gateway from outside: HTTP in, HTTP out, with owners of lanes and a store that are held in memory.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used)]

mod accounts;
mod feeds;
mod http;
mod live;
mod mutations;
mod queries;
mod schema;
mod sockets;
mod subscriptions;
mod support;
mod tenants;
