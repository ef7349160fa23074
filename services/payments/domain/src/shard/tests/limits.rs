//! Limits: counted with the money, by the regime's days and months, given back with it.

use feira_commands::payments::Input;
use feira_events::payments::Event;

use super::house::{House, gift, intent, payment};
use crate::shard::Rejection;

const ANA: &str = "0/person/ana";
const BIA: &str = "0/person/bia";
const HOUR: i64 = 3_600_000;

fn refused(house: &mut House, n: u64, from: &str, to: &str, minor: i64) -> &'static str {
    match house.ask(Input::Submit { transfer: gift(n, from, to, minor) }) {
        Err(Rejection::LimitExceeded { rule, .. }) => rule,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_transfer_has_a_most() {
    let mut house = House::with(1, &[(ANA, 200_000), (BIA, 0)]);
    assert_eq!(refused(&mut house, 1, ANA, BIA, 100_001), "per-transfer");
    house.ask(Input::Submit { transfer: gift(1, ANA, BIA, 100_000) }).unwrap();
}

#[test]
fn a_month_is_one_of_the_regimes_zone() {
    let mut house = House::with(1, &[(ANA, 2_000_000), (BIA, 0), ("0/person/eva", 0)]);
    for n in 0..5 {
        house.ask(Input::Submit { transfer: gift(n, ANA, BIA, 100_000) }).unwrap();
    }
    let error = house.ask(Input::Submit { transfer: gift(9, ANA, "0/person/eva", 100) }).unwrap_err();
    assert_eq!(error, Rejection::LimitExceeded { rule: "sent-per-month", cap: 500_000, used: 500_000, asked: 100 });
    // São Paulo is three hours behind: its July begins at 03:00 of UTC.
    house.now = 1_593_561_600_000 + 3 * HOUR - 1;
    assert_eq!(refused(&mut house, 9, ANA, "0/person/eva", 100), "sent-per-month");
    house.now += 1;
    house.ask(Input::Submit { transfer: gift(9, ANA, "0/person/eva", 100) }).unwrap();
}

#[test]
fn what_is_received_is_counted_apart_from_what_is_sent() {
    let mut house = House::with(1, &[(ANA, 2_000_000), (BIA, 0), ("0/person/eva", 500_000)]);
    for n in 0..5 {
        house.ask(Input::Submit { transfer: gift(n, ANA, BIA, 100_000) }).unwrap();
    }
    assert_eq!(refused(&mut house, 9, "0/person/eva", BIA, 100), "received-per-month");
    house.ask(Input::Submit { transfer: gift(10, BIA, "0/person/eva", 100_000) }).unwrap();
}

#[test]
fn twenty_are_received_in_a_day() {
    let mut house = House::with(1, &[(ANA, 100_000), (BIA, 0)]);
    for n in 0..20 {
        house.ask(Input::Submit { transfer: gift(n, ANA, BIA, 100) }).unwrap();
    }
    assert_eq!(refused(&mut house, 20, ANA, BIA, 100), "transfers-received-per-day");
    house.now += 24 * HOUR;
    house.ask(Input::Submit { transfer: gift(20, ANA, BIA, 100) }).unwrap();
}

#[test]
fn a_limit_is_judged_where_the_money_arrives_and_given_back_where_it_came_from() {
    let mut house = House::with(2, &[(ANA, 1_000_000), ("1/person/bia", 0)]);
    for n in 0..5 {
        house.ask(Input::Submit { transfer: gift(n, ANA, "1/person/bia", 100_000) }).unwrap();
        house.settle();
    }
    house.now += 24 * HOUR * 20;
    house.ask(Input::Submit { transfer: gift(5, ANA, "1/person/nobody", 100_000) }).unwrap();
    let returned =
        |house: &House| house.log.iter().filter(|(_, _, event)| matches!(event, Event::TransferReturned(_))).count();
    house.settle();
    assert_eq!(returned(&house), 1);
    // Nothing of the month is used by what came back.
    for n in 6..11 {
        house.ask(Input::Submit { transfer: gift(n, ANA, "1/person/bia", 100_000) }).unwrap();
    }
    assert_eq!(refused(&mut house, 11, ANA, "1/person/bia", 100), "sent-per-month");
}

#[test]
fn orders_and_gifts_are_counted_apart() {
    let shop = "0/biz/feira-livre";
    let mut house = House::with(1, &[(ANA, 2_000_000), (BIA, 0), (shop, 0)]);
    for n in 0..5 {
        house.ask(Input::Submit { transfer: gift(n, ANA, BIA, 100_000) }).unwrap();
    }
    let expires = house.now + HOUR;
    house.ask(Input::CreateIntent { intent: intent("o-1", shop, 100_000), expires }).unwrap();
    let events = house.ask(Input::Submit { transfer: payment(7, ANA, shop, 100_000, "o-1") }).unwrap();
    let used = match &events[0] {
        Event::TransferSettled(settled) => settled.limits.iter().map(|limit| &*limit.rule).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(used, ["per-transfer", "spent-per-month"]);
}

#[test]
fn a_limit_of_each_transfer_has_nothing_to_give_back() {
    let mut house = House::with(2, &[(ANA, 50_000)]);
    for (n, minor) in [(1, 5_000), (2, 300)] {
        house.ask(Input::Submit { transfer: gift(n, ANA, "1/person/nobody", minor) }).unwrap();
    }
    house.settle();
    let returned = house.log.iter().filter_map(|(_, _, event)| match event {
        Event::TransferReturned(returned) => Some(&returned.limits),
        _ => None,
    });
    let given_back: Vec<_> = returned.flatten().map(|limit| (&*limit.rule, limit.used)).collect();
    assert_eq!(given_back, [("sent-per-month", 300), ("sent-per-month", 0)]);
}

#[test]
fn what_comes_back_after_its_month_is_given_back_to_no_other() {
    let mut house = House::with(2, &[(ANA, 1_000_000), (BIA, 0)]);
    let sent =
        |house: &mut House, n, to, minor| house.ask(Input::Submit { transfer: gift(n, ANA, to, minor) }).unwrap();
    // One stays under way for two months, and one for a month, while others are made.
    sent(&mut house, 1, "1/person/nobody", 70_000);
    house.now += 31 * 24 * HOUR;
    sent(&mut house, 2, "1/person/nobody", 5_000);
    sent(&mut house, 3, BIA, 300);
    house.now += 31 * 24 * HOUR;
    sent(&mut house, 4, BIA, 900);
    house.settle();
    let returned = house.log.iter().filter_map(|(_, _, event)| match event {
        Event::TransferReturned(returned) => Some(&returned.limits),
        _ => None,
    });
    let given_back: Vec<Vec<_>> =
        returned.map(|limits| limits.iter().map(|limit| (&*limit.rule, limit.used)).collect()).collect();
    assert_eq!(given_back, [vec![], vec![("sent-per-month", 300)]]);
    for n in 5..9 {
        sent(&mut house, n, BIA, 100_000);
    }
    assert_eq!(refused(&mut house, 9, ANA, BIA, 100_000), "sent-per-month");
    assert_eq!(sent(&mut house, 9, BIA, 99_100).len(), 1);
}
