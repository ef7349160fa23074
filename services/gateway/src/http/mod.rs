//! The gateway over HTTP: GraphQL, also over WebSocket and as events, health, and what every answer that is no data looks like.

mod accept;
mod documents;
mod events;
mod graphql;
mod health;
mod limits;
mod params;
mod problem;
mod signed_in;
mod socket;

pub(crate) use documents::Documents;
pub(crate) use graphql::graphql;
pub(crate) use health::{live, ready};
pub(crate) use problem::{Problem, not_found};
pub(crate) use signed_in::caller_of;
