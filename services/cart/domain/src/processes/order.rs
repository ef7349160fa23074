//! The purchase, from a cart that is checked out to goods that are paid and taken from stock.
//!
//! Checked out, placed, units put aside, asked to pay, paid, units taken, confirmed; the customer is told in the thread.
//! What fails at any step calls the order off, and from that everything that was done is undone.

use std::sync::Arc;

use feira_commands::{cart, conversation, order, payments, stock};
use feira_decider::{Ask, Do, Process};
use feira_events::conversation::Content;
use feira_events::order::{Event as OrderEvent, Order, OrderCancelled, OrderLine, OrderStatus};
use feira_events::payments::Intent;
use feira_events::{Meta, cart as cart_events, payments as payment_events, stock as stock_events};
use feira_ids::{AggregateId, TenantId};

/// How much longer units are put aside than an order can be paid: who pays at the last moment still gets them.
const HOLD_GRACE_MS: i64 = 60_000;

/// Leads orders to their end.
#[derive(Debug)]
pub struct OrderProcess;

/// What orders follow from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderSource {
    /// A cart.
    Cart(cart_events::Event),
    /// An order itself.
    Order(OrderEvent),
    /// Stock.
    Stock(stock_events::Event),
    /// Payments.
    Payments(payment_events::Event),
}

impl Process for OrderProcess {
    const NAME: &'static str = "order";
    type Event = OrderSource;

    fn react(meta: &Meta, event: &OrderSource) -> Vec<Do> {
        let reactions = match event {
            OrderSource::Cart(event) => of_cart(meta, event),
            OrderSource::Order(event) => of_order(meta, event),
            OrderSource::Stock(event) => of_stock(meta, event),
            OrderSource::Payments(event) => of_payments(event),
        };
        // An id that names nothing comes of nothing that was ever accepted.
        reactions.unwrap_or_default()
    }
}

fn of_cart(meta: &Meta, event: &cart_events::Event) -> Option<Vec<Do>> {
    let cart_events::Event::CheckedOut(checked_out) = event else { return None };
    let terms = &checked_out.order;
    let place = order::Input::Place { order: terms.clone() };
    let failed = fail_checkout("unplaced", &meta.tenant, terms, "".into(), None, "".into())?;
    Some(vec![ask_order("place", &meta.tenant, &terms.order, &place)?.or(failed).now()])
}

fn of_order(meta: &Meta, event: &OrderEvent) -> Option<Vec<Do>> {
    let tenant = &meta.tenant;
    match event {
        OrderEvent::OrderPlaced(placed) => {
            let terms = &placed.order;
            let late = ask_order("time-out", tenant, &terms.order, &order::Input::TimeOut)?;
            let reserve = terms.lines.iter().filter_map(|line| Some(reserve(tenant, terms, line)?.now()));
            Some([late.at(timer(&terms.order), terms.until)].into_iter().chain(reserve).collect())
        }
        OrderEvent::OrderAwaitingPayment(waits) => {
            let terms = &waits.order;
            let details = Content::OrderDetails { order: terms.order.clone(), total: terms.total };
            let asked = [create_intent(tenant, terms)?.now()];
            Some(asked.into_iter().chain(tell(meta, terms, details)).collect())
        }
        OrderEvent::OrderPaid(paid) => {
            let commit = paid.order.lines.iter().filter_map(|line| Some(commit(tenant, &paid.order, line)?.now()));
            Some(commit.chain([Do::Forget { timer: timer(&paid.order.order) }]).collect())
        }
        OrderEvent::OrderConfirmed(confirmed) => {
            let terms = &confirmed.order;
            let done = cart::Input::CompleteCheckout { order: terms.order.clone() };
            let cart = AggregateId::new("cart", &terms.customer).ok()?;
            let done = Ask::new("done", tenant, cart, done.operation(), &done).now();
            Some([done].into_iter().chain(tell(meta, terms, status(terms, "CONFIRMED", None))).collect())
        }
        OrderEvent::OrderAdvanced(advanced) => {
            let terms = &advanced.order;
            let name = match advanced.status {
                OrderStatus::Processing => "PROCESSING",
                OrderStatus::PartiallyShipped => "PARTIALLY_SHIPPED",
                OrderStatus::Shipped => "SHIPPED",
                OrderStatus::Completed => "COMPLETED",
                OrderStatus::Placed | OrderStatus::Confirmed | OrderStatus::Cancelled | OrderStatus::Unknown => {
                    return None;
                }
            };
            Some(tell(meta, terms, status(terms, name, None)).into_iter().collect())
        }
        OrderEvent::OrderCancelled(cancelled) => Some(undo(meta, cancelled)),
        OrderEvent::OrderPaidLate(late) => Some(vec![refund(tenant, &late.order)?.now()]),
        OrderEvent::OrderStockHeld(_)
        | OrderEvent::OrderStockTaken(_)
        | OrderEvent::OrderRefunded(_)
        | OrderEvent::OrderRefundFailed(_) => None,
    }
}

