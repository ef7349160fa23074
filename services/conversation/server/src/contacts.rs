//! Contacts as the runtime hosts them.

use feira_commands::conversation::{ContactInput, ContactView};
use feira_conversation_domain::contact::{Command, Contact, State, What};
use feira_ids::AggregateId;
use feira_runtime::{GatherError, Hosted};

/// Hosts contacts. They need no facts from elsewhere.
#[derive(Debug)]
pub struct Contacts;

impl Hosted for Contacts {
    type Domain = Contact;
    type Input = ContactInput;
    type Facts = ();
    type View = ContactView;

    fn operation(&self, input: &ContactInput) -> &'static str {
        input.operation()
    }

    async fn gather(&self, _command: &feira_runtime::Command, _input: &ContactInput) -> Result<(), GatherError> {
        Ok(())
    }

    fn command(&self, aggregate: &AggregateId, input: ContactInput, (): ()) -> Command {
        let what = match input {
            ContactInput::Meet => What::Meet,
            ContactInput::OptIn { category, source, shown } => What::OptIn { category, source, shown },
            ContactInput::OptOut { category, source } => What::OptOut { category, source },
        };
        Command { customer: aggregate.key().into(), what }
    }

    fn view(&self, aggregate: &AggregateId, version: u64, contact: &State) -> ContactView {
        ContactView {
            customer: aggregate.key().into(),
            version,
            country: contact.country.clone(),
            opted_in: contact.categories(true),
            opted_out: contact.categories(false),
        }
    }
}
