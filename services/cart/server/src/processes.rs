//! What follows from carts and orders, as the runtime runs it.

use std::sync::Arc;

use feira_cart_domain::processes::{OrderProcess, OrderSource};
use feira_codec::{CodecError, Opened};
use feira_events::{cart, order, payments, stock};
use feira_runtime::{ProcessManager, process};

use crate::{CATALOG, PAYMENTS, SERVICE};

/// Leads orders to their end.
pub fn order() -> Arc<dyn ProcessManager> {
    process::<OrderProcess>(&[SERVICE, CATALOG, PAYMENTS], source)
}

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
    if record.is::<payments::Event>() {
        return record.decode().map(OrderSource::Payments).map(Some);
    }
    Ok(None)
}
