//! How a sender answers.

use feira_commands::conversation::NAME_CHARS_MAX;

use super::{Channel, Command, Event, Rejection, SENDER_CHARS_MAX, SenderOpened, State};
use crate::text::{is_label, is_slug};

pub(super) fn decide(sender: &State, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Open { sender: id, display_name, channel, registered } => {
            open(sender, SenderOpened { sender: id, display_name, channel }, registered)
        }
    }
}

fn open(sender: &State, wanted: SenderOpened, registered: bool) -> Result<Vec<Event>, Rejection> {
    if let Some(opened) = &sender.opened {
        return if *opened == wanted { Ok(vec![]) } else { Err(Rejection::AlreadyOpen) };
    }
    if !registered {
        return Err(Rejection::BusinessUnknown);
    }
    if !is_slug(&wanted.sender, SENDER_CHARS_MAX, "-_") {
        return Err(Rejection::BadId);
    }
    if !is_label(&wanted.display_name, NAME_CHARS_MAX) {
        return Err(Rejection::BadName);
    }
    match wanted.channel {
        Channel::Chat | Channel::Whatsapp | Channel::Sms => Ok(vec![Event::SenderOpened(wanted)]),
        Channel::Unknown => Err(Rejection::BadChannel),
    }
}
