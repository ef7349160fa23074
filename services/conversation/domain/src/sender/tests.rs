//! The rules of a sender.

use super::*;
use crate::testing::history;

fn open(sender: &str, display_name: &str, channel: Channel, registered: bool) -> Command {
    Command::Open { sender: sender.into(), display_name: display_name.into(), channel, registered }
}

#[test]
fn a_sender_is_opened_once_for_a_business_that_is_registered() {
    let opened = SenderOpened { sender: "main".into(), display_name: "Feira".into(), channel: Channel::Chat };
    let command = open("main", "Feira", Channel::Chat, true);
    let given = history::<Sender>([]).when(command.clone()).then([Event::SenderOpened(opened)]).when(command).then([]);
    given.when(open("main", "Other", Channel::Chat, true)).then_refused(Rejection::AlreadyOpen);
    history::<Sender>([]).when(open("main", "Feira", Channel::Chat, false)).then_refused(Rejection::BusinessUnknown);
}

#[test]
fn a_sender_has_an_id_a_name_and_a_channel() {
    for id in ["", "Main", "a/b", "a b"] {
        history::<Sender>([]).when(open(id, "Feira", Channel::Chat, true)).then_refused(Rejection::BadId);
    }
    history::<Sender>([]).when(open("main", " ", Channel::Chat, true)).then_refused(Rejection::BadName);
    history::<Sender>([]).when(open("main", "Feira", Channel::Unknown, true)).then_refused(Rejection::BadChannel);
}