/// Undoes all that was done for an order that is off, and tells the customer.
fn undo(meta: &Meta, cancelled: &OrderCancelled) -> Vec<Do> {
    let OrderCancelled { order: terms, code, sku, message, release, give_back, payment_asked, refund: paid } =
        cancelled;
    let tenant = &meta.tenant;
    let (id, account) = (terms.order.clone(), terms.account.clone());
    let released = release
        .iter()
        .filter_map(|sku| ask_stock("release", tenant, sku, &stock::Input::Release { order: id.clone() }));
    let returned = give_back.iter().filter_map(|sku| {
        let quantity = terms.lines.iter().find(|line| line.sku == *sku)?.quantity;
        ask_stock("return", tenant, sku, &stock::Input::Return { order: id.clone(), quantity })
    });
    let no_intent = payment_asked
        .then(|| ask_payments("cancel", terms, &payments::Input::CancelIntent { intent: id.clone(), account }));
    let refunded = paid.as_ref().and_then(|_| refund(tenant, terms));
    let failed = fail_checkout("failed", tenant, terms, code.clone(), sku.clone(), message.clone());
    let asks = released.chain(returned).chain(no_intent.flatten()).chain(refunded).chain(failed).map(|ask| ask.now());
    // An order that is off stays off: what comes later only gives back what was taken meanwhile, and releases nothing.
    let told =
        if release.is_empty() { None } else { tell(meta, terms, status(terms, "CANCELLED", Some(code.clone()))) };
    asks.chain([Do::Forget { timer: timer(&id) }]).chain(told).collect()
}

fn of_stock(meta: &Meta, event: &stock_events::Event) -> Option<Vec<Do>> {
    let tenant = &meta.tenant;
    let ask = match event {
        stock_events::Event::StockReserved(reserved) => {
            let held = order::Input::StockHeld { sku: reserved.sku.clone() };
            ask_order("held", tenant, &reserved.order, &held)?
        }
        stock_events::Event::StockCommitted(committed) => {
            let taken = order::Input::StockTaken { sku: committed.sku.clone() };
            ask_order("taken", tenant, &committed.order, &taken)?
        }
        stock_events::Event::StockSet(_) | stock_events::Event::StockReleased(_) => return None,
    };
    Some(vec![ask.now()])
}

fn of_payments(event: &payment_events::Event) -> Option<Vec<Do>> {
    let of = |intent: &Intent| Some((TenantId::new(intent.business.clone()).ok()?, intent.order.clone()));
    let ask = match event {
        payment_events::Event::IntentCaptured(captured) => {
            let (tenant, id) = of(&captured.intent)?;
            let paid = order::Input::Paid { amount: captured.intent.amount, fee: captured.fee };
            ask_order("paid", &tenant, &id, &paid)?
        }
        payment_events::Event::IntentClosed(closed) if &*closed.reason == "EXPIRED" => {
            let (tenant, id) = of(&closed.intent)?;
            let (code, message) = ("PAYMENT_TIME_OVER".into(), "the order was not paid in time".into());
            ask_order("expired", &tenant, &id, &order::Input::PaymentRefused { code, message })?
        }
        payment_events::Event::IntentRefunded(refunded) => {
            let (tenant, id) = of(&refunded.intent)?;
            ask_order("refunded", &tenant, &id, &order::Input::Refunded { refunded: refunded.refunded })?
        }
        payment_events::Event::RefundFailed(failed) => {
            let (tenant, id) = of(&failed.intent)?;
            ask_order("refund-failed", &tenant, &id, &order::Input::RefundFailed { code: failed.reason.clone() })?
        }
        // What moves between accounts, and an intent that the order itself called off, is no news to it.
        payment_events::Event::AccountOpened(_)
        | payment_events::Event::AccountFunded(_)
        | payment_events::Event::TransferReserved(_)
        | payment_events::Event::TransferCancelAsked(_)
        | payment_events::Event::TransferCredited(_)
        | payment_events::Event::TransferDeclined(_)
        | payment_events::Event::TransferSettled(_)
        | payment_events::Event::TransferReturned(_)
        | payment_events::Event::RequestMade(_)
        | payment_events::Event::RequestMoved(_)
        | payment_events::Event::IntentCreated(_)
        | payment_events::Event::IntentClosed(_)
        | payment_events::Event::RefundBegun(_)
        | payment_events::Event::RegimeSuspended(_)
        | payment_events::Event::RegimeResumed(_) => return None,
    };
    Some(vec![ask.now()])
}

