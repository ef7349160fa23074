//! A thread that begins makes its customer a contact of the business.

use feira_commands::conversation::ContactInput;
use feira_decider::{Ask, Do, Process};
use feira_events::Meta;
use feira_events::conversation::ThreadEvent;
use feira_ids::AggregateId;

/// Makes contacts of customers.
#[derive(Debug)]
pub struct ContactsProcess;

impl Process for ContactsProcess {
    const NAME: &'static str = "contacts";
    type Event = ThreadEvent;

    fn react(meta: &Meta, event: &ThreadEvent) -> Vec<Do> {
        let opened = match event {
            ThreadEvent::ThreadOpened(opened) => opened,
            ThreadEvent::MessageReceived(_)
            | ThreadEvent::MessageSent(_)
            | ThreadEvent::MessageDelivered(_)
            | ThreadEvent::MessageRead(_)
            | ThreadEvent::MessageFailed(_) => return vec![],
        };
        let Ok(contact) = AggregateId::new("contact", &opened.customer) else {
            // The thread's own id holds the customer's, so it has the form of a key.
            return vec![];
        };
        let input = ContactInput::Meet;
        vec![Ask::new("meet", &meta.tenant, contact, input.operation(), &input).now()]
    }
}

#[cfg(test)]
mod tests {
    use feira_codec::fixture::envelope;
    use feira_events::conversation::{MessageRead, Side, ThreadOpened};

    use super::*;

    #[test]
    fn a_customer_who_writes_becomes_a_contact() {
        let opened =
            ThreadOpened { sender: "main".into(), customer: "BR.1".into(), country: "BR".into(), by: Side::Customer };
        let meta = envelope("thread:main/BR.1");
        let contact = AggregateId::new("contact", "BR.1").unwrap();
        let meet = ContactInput::Meet;
        let ask = Ask::new("meet", &meta.tenant, contact, "conversation.meet_contact", &meet).now();
        assert_eq!(ContactsProcess::react(&meta, &ThreadEvent::ThreadOpened(opened)), [ask]);
        let read = ThreadEvent::MessageRead(MessageRead { message: "m".into(), seq: 1, read_at: 1 });
        assert_eq!(ContactsProcess::react(&meta, &read), []);
    }
}
