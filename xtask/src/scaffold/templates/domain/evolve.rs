//! How the events add up.

use super::{Event, State};

pub(super) fn evolve(mut state: State, event: &Event) -> State {
    match event {
        Event::__Name__Titled(titled) => state.title = Some(titled.title.clone()),
    }
    state
}
