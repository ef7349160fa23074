//! The rules of stock.

use std::collections::BTreeMap;
use std::sync::Arc;

use feira_codec::fixture::wire;
use feira_commands::stock::{Input, UNITS_MAX};
use feira_decider::{At, Decider, Given, given};
use proptest::prelude::*;

use super::*;

const NOW: At = At(1_700_000_000_000);
const UNTIL: i64 = NOW.0 + 60_000;

fn stock(events: impl IntoIterator<Item = Event>) -> Given<Stock> {
    given::<Stock>(events).at(NOW).through(wire)
}

fn ask(input: Input) -> Command {
    Command { sku: "CAFE".into(), input }
}

fn reserve(order: &str, quantity: i32) -> Command {
    ask(Input::Reserve { order: order.into(), quantity, until: UNTIL })
}

fn set(on_hand: i64, available: i64) -> Event {
    Event::StockSet(StockSet { sku: "CAFE".into(), on_hand, available })
}

fn reserved(order: &str, quantity: i32, available: impl Into<Option<i64>>) -> Event {
    let (sku, order) = ("CAFE".into(), order.into());
    Event::StockReserved(StockReserved { sku, order, quantity, until: UNTIL, available: available.into() })
}

fn released(order: &str, quantity: i32, reason: ReleaseReason, available: i64) -> Event {
    let (sku, order) = ("CAFE".into(), order.into());
    Event::StockReleased(StockReleased { sku, order, quantity, reason, available: Some(available) })
}

fn committed(order: &str, quantity: i32, on_hand: i64, available: i64) -> Event {
    let (sku, order) = ("CAFE".into(), order.into());
    let (on_hand, available) = (Some(on_hand), Some(available));
    Event::StockCommitted(StockCommitted { sku, order, quantity, on_hand, available })
}

#[test]
fn units_are_put_aside_sold_and_released() {
    let given = stock([]).when(ask(Input::Set { on_hand: 10 })).then([set(10, 10)]);
    let given = given.when(reserve("o-1", 4)).then([reserved("o-1", 4, 6)]);
    let given = given.when(reserve("o-2", 6)).then([reserved("o-2", 6, 0)]);
    given.when(reserve("o-3", 1)).then_refused(Rejection::OutOfStock { available: 0, asked: 1 });
    let given = stock([set(10, 10), reserved("o-1", 4, 6), reserved("o-2", 6, 0)]);
    let given = given.when(ask(Input::Commit { order: "o-1".into() })).then([committed("o-1", 4, 6, 0)]);
    let freed = released("o-2", 6, ReleaseReason::Released, 6);
    let given = given.when(ask(Input::Release { order: "o-2".into() })).then([freed]);
    let given = given.when(ask(Input::Release { order: "o-2".into() })).then([]);
    given.when(ask(Input::Commit { order: "o-2".into() })).then_refused(Rejection::NotReserved);
}

#[test]
fn what_was_sold_can_come_back() {
    let given = stock([set(10, 10), reserved("o-1", 4, 6), committed("o-1", 4, 6, 6)]);
    let back = released("o-1", 4, ReleaseReason::Returned, 10);
    given.when(ask(Input::Return { order: "o-1".into(), quantity: 4 })).then([back]);
}

#[test]
fn a_reservation_ends_when_its_time_has_come_and_not_before() {
    let history = || [set(10, 10), reserved("o-1", 10, 0)];
    let before = stock(history()).at(At(UNTIL - 1));
    before.when(reserve("o-2", 1)).then_refused(Rejection::OutOfStock { available: 0, asked: 1 });
    let expired = released("o-1", 10, ReleaseReason::Expired, 10);
    let late = Input::Reserve { order: "o-2".into(), quantity: 1, until: UNTIL + 60_000 };
    let taken = Event::StockReserved(StockReserved {
        sku: "CAFE".into(),
        order: "o-2".into(),
        quantity: 1,
        until: UNTIL + 60_000,
        available: Some(9),
    });
    stock(history()).at(At(UNTIL)).when(ask(late)).then([expired.clone(), taken]);
    stock(history()).at(At(UNTIL)).when(ask(Input::Expire { order: "o-1".into() })).then([expired]);
    stock(history()).at(At(UNTIL - 1)).when(ask(Input::Expire { order: "o-1".into() })).then([]);
    // Who comes to take it then finds it gone.
    stock(history())
        .at(At(UNTIL))
        .when(ask(Input::Commit { order: "o-1".into() }))
        .then_refused(Rejection::NotReserved);
}

