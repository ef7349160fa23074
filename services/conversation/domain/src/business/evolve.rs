//! How a business's events add up.

use super::{Event, State};

pub(super) fn evolve(business: State, event: &Event) -> State {
    match event {
        Event::BusinessRegistered(registered) => State {
            registered: true,
            name: registered.name.clone(),
            profile: registered.profile.clone(),
            country: registered.country.clone(),
            sandbox: registered.sandbox,
            ..business
        },
        Event::ProfileSet(set) => State { name: set.name.clone(), profile: set.profile.clone(), ..business },
        Event::ClockMoved(moved) => State { clock_offset_ms: moved.offset_ms, ..business },
    }
}