/// Tells the cart that no order comes of it.
fn fail_checkout(
    step: &'static str,
    tenant: &TenantId,
    terms: &Order,
    code: Arc<str>,
    sku: Option<Arc<str>>,
    message: Arc<str>,
) -> Option<Ask> {
    let failed = cart::Input::FailCheckout { order: terms.order.clone(), code, sku, message };
    let cart = AggregateId::new("cart", &terms.customer).ok()?;
    Some(Ask::new(step, tenant, cart, failed.operation(), &failed))
}

fn reserve(tenant: &TenantId, terms: &Order, line: &OrderLine) -> Option<Ask> {
    let until = terms.until.saturating_add(HOLD_GRACE_MS);
    let reserve = stock::Input::Reserve { order: terms.order.clone(), quantity: line.quantity, until };
    let sku = line.sku.clone();
    let refused = order::Input::StockRefused { sku, code: "".into(), message: "".into() };
    Some(ask_stock("reserve", tenant, &line.sku, &reserve)?.or(ask_order("refused", tenant, &terms.order, &refused)?))
}

fn commit(tenant: &TenantId, terms: &Order, line: &OrderLine) -> Option<Ask> {
    let sku = line.sku.clone();
    let lost = order::Input::StockLost { sku, code: "".into(), message: "".into() };
    let commit = stock::Input::Commit { order: terms.order.clone() };
    Some(ask_stock("commit", tenant, &line.sku, &commit)?.or(ask_order("lost", tenant, &terms.order, &lost)?))
}

fn create_intent(tenant: &TenantId, terms: &Order) -> Option<Ask> {
    let intent = Intent {
        intent: terms.order.clone(),
        business: tenant.as_str().into(),
        order: terms.order.clone(),
        customer: terms.customer.clone(),
        account: terms.account.clone(),
        amount: terms.total,
    };
    let create = payments::Input::CreateIntent { intent, expires: terms.until };
    let refused = order::Input::PaymentRefused { code: "".into(), message: "".into() };
    Some(ask_payments("ask", terms, &create)?.or(ask_order("unpayable", tenant, &terms.order, &refused)?))
}

/// Gives back all that was paid for an order.
fn refund(tenant: &TenantId, terms: &Order) -> Option<Ask> {
    let refund = payments::Input::Refund {
        intent: terms.order.clone(),
        account: terms.account.clone(),
        refund: "order".into(),
        amount: None,
        reason: "the order is off".into(),
    };
    let failed = order::Input::RefundFailed { code: "".into() };
    Some(ask_payments("refund", terms, &refund)?.or(ask_order("unrefunded", tenant, &terms.order, &failed)?))
}

fn ask_order(step: &'static str, tenant: &TenantId, id: &str, input: &order::Input) -> Option<Ask> {
    Some(Ask::new(step, tenant, AggregateId::new("order", id).ok()?, input.operation(), input))
}

fn ask_stock(step: &'static str, tenant: &TenantId, sku: &str, input: &stock::Input) -> Option<Ask> {
    Some(Ask::new(step, tenant, AggregateId::new("stock", sku).ok()?, input.operation(), input))
}

fn ask_payments(step: &'static str, terms: &Order, input: &payments::Input) -> Option<Ask> {
    let platform = TenantId::new(TenantId::PLATFORM).ok()?;
    Some(Ask::new(step, &platform, terms.account.aggregate(), input.operation(), input))
}

fn status(terms: &Order, status: &str, reason: Option<Arc<str>>) -> Content {
    Content::OrderStatus { order: terms.order.clone(), status: status.into(), reason }
}

/// Writes to the customer, when the order was made in a thread. One that cannot be written to is not: the order goes on.
fn tell(meta: &Meta, terms: &Order, content: Content) -> Option<Do> {
    let thread = AggregateId::new("thread", terms.thread.as_deref()?).ok()?;
    let message = format!("order-{}", meta.event_id).into();
    let send = conversation::ThreadInput::Send { message, content };
    Some(Ask::new("tell", &meta.tenant, thread, send.operation(), &send).now())
}

fn timer(id: &str) -> String {
    format!("order/{id}")
}