#[test]
fn however_many_run_out_at_once_end_a_few_at_a_time() {
    let many = decide::EXPIRED_MAX + 10;
    let standing = Reservation { quantity: 1, until: UNTIL };
    let reserved = (0..many).map(|i| (format!("o-{i:04}").into(), standing)).collect();
    let mut state = State { on_hand: Some(many as i64), reserved };
    let last: Arc<str> = format!("o-{:04}", many - 1).into();
    // What has run out is not sold, whether it is released yet or not.
    let commit = Stock::decide(&state, ask(Input::Commit { order: last.clone() }), At(UNTIL));
    assert_eq!(commit, Err(Rejection::NotReserved));
    for (released, left) in [(decide::EXPIRED_MAX, 10), (10, 0), (0, 0)] {
        let events = Stock::decide(&state, ask(Input::Expire { order: last.clone() }), At(UNTIL)).unwrap();
        assert_eq!(events.len(), released);
        state = events.iter().fold(state, Stock::evolve);
        assert_eq!(state.reserved.len(), left);
    }
    assert_eq!(state.available(), Some(many as i64));
}

#[test]
fn what_nobody_counts_can_be_reserved_without_end() {
    let given = stock([]).when(reserve("o-1", 99)).then([reserved("o-1", 99, None)]);
    let (sku, order) = ("CAFE".into(), "o-1".into());
    let sold = StockCommitted { sku, order, quantity: 99, on_hand: None, available: None };
    given.when(ask(Input::Commit { order: "o-1".into() })).then([Event::StockCommitted(sold)]);
}

#[test]
fn fewer_than_were_promised_owe_nothing_and_give_nothing() {
    let given = stock([set(10, 10), reserved("o-1", 8, 2)]).when(ask(Input::Set { on_hand: 5 })).then([set(5, 0)]);
    let given = given.when(ask(Input::Commit { order: "o-1".into() })).then([committed("o-1", 8, 0, 0)]);
    given.when(reserve("o-2", 1)).then_refused(Rejection::OutOfStock { available: 0, asked: 1 });
}

#[test]
fn the_same_again_is_nothing_and_another_number_is_a_mistake() {
    let given = stock([set(10, 10), reserved("o-1", 4, 6)]);
    let given = given.when(reserve("o-1", 4)).then([]).when(ask(Input::Set { on_hand: 10 })).then([]);
    given.when(reserve("o-1", 5)).then_refused(Rejection::AlreadyReserved { reserved: 4 });
}

#[test]
fn numbers_and_times_that_make_no_sense_are_refused() {
    for on_hand in [-1, UNITS_MAX + 1] {
        stock([]).when(ask(Input::Set { on_hand })).then_refused(Rejection::BadCount);
    }
    stock([]).when(reserve("o-1", 0)).then_refused(Rejection::BadQuantity);
    let over = ask(Input::Reserve { order: "o-1".into(), quantity: 1, until: NOW.0 });
    stock([]).when(over).then_refused(Rejection::BadTime);
    stock([]).when(ask(Input::Return { order: "o-1".into(), quantity: 0 })).then_refused(Rejection::BadQuantity);
}

proptest! {
    /// Whatever is asked in whatever order: no more is promised than there is, and nothing is lost.
    #[test]
    fn no_more_is_promised_than_there_is(asks in prop::collection::vec((0u8..5, 0u8..6, 1i32..5, 0i64..40_000), 1..80)) {
        let mut state = State { on_hand: Some(10), ..State::default() };
        let (mut now, mut sold) = (NOW.0, BTreeMap::<Arc<str>, i64>::new());
        for (what, order, quantity, later) in asks {
            now += later;
            let order: Arc<str> = format!("o-{order}").into();
            let input = match what {
                0 | 1 => Input::Reserve { order, quantity, until: now + 60_000 },
                2 => Input::Commit { order },
                3 => Input::Release { order },
                _ => Input::Expire { order },
            };
            for event in Stock::decide(&state, ask(input), At(now)).unwrap_or_default() {
                state = Stock::evolve(state, &wire(event.clone()));
                let told = match &event {
                    Event::StockReserved(event) => event.available,
                    Event::StockReleased(event) => event.available,
                    Event::StockCommitted(event) => {
                        *sold.entry(event.order.clone()).or_default() += i64::from(event.quantity);
                        event.available
                    }
                    Event::StockSet(event) => Some(event.available),
                };
                prop_assert_eq!(told, state.available(), "an event says what is left after it");
            }
            let on_hand = state.on_hand.unwrap();
            prop_assert!(state.reserved() <= on_hand);
            prop_assert_eq!(on_hand + sold.values().sum::<i64>(), 10);
        }
    }
}
