//! One of every event of orders, of stock, and of carts that are checked out.

use feira_events::{cart, order, stock};
use feira_ids::AccountId;
use feira_money::Amount;

fn brl(minor: i64) -> Amount {
    Amount::new(minor, "BRL".parse().unwrap())
}

fn bought() -> order::Order {
    order::Order {
        order: "o-1f2e3d4c5b6a7988".into(),
        customer: "BR.1234".into(),
        thread: Some("main/BR.1234".into()),
        account: AccountId::parse("0/biz/feira-livre").unwrap(),
        lines: vec![order::OrderLine {
            sku: "CAFE-250".into(),
            title: "Café torrado em grãos, 250 g".into(),
            quantity: 3,
            unit_price: brl(2_490),
        }],
        total: brl(7_470),
        until: 1_764_106_200_000,
    }
}

/// Every event of carts that are checked out.
pub fn carts() -> Vec<cart::Event> {
    let line =
        cart::Line { sku: "CHA-100".into(), title: "Chá".into(), quantity: 1, unit_price: brl(990), first_added: 2 };
    vec![
        cart::Event::CheckedOut(cart::CheckedOut { order: bought() }),
        cart::Event::CheckoutCompleted(cart::CheckoutCompleted {
            order: bought().order,
            lines: vec![line],
            gone: vec!["CAFE-250".into()],
        }),
        cart::Event::CheckoutFailed(cart::CheckoutFailed {
            order: bought().order,
            code: "OUT_OF_STOCK".into(),
            sku: Some("CAFE-250".into()),
            message: "2 are left, 3 are asked".into(),
        }),
    ]
}

/// Every event of orders.
pub fn orders() -> Vec<order::Event> {
    let (id, sku) = (bought().order, bought().lines[0].sku.clone());
    vec![
        order::Event::OrderPlaced(order::OrderPlaced { order: bought() }),
        order::Event::OrderStockHeld(order::OrderStockHeld { order: id.clone(), sku: sku.clone() }),
        order::Event::OrderAwaitingPayment(order::OrderAwaitingPayment { order: bought() }),
        order::Event::OrderPaid(order::OrderPaid { order: bought(), amount: brl(7_470), fee: brl(298) }),
        order::Event::OrderStockTaken(order::OrderStockTaken { order: id.clone(), sku: sku.clone() }),
        order::Event::OrderConfirmed(order::OrderConfirmed { order: bought() }),
        order::Event::OrderAdvanced(order::OrderAdvanced { order: bought(), status: order::OrderStatus::Shipped }),
        order::Event::OrderCancelled(order::OrderCancelled {
            order: bought(),
            code: "OUT_OF_STOCK".into(),
            sku: Some(sku.clone()),
            message: "2 are left, 3 are asked".into(),
            release: vec![sku.clone()],
            give_back: vec![sku],
            payment_asked: true,
            refund: Some(brl(7_470)),
        }),
        order::Event::OrderPaidLate(order::OrderPaidLate { order: bought(), amount: brl(7_470) }),
        order::Event::OrderRefunded(order::OrderRefunded {
            order: id.clone(),
            refunded: brl(7_470),
            payment: order::PaymentStatus::Refunded,
        }),
        order::Event::OrderRefundFailed(order::OrderRefundFailed { order: id, code: "INSUFFICIENT_FUNDS".into() }),
    ]
}

/// Every event of stock.
pub fn stocks() -> Vec<stock::Event> {
    let (sku, order) = (bought().lines[0].sku.clone(), bought().order);
    vec![
        stock::Event::StockSet(stock::StockSet { sku: sku.clone(), on_hand: 10, available: 7 }),
        stock::Event::StockReserved(stock::StockReserved {
            sku: sku.clone(),
            order: order.clone(),
            quantity: 3,
            until: 1_764_106_260_000,
            available: Some(4),
        }),
        stock::Event::StockCommitted(stock::StockCommitted {
            sku: sku.clone(),
            order: order.clone(),
            quantity: 3,
            on_hand: Some(7),
            available: Some(4),
        }),
        stock::Event::StockReleased(stock::StockReleased {
            sku,
            order,
            quantity: 3,
            reason: stock::ReleaseReason::Expired,
            available: None,
        }),
    ]
}
