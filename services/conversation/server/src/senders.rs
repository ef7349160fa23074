//! Senders as the runtime hosts them.

use std::sync::Arc;

use feira_commands::conversation::{SenderInput, SenderView};
use feira_conversation_domain::sender::{Command, Sender, State};
use feira_ids::AggregateId;
use feira_runtime::{GatherError, Hosted};

use crate::Facts;

/// Hosts senders.
pub struct Senders {
    facts: Facts,
}

impl Senders {
    /// Hosts senders that take what they must know from `facts`.
    pub fn new(facts: Facts) -> Self {
        Self { facts }
    }
}

impl Hosted for Senders {
    type Domain = Sender;
    type Input = SenderInput;
    /// Whether the business is registered.
    type Facts = bool;
    type View = SenderView;

    fn operation(&self, input: &SenderInput) -> &'static str {
        input.operation()
    }

    async fn gather(&self, command: &feira_runtime::Command, _input: &SenderInput) -> Result<bool, GatherError> {
        Ok(self.facts.sandbox(&command.tenant).await?.is_some())
    }

    fn command(&self, aggregate: &AggregateId, input: SenderInput, registered: bool) -> Command {
        match input {
            SenderInput::Open { display_name, channel } => {
                Command::Open { sender: aggregate.key().into(), display_name, channel, registered }
            }
        }
    }

    fn view(&self, aggregate: &AggregateId, version: u64, sender: &State) -> SenderView {
        let opened = sender.opened.as_ref();
        SenderView {
            sender: aggregate.key().into(),
            version,
            display_name: opened.map_or_else(|| Arc::from(""), |opened| opened.display_name.clone()),
            channel: opened.map(|opened| opened.channel),
        }
    }
}
