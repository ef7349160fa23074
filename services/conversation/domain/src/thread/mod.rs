//! A thread: what one sender of a business and one customer write to each other, and until when the business may.
//!
//! What a message of the business costs is decided when it is sent, by the windows that stand then, and booked on its
//! first delivery. How a message stands never goes back, in whatever order receipts come. The thread never opens what
//! people wrote: it comes in sealed.

mod command;
mod decide;
mod evolve;
mod latest;
mod rejection;
mod state;
#[cfg(test)]
mod tests;

pub use command::{Command, Product, Template, What};
pub use feira_commands::conversation::{MessageStatus, ReceiptStatus, Stamps};
pub use feira_events::FactPosition;
pub use feira_events::conversation::{
    Category, Class, ClassReason, Content, MessageDelivered, MessageFailed, MessageRead, MessageReceived, MessageSent,
    Referral, ReferralSource, Section, Side, ThreadEvent as Event, ThreadOpened, Windows,
};
pub use latest::Latest;
pub use rejection::Rejection;
pub use state::{Message, State};

use feira_decider::{At, Decider};

/// The rules of a thread.
#[derive(Debug)]
pub struct Thread;

impl Decider for Thread {
    const KIND: &'static str = "thread";
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
