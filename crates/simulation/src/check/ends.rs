//! What is begun has an end once all is at rest: checkouts, orders, reservations, payments, transfers.

use std::collections::BTreeMap;

use feira_codec::{CodecError, Opened};
use feira_events::stock::ReleaseReason;
use feira_events::{cart, order, payments, stock};

/// What has begun, and where.
#[derive(Default)]
pub struct Ends {
    open: BTreeMap<String, String>,
}

/// What an event does.
enum Turn {
    Begins(String),
    Ends(String),
    Neither,
}

impl Ends {
    /// Takes in a record, those of one aggregate in their order.
    ///
    /// # Errors
    /// When it cannot be decoded.
    pub fn take(&mut self, record: &Opened) -> Result<(), CodecError> {
        let meta = &record.meta;
        let turn = match () {
            () if record.is::<cart::Event>() => of_cart(&record.decode()?),
            () if record.is::<order::Event>() => of_order(&record.decode()?),
            () if record.is::<stock::Event>() => of_stock(&record.decode()?),
            () if record.is::<payments::Event>() => of_payments(&record.decode()?),
            () => Turn::Neither,
        };
        match turn {
            Turn::Begins(what) => {
                let place = format!("record {} of lane {}", meta.lane_seq, meta.lane);
                self.open.insert(format!("{what} of {}", meta.tenant), place);
            }
            Turn::Ends(what) => drop(self.open.remove(&format!("{what} of {}", meta.tenant))),
            Turn::Neither => {}
        }
        Ok(())
    }

    /// What has no end.
    pub fn open(&self) -> impl Iterator<Item = String> {
        self.open.iter().map(|(what, place)| format!("{what}, begun by {place}, has no end"))
    }
}

fn of_cart(event: &cart::Event) -> Turn {
    let checkout = |order: &str| format!("checkout {order}");
    match event {
        cart::Event::CheckedOut(out) => Turn::Begins(checkout(&out.order.order)),
        cart::Event::CheckoutCompleted(done) => Turn::Ends(checkout(&done.order)),
        cart::Event::CheckoutFailed(failed) => Turn::Ends(checkout(&failed.order)),
        cart::Event::ItemAdded(_)
        | cart::Event::QuantitySet(_)
        | cart::Event::ItemRemoved(_)
        | cart::Event::NoteSet(_)
        | cart::Event::EditUndone(_) => Turn::Neither,
    }
}

fn of_order(event: &order::Event) -> Turn {
    let order = |order: &order::Order| format!("order {}", order.order);
    match event {
        order::Event::OrderPlaced(placed) => Turn::Begins(order(&placed.order)),
        order::Event::OrderConfirmed(confirmed) => Turn::Ends(order(&confirmed.order)),
        order::Event::OrderCancelled(cancelled) => Turn::Ends(order(&cancelled.order)),
        order::Event::OrderStockHeld(_)
        | order::Event::OrderAwaitingPayment(_)
        | order::Event::OrderPaid(_)
        | order::Event::OrderStockTaken(_)
        | order::Event::OrderAdvanced(_)
        | order::Event::OrderPaidLate(_)
        | order::Event::OrderRefunded(_)
        | order::Event::OrderRefundFailed(_) => Turn::Neither,
    }
}

fn of_stock(event: &stock::Event) -> Turn {
    let reservation = |sku: &str, order: &str| format!("reservation of {sku} for {order}");
    match event {
        stock::Event::StockReserved(reserved) => Turn::Begins(reservation(&reserved.sku, &reserved.order)),
        stock::Event::StockCommitted(committed) => Turn::Ends(reservation(&committed.sku, &committed.order)),
        stock::Event::StockReleased(released) if released.reason != ReleaseReason::Returned => {
            Turn::Ends(reservation(&released.sku, &released.order))
        }
        stock::Event::StockReleased(_) | stock::Event::StockSet(_) => Turn::Neither,
    }
}

fn of_payments(event: &payments::Event) -> Turn {
    let (intent, transfer) = (|id: &str| format!("payment {id}"), |id: &str| format!("transfer {id}"));
    match event {
        payments::Event::IntentCreated(created) => Turn::Begins(intent(&created.intent.intent)),
        payments::Event::IntentCaptured(captured) => Turn::Ends(intent(&captured.intent.intent)),
        payments::Event::IntentClosed(closed) => Turn::Ends(intent(&closed.intent.intent)),
        payments::Event::TransferReserved(reserved) => Turn::Begins(transfer(&reserved.transfer.transfer)),
        payments::Event::TransferSettled(settled) => Turn::Ends(transfer(&settled.transfer.transfer)),
        payments::Event::TransferReturned(returned) => Turn::Ends(transfer(&returned.transfer.transfer)),
        payments::Event::AccountOpened(_)
        | payments::Event::AccountFunded(_)
        | payments::Event::TransferCancelAsked(_)
        | payments::Event::TransferCredited(_)
        | payments::Event::TransferDeclined(_)
        | payments::Event::RequestMade(_)
        | payments::Event::RequestMoved(_)
        | payments::Event::RefundBegun(_)
        | payments::Event::IntentRefunded(_)
        | payments::Event::RefundFailed(_)
        | payments::Event::RegimeSuspended(_)
        | payments::Event::RegimeResumed(_) => Turn::Neither,
    }
}
