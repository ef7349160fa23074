//! The invoices of one business: drafts that may be made anew, and issued ones that never change.
//!
//! One aggregate holds them all, so that their numbers are 1, 2, 3 … without a gap and what rounding left over goes from
//! each to the next. What was used comes in with the command, added up; prices come from the rate card that is built in,
//! and the event names its version and hash. Payments, credit notes and taxes are not here yet.

mod command;
mod decide;
mod evolve;
mod rejection;
mod state;
#[cfg(test)]
mod tests;

pub use command::Command;
pub use feira_events::billing::{InvoiceDrafted, InvoiceEvent as Event, InvoiceIssued};
pub use rejection::Rejection;
pub use state::{Issued, State};

use feira_decider::{At, Decider};

/// How long after its end a month is issued at the earliest, in milliseconds. What was used in its last moments may be
/// told a while later, and what is told after the issue is on no invoice.
pub const GRACE_MS: i64 = 60 * 60 * 1_000;

/// The rules of invoices.
#[derive(Debug)]
pub struct Invoices;

impl Decider for Invoices {
    const KIND: &'static str = "invoice";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(state: &State, command: Command, at: At) -> Result<Vec<Event>, Rejection> {
        decide::decide(state, command, at)
    }

    fn evolve(state: State, event: &Event) -> State {
        evolve::evolve(state, event)
    }
}
