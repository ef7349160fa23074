//! How a template's events add up.

use super::{Event, State};

pub(super) fn evolve(template: State, event: &Event) -> State {
    match event {
        Event::TemplateCreated(created) => State { created: Some(created.clone()), ..template },
        Event::TemplateApproved(_) => State { approved: true, ..template },
    }
}
