//! How a sender's events add up.

use super::{Event, State};

pub(super) fn evolve(_sender: State, event: &Event) -> State {
    match event {
        Event::SenderOpened(opened) => State { opened: Some(opened.clone()) },
    }
}
