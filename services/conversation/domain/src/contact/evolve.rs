//! How a contact's events add up.

use super::{Event, State};

pub(super) fn evolve(mut contact: State, event: &Event) -> State {
    match event {
        Event::ContactMet(met) => contact.country.clone_from(&met.country),
        Event::OptedIn(agreed) => {
            contact.agreed.insert(agreed.category, true);
        }
        Event::OptedOut(refused) => {
            contact.agreed.insert(refused.category, false);
        }
    }
    contact
}
