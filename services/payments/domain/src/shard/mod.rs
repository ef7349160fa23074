//! A shard of the ledger: accounts, the transfers between them, requests for money, and orders to be paid.
//!
//! A shard is one lane and decides alone about its accounts. Money between two shards is held by the payer's and decided
//! by the payee's: the payer's shard never gives it back by its own clock (see `decide::transfers`). Sums of debits and
//! credits are equal at all times, in what moved and in what is held.

mod command;
mod decide;
mod entity;
mod evolve;
pub mod key;
mod rejection;
#[cfg(test)]
mod tests;

pub use command::{Command, Input};
pub use entity::{Account, Entity, Incoming, Outgoing, Payment, RefundState, Request, Uses};
pub use feira_events::payments::Event;
pub use rejection::Rejection;

use feira_decider::{At, Entities, EntitiesMut, Shard};

/// The rules of a shard.
#[derive(Debug)]
pub struct LedgerShard;

impl Shard for LedgerShard {
    const KIND: &'static str = "shard";
    type Entity = Entity;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(entities: &dyn Entities<Entity>, command: Command, at: At) -> Result<Vec<Event>, Rejection> {
        decide::decide(entities, command, at)
    }

    fn evolve(entities: &mut dyn EntitiesMut<Entity>, event: &Event) {
        evolve::evolve(entities, event);
    }
}
