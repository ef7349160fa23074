//! Stock as the runtime hosts it.

use feira_catalog_domain::stock::{Command, State, Stock};
use feira_commands::stock::{Input, View};
use feira_ids::AggregateId;
use feira_runtime::{GatherError, Hosted};

/// Hosts stock. It needs no facts from elsewhere.
#[derive(Debug)]
pub struct Stocks;

impl Hosted for Stocks {
    type Domain = Stock;
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
        Command { sku: aggregate.key().into(), input }
    }

    fn view(&self, aggregate: &AggregateId, version: u64, stock: &State) -> View {
        View {
            sku: aggregate.key().into(),
            version,
            on_hand: stock.on_hand,
            reserved: stock.reserved(),
            available: stock.available(),
        }
    }
}
