//! Orders as the runtime hosts them.

use feira_cart_domain::order::{Command, Order, State};
use feira_commands::order::{Input, View};
use feira_ids::{AggregateId, Principal};
use feira_runtime::{GatherError, Hosted};

/// Hosts orders. They need no facts from elsewhere.
#[derive(Debug)]
pub struct Orders;

impl Hosted for Orders {
    type Domain = Order;
    type Input = Input;
    type Facts = ();
    type View = View;

    fn operation(&self, input: &Input) -> &'static str {
        input.operation()
    }

    /// A customer calls off what they say is theirs; whether it is, the order knows.
    fn owns(&self, principal: &Principal, _aggregate: &AggregateId, input: &Input) -> bool {
        matches!(input, Input::Cancel { customer, .. } if **customer == *principal.id)
    }

    async fn gather(&self, _command: &feira_runtime::Command, _input: &Input) -> Result<(), GatherError> {
        Ok(())
    }

    fn command(&self, _aggregate: &AggregateId, input: Input, (): ()) -> Command {
        input
    }

    fn view(&self, _aggregate: &AggregateId, version: u64, order: &State) -> View {
        View {
            version,
            order: order.terms.clone(),
            status: order.status,
            payment: order.payment,
            refunded: order.refunded,
            code: order.off.as_ref().map(|off| off.code.clone()),
            message: order.off.as_ref().map(|off| off.message.clone()),
        }
    }
}
