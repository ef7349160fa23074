//! What follows from carts and orders, as the runtime runs it.

use std::sync::Arc;

use feira_cart_domain::processes::{OrderProcess, OrderSource};
use feira_codec::{CodecError, Opened};
use feira_events::{cart, order, stock};
use feira_runtime::{ProcessManager, process};

use crate::{CATALOG, PAYMENTS, SERVICE};

/// Leads orders to their end.
pub fn order() -> Arc<dyn ProcessManager> {
    process::<OrderProcess>(&[SERVICE, CATALOG, PAYMENTS], source)
}

/// The events of payments that orders follow from; no other is even read.
const FOLLOWED_OF_PAYMENTS: [&str; 4] = [
    "feira.payments.v1.IntentCaptured",
    "feira.payments.v1.IntentClosed",
    "feira.payments.v1.IntentRefunded",
    "feira.payments.v1.RefundFailed",
];

/// What a record says that orders follow from; nothing for many of them.
fn source(record: &Opened) -> Result<Option<OrderSource>, CodecError> {
    if record.is::<cart::Event>() {
        return record.decode().map(OrderSource::Cart).map(Some);
    }
    if record.is::<order::Event>() {
        return record.decode().map(OrderSource::Order).map(Some);
    }
    if record.is::<stock::Event>() {
        return record.decode().map(OrderSource::Stock).map(Some);
    }
    if FOLLOWED_OF_PAYMENTS.contains(&record.name) {
        return record.decode().map(OrderSource::Payments).map(Some);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use feira_codec::EventSet;
    use feira_events::payments;

    use super::*;

    #[test]
    fn what_is_followed_is_published() {
        let names = payments::Event::names();
        assert!(FOLLOWED_OF_PAYMENTS.iter().all(|name| names.contains(name)), "{FOLLOWED_OF_PAYMENTS:?}");
    }
}
