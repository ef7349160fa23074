//! How an order answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use feira_decider::At;
use feira_money::Amount;

use super::{
    Command, Event, OrderAdvanced, OrderAwaitingPayment, OrderCancelled, OrderConfirmed, OrderPaid, OrderPaidLate,
    OrderPlaced, OrderRefundFailed, OrderRefunded, OrderStatus, OrderStockHeld, OrderStockTaken, PaymentStatus,
    Rejection, State, Terms,
};

pub(super) fn decide(order: &State, command: Command, at: At) -> Result<Vec<Event>, Rejection> {
    if let Command::Place { order: terms } = command {
        return place(order, terms);
    }
    let terms = order.terms.as_ref().ok_or(Rejection::Unknown)?;
    match command {
        Command::Place { .. } => Ok(vec![]),
        Command::StockHeld { sku } => stock_held(order, terms, sku),
        Command::StockRefused { sku, code, message } => {
            line(terms, &sku)?;
            Ok(fail(order, terms, Why { code, sku: Some(sku), message }))
        }
        Command::PaymentRefused { code, message } => Ok(fail(order, terms, Why { code, sku: None, message })),
        Command::Paid { amount, fee } => paid(order, terms, amount, fee),
        Command::StockTaken { sku } => stock_taken(order, terms, sku),
        Command::StockLost { sku, code, message } => stock_lost(order, terms, Why { code, sku: Some(sku), message }),
        Command::TimeOut => {
            let late = at.0 >= terms.until && order.is_open();
            let why = || Why::new("PAYMENT_TIME_OVER", "the order was not paid in time");
            Ok(if late { fail(order, terms, why()) } else { vec![] })
        }
        Command::Cancel { customer, reason } => cancel(order, terms, &customer, reason),
        Command::Advance { status } => advance(order, terms, status),
        Command::Refunded { refunded } => be_refunded(order, terms, refunded),
        Command::RefundFailed { code } => {
            let order = terms.order.clone();
            Ok(vec![Event::OrderRefundFailed(OrderRefundFailed { order, code })])
        }
    }
}

/// Why an order is called off.
struct Why {
    code: Arc<str>,
    sku: Option<Arc<str>>,
    message: Arc<str>,
}

impl Why {
    fn new(code: &str, message: &str) -> Self {
        Self { code: code.into(), sku: None, message: message.into() }
    }
}

fn place(order: &State, terms: Terms) -> Result<Vec<Event>, Rejection> {
    match &order.terms {
        Some(there) if *there == terms => Ok(vec![]),
        Some(_) => Err(Rejection::AlreadyPlaced),
        None if terms.lines.is_empty() || terms.total.minor <= 0 => Err(Rejection::Empty),
        None if !adds_up(&terms) => Err(Rejection::BadSum),
        None => Ok(vec![Event::OrderPlaced(OrderPlaced { order: terms })]),
    }
}

/// Whether every product has one line, with units in it, and the total is the sum of the lines.
fn adds_up(terms: &Terms) -> bool {
    let products: BTreeSet<_> = terms.lines.iter().map(|line| &line.sku).collect();
    let sum = terms.lines.iter().try_fold(Amount::new(0, terms.total.currency), |sum, line| {
        let positive = line.quantity > 0 && line.unit_price.minor >= 0;
        let comes_to = line.unit_price.checked_mul(line.quantity.into()).ok().filter(|_| positive)?;
        sum.checked_add(comes_to).ok()
    });
    products.len() == terms.lines.len() && sum == Some(terms.total)
}

fn line(terms: &Terms, sku: &str) -> Result<(), Rejection> {
    if terms.lines.iter().any(|line| &*line.sku == sku) { Ok(()) } else { Err(Rejection::NoSuchLine) }
}

fn stock_held(order: &State, terms: &Terms, sku: Arc<str>) -> Result<Vec<Event>, Rejection> {
    line(terms, &sku)?;
    // Units put aside for an order that is off are released by what called it off.
    if !order.is_open() || order.held.contains(&sku) {
        return Ok(vec![]);
    }
    let all = order.held.len() + 1 == terms.lines.len();
    let held = Event::OrderStockHeld(OrderStockHeld { order: terms.order.clone(), sku });
    let waits = || Event::OrderAwaitingPayment(OrderAwaitingPayment { order: terms.clone() });
    Ok([held].into_iter().chain(all.then(waits)).collect())
}

