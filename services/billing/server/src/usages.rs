//! Usage as the runtime hosts it.

use feira_billing_domain::usage::{Command, State, Usage};
use feira_commands::billing::{UsageInput, UsageView};
use feira_ids::AggregateId;
use feira_runtime::{GatherError, Hosted};

/// Hosts usage. It needs no facts from elsewhere.
#[derive(Debug)]
pub struct Usages;

impl Hosted for Usages {
    type Domain = Usage;
    type Input = UsageInput;
    type Facts = ();
    type View = UsageView;

    fn operation(&self, input: &UsageInput) -> &'static str {
        input.operation()
    }

    async fn gather(&self, _command: &feira_runtime::Command, _input: &UsageInput) -> Result<(), GatherError> {
        Ok(())
    }

    fn command(&self, aggregate: &AggregateId, input: UsageInput, (): ()) -> Command {
        match input {
            UsageInput::Record { source_lane, from_seq, to_seq, messages, payment_fees } => {
                let period = aggregate.key().into();
                Command::Record { period, source_lane, from_seq, to_seq, messages, payment_fees }
            }
        }
    }

    fn view(&self, aggregate: &AggregateId, version: u64, usage: &State) -> UsageView {
        UsageView {
            period: aggregate.key().into(),
            version,
            count: usage.count,
            fingerprint: usage.fingerprint.to_string().into(),
        }
    }
}
