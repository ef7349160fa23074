//! The gateway over HTTP: GraphQL, health, and what every answer that is no data looks like.

mod accept;
mod documents;
mod graphql;
mod health;
mod limits;
mod params;
mod problem;
mod signed_in;

pub(crate) use documents::Documents;
pub(crate) use graphql::graphql;
pub(crate) use health::{live, ready};
pub(crate) use problem::{Problem, not_found};
pub(crate) use signed_in::caller_of;