fn paid(order: &State, terms: &Terms, amount: Amount, fee: Amount) -> Result<Vec<Event>, Rejection> {
    if order.paid.is_some() {
        return Ok(vec![]);
    }
    if amount != terms.total {
        return Err(Rejection::WrongAmount { paid: amount.minor, due: terms.total.minor });
    }
    let order_terms = terms.clone();
    Ok(vec![if order.status == OrderStatus::Cancelled {
        Event::OrderPaidLate(OrderPaidLate { order: order_terms, amount })
    } else {
        Event::OrderPaid(OrderPaid { order: order_terms, amount, fee })
    }])
}

fn stock_taken(order: &State, terms: &Terms, sku: Arc<str>) -> Result<Vec<Event>, Rejection> {
    line(terms, &sku)?;
    if order.taken.contains(&sku) {
        return Ok(vec![]);
    }
    let taken = Event::OrderStockTaken(OrderStockTaken { order: terms.order.clone(), sku: sku.clone() });
    if order.status == OrderStatus::Cancelled {
        // Another line was lost meanwhile: what was taken since then goes back as well.
        let back = OrderCancelled { give_back: vec![sku], ..cancelled(order, terms, Why::again(order)) };
        let back = OrderCancelled { release: vec![], payment_asked: false, refund: None, ..back };
        return Ok(vec![taken, Event::OrderCancelled(back)]);
    }
    let all = order.taken.len() + 1 == terms.lines.len();
    let confirmed = || Event::OrderConfirmed(OrderConfirmed { order: terms.clone() });
    Ok([taken].into_iter().chain(all.then(confirmed)).collect())
}

impl Why {
    /// Why the order is off already.
    fn again(order: &State) -> Self {
        let off = order.off.clone();
        let (code, message) = off.map_or_else(Default::default, |off| (off.code, off.message));
        Self { code, sku: None, message }
    }
}

fn stock_lost(order: &State, terms: &Terms, why: Why) -> Result<Vec<Event>, Rejection> {
    line(terms, why.sku.as_deref().unwrap_or_default())?;
    if order.status != OrderStatus::Placed {
        return Ok(vec![]);
    }
    Ok(vec![Event::OrderCancelled(cancelled(order, terms, why))])
}

/// Calls an order off that nobody has paid yet.
fn fail(order: &State, terms: &Terms, why: Why) -> Vec<Event> {
    if order.is_open() { vec![Event::OrderCancelled(cancelled(order, terms, why))] } else { vec![] }
}

fn cancelled(order: &State, terms: &Terms, why: Why) -> OrderCancelled {
    let Why { code, sku, message } = why;
    let all = terms.lines.iter().map(|line| line.sku.clone());
    let (give_back, release) = all.partition(|sku| order.taken.contains(sku));
    OrderCancelled {
        order: terms.clone(),
        code,
        sku,
        message,
        release,
        give_back,
        payment_asked: order.payment == PaymentStatus::Pending,
        refund: order.paid,
    }
}

fn cancel(order: &State, terms: &Terms, customer: &str, reason: Arc<str>) -> Result<Vec<Event>, Rejection> {
    if &*terms.customer != customer {
        return Err(Rejection::Unknown);
    }
    if order.status == OrderStatus::Cancelled {
        return Ok(vec![]);
    }
    if order.paid.is_some() {
        return Err(Rejection::AlreadyPaid);
    }
    let why = Why { code: "CANCELLED".into(), sku: None, message: reason };
    Ok(fail(order, terms, why))
}

fn advance(order: &State, terms: &Terms, to: OrderStatus) -> Result<Vec<Event>, Rejection> {
    use OrderStatus::{Completed, Confirmed, PartiallyShipped, Processing, Shipped};
    let from = order.status;
    if from == to && matches!(to, Processing | PartiallyShipped | Shipped | Completed) {
        return Ok(vec![]);
    }
    match (from, to) {
        (Confirmed, Processing | PartiallyShipped | Shipped)
        | (Processing, PartiallyShipped | Shipped)
        | (PartiallyShipped, Shipped)
        | (Shipped, Completed) => Ok(vec![Event::OrderAdvanced(OrderAdvanced { order: terms.clone(), status: to })]),
        _ => Err(Rejection::IllegalTransition { from, to }),
    }
}

fn be_refunded(order: &State, terms: &Terms, refunded: Amount) -> Result<Vec<Event>, Rejection> {
    let paid = order.paid.filter(|paid| refunded.currency == paid.currency && refunded.minor <= paid.minor);
    let paid = paid.ok_or(Rejection::RefundTooLarge)?;
    // What is told later than a larger sum is old.
    if order.refunded.is_some_and(|before| before.minor >= refunded.minor) {
        return Ok(vec![]);
    }
    let payment = if refunded == paid { PaymentStatus::Refunded } else { PaymentStatus::PartiallyRefunded };
    Ok(vec![Event::OrderRefunded(OrderRefunded { order: terms.order.clone(), refunded, payment })])
}
