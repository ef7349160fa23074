//! Invoices as the runtime hosts them.

use feira_billing_domain::invoice::{self, Command, State};
use feira_billing_domain::rating::Tally;
use feira_commands::billing::{InvoiceInput, InvoicesView};
use feira_events::FactPosition;
use feira_ids::AggregateId;
use feira_runtime::{GatherError, Hosted};

use crate::MonthUsage;

/// Hosts invoices.
pub struct Invoices {
    usage: MonthUsage,
}

/// A month's usage, added up, and up to where it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered {
    /// The usage.
    pub tally: Tally,
    /// Everything up to here is in it, and nothing behind.
    pub position: FactPosition,
}

impl Invoices {
    /// Hosts invoices that are made of what `usage` finds.
    pub fn new(usage: MonthUsage) -> Self {
        Self { usage }
    }
}

impl Hosted for Invoices {
    type Domain = invoice::Invoices;
    type Input = InvoiceInput;
    type Facts = Gathered;
    type View = InvoicesView;

    fn operation(&self, input: &InvoiceInput) -> &'static str {
        input.operation()
    }

    async fn gather(&self, command: &feira_runtime::Command, input: &InvoiceInput) -> Result<Gathered, GatherError> {
        match input {
            InvoiceInput::Draft { period } | InvoiceInput::Issue { period } => {
                self.usage.of(&command.tenant, period).await
            }
        }
    }

    fn command(&self, aggregate: &AggregateId, input: InvoiceInput, usage: Gathered) -> Command {
        let (series, Gathered { tally, position }) = (aggregate.key().into(), usage);
        match input {
            InvoiceInput::Draft { period } => Command::Draft { series, period, usage: tally, position },
            InvoiceInput::Issue { period } => Command::Issue { series, period, usage: tally },
        }
    }

    fn view(&self, _aggregate: &AggregateId, version: u64, invoices: &State) -> InvoicesView {
        InvoicesView { version, issued: invoices.number, latest: invoices.latest.clone() }
    }
}
