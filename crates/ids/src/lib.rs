//! Names of things: tenants, aggregates, commands, events, and the lane that each belongs to.
//!
//! Everything here is a value with a checked form and one way to write it. Nothing here makes up an id: a random or
//! derived id comes in from outside or is computed from what is given.

mod account;
mod aggregate;
mod command;
mod hash16;
mod lane;
mod tenant;

pub use account::{AccountId, AccountIdError};
pub use aggregate::{AggregateId, AggregateIdError, KEY_BYTES_MAX, KINDS, Kind, KindName, kind};
pub use command::{CommandId, EventId, Fingerprint, client_key_is_valid};
pub use hash16::{Hash16, HexError};
pub use lane::{LaneId, SLOTS, ServiceName, lane_of, slot};
pub use tenant::{Principal, PrincipalKind, Role, TenantId, TenantIdError};
