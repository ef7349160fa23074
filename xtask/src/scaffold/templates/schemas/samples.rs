//! One of every event of __name__.

use feira_events::__name__::{Event, __Name__Titled};

/// Every event once.
pub fn all() -> Vec<Event> {
    vec![Event::__Name__Titled(__Name__Titled { id: "main".into(), title: "Feira da manhã".into() })]
}
