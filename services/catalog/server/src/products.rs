//! Products as the runtime hosts them.

use feira_catalog_domain::product::{Command, Pricing, Product, State};
use feira_commands::catalog::{Input, View};
use feira_ids::AggregateId;
use feira_runtime::{GatherError, Hosted};

/// Hosts products. They need no facts from elsewhere.
#[derive(Debug)]
pub struct Products;

impl Hosted for Products {
    type Domain = Product;
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
        match input {
            Input::Put { details, pricing } => Command::Put { sku: aggregate.key().into(), details, pricing },
            Input::SetPrice { price, sale_price } => Command::SetPrice { pricing: Pricing { price, sale_price } },
            Input::Withdraw => Command::Withdraw,
        }
    }

    fn view(&self, aggregate: &AggregateId, version: u64, product: &State) -> View {
        View {
            sku: aggregate.key().into(),
            version,
            listed: product.listed,
            details: product.details.clone(),
            pricing: product.pricing.clone(),
        }
    }
}
