//! The rules, by their events.

use feira_codec::fixture::wire;
use feira_commands::__name__::{Input, TITLE_CHARS_MAX};
use feira_decider::{At, Decider, Given, given};
use proptest::prelude::*;

use super::*;

fn history(events: impl IntoIterator<Item = Event>) -> Given<__Name__> {
    given::<__Name__>(events).through(wire)
}

fn set_title(title: &str) -> Command {
    Command { id: "main".into(), input: Input::SetTitle { title: title.into() } }
}

fn titled(title: &str) -> Event {
    Event::__Name__Titled(__Name__Titled { id: "main".into(), title: title.into() })
}

#[test]
fn a_title_is_given_and_given_anew() {
    let given = history([]).when(set_title("Feira da manhã")).then([titled("Feira da manhã")]);
    given.when(set_title("Feira da noite")).then([titled("Feira da noite")]);
}

#[test]
fn the_same_title_again_is_nothing() {
    history([titled("Feira")]).when(set_title("Feira")).then([]);
}

#[test]
fn what_is_no_title_is_refused() {
    for title in ["", " ", " Feira", "Feira ", &"a".repeat(TITLE_CHARS_MAX + 1)] {
        history([]).when(set_title(title)).then_refused(Rejection::BadTitle);
    }
}

proptest! {
    #[test]
    fn whatever_is_accepted_is_what_is_remembered(title in "\\PC{0,12}") {
        if let Ok(events) = __Name__::decide(&State::default(), set_title(&title), At(0)) {
            let state = events.into_iter().map(wire).fold(State::default(), |state, event| __Name__::evolve(state, &event));
            prop_assert_eq!(state.title.as_deref(), Some(title.as_str()));
        }
    }
}
