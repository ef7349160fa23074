//! Businesses as the runtime hosts them.

use feira_commands::conversation::{BusinessInput, BusinessView};
use feira_conversation_domain::business::{Business, Command, State};
use feira_ids::AggregateId;
use feira_runtime::{GatherError, Hosted};

/// Hosts businesses. They need no facts from elsewhere.
#[derive(Debug)]
pub struct Businesses;

impl Hosted for Businesses {
    type Domain = Business;
    type Input = BusinessInput;
    type Facts = ();
    type View = BusinessView;

    fn operation(&self, input: &BusinessInput) -> &'static str {
        input.operation()
    }

    async fn gather(&self, _command: &feira_runtime::Command, _input: &BusinessInput) -> Result<(), GatherError> {
        Ok(())
    }

    fn command(&self, _aggregate: &AggregateId, input: BusinessInput, (): ()) -> Command {
        match input {
            BusinessInput::Register { name, profile, country, sandbox } => {
                Command::Register { name, profile, country, sandbox }
            }
            BusinessInput::SetProfile { name, profile } => Command::SetProfile { name, profile },
            BusinessInput::MoveClock { by_ms, to } => Command::MoveClock { by_ms, to },
        }
    }

    fn view(&self, _aggregate: &AggregateId, version: u64, business: &State) -> BusinessView {
        BusinessView {
            version,
            registered: business.registered,
            name: business.name.clone(),
            profile: business.profile.clone(),
            country: business.country.clone(),
            sandbox: business.sandbox,
            clock_offset_ms: business.clock_offset_ms,
        }
    }
}
