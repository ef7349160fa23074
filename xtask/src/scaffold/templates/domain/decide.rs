//! How commands are answered.

use std::sync::Arc;

use feira_commands::__name__::{Input, TITLE_CHARS_MAX};

use super::{Command, Event, Rejection, State, __Name__Titled};

pub(super) fn decide(state: &State, command: Command) -> Result<Vec<Event>, Rejection> {
    let Command { id, input } = command;
    match input {
        Input::SetTitle { title } => set_title(state, id, title),
    }
}

fn set_title(state: &State, id: Arc<str>, title: Arc<str>) -> Result<Vec<Event>, Rejection> {
    let fits = (1..=TITLE_CHARS_MAX).contains(&title.chars().count());
    if !fits || title.trim() != &*title {
        return Err(Rejection::BadTitle);
    }
    // Who says again what is so has what they want.
    if state.title.as_ref() == Some(&title) {
        return Ok(vec![]);
    }
    Ok(vec![Event::__Name__Titled(__Name__Titled { id, title })])
}
