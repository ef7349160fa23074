//! The aggregates of __name__ as the runtime hosts them.

use feira___name___domain::__name__::{Command, State, __Name__};
use feira_commands::__name__::{Input, View};
use feira_ids::AggregateId;
use feira_runtime::{GatherError, Hosted};

/// Hosts the one kind there is. It needs no facts from elsewhere.
#[derive(Debug)]
pub struct Hosted__Name__;

impl Hosted for Hosted__Name__ {
    type Domain = __Name__;
    type Input = Input;
    type Facts = ();
    type View = View;

    fn operation(&self, input: &Input) -> &'static str {
        input.operation()
    }

    async fn gather(&self, _command: &feira_runtime::Command, _input: &Input) -> Result<(), GatherError> {
        Ok(())
    }

    fn command(&self, aggregate: &AggregateId, input: Input, (): ()) -> Command {
        Command { id: aggregate.key().into(), input }
    }

    fn view(&self, aggregate: &AggregateId, version: u64, state: &State) -> View {
        View { id: aggregate.key().into(), version, title: state.title.clone() }
    }
}
