//! A lane: one partition of one service's events, one thread that decides.

mod batch;
mod book;
mod cell;
mod decided;
mod owner;
mod recall;
mod shards;
mod snapshots;
mod stamp;
mod states;

pub(crate) use book::aggregate_key;
pub(crate) use cell::{Cell, Phase, Queued};
pub(crate) use owner::{LaneOwner, recalls};
pub(crate) use shards::ShardStates;
pub(crate) use states::{Prepared, States, StatesOf, panic_text};

use feira_ids::TenantId;

/// The tenant of what concerns a lane alone.
pub(crate) fn platform() -> TenantId {
    TenantId::new(TenantId::PLATFORM).expect("the reserved tenant is well formed")
}
