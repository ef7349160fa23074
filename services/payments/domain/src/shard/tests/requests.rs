//! Requests for money.

use feira_commands::payments::{Input, REQUEST_LIFE_MAX_MS};
use feira_events::payments::{Event, RequestState};
use feira_ids::AccountId;
use feira_money::Amount;

use super::house::{House, NOW, account, brl};
use crate::shard::Rejection;

/// Who asks and is paid; in another shard than who is asked.
const ANA: &str = "0/person/ana";
const BIA: &str = "1/person/bia";
const HOUR: i64 = 3_600_000;

fn request(minor: i64) -> Input {
    let (asker, payer) = (account(ANA), account(BIA));
    Input::RequestMoney { request: "q-1".into(), asker, payer, amount: brl(minor), note: None, expires: NOW + HOUR }
}

fn of(who: &str) -> AccountId {
    account(who)
}

fn approve() -> Input {
    Input::ApproveRequest { request: "q-1".into(), payer: of(BIA) }
}

fn states(house: &House) -> Vec<RequestState> {
    let moved = house.log.iter().filter_map(|(_, _, event)| match event {
        Event::RequestMoved(moved) => Some(moved.state),
        _ => None,
    });
    moved.collect()
}

#[test]
fn a_request_is_granted_and_paid_once() {
    let mut house = House::with(2, &[(ANA, 0), (BIA, 5_000)]);
    assert_eq!(house.ask(request(500)).unwrap().len(), 1);
    assert_eq!(house.ask(request(500)), Ok(vec![]));
    assert_eq!(house.ask(request(501)), Err(Rejection::KeyReused("request")));
    house.ask(approve()).unwrap();
    assert_eq!(house.ask(approve()), Ok(vec![]));
    let withdraw = Input::WithdrawRequest { request: "q-1".into(), asker: of(ANA), payer: of(BIA) };
    assert_eq!(house.ask(withdraw.clone()), Err(Rejection::AlreadyPaying));
    house.settle();
    assert_eq!(states(&house), [RequestState::Paying, RequestState::Paid]);
    assert_eq!((house.available(ANA), house.available(BIA)), (500, 4_500));
    assert_eq!(house.ask(approve()), Ok(vec![]));
    assert_eq!(house.ask(withdraw), Err(Rejection::RequestClosed));
}

#[test]
fn a_request_that_cannot_be_paid_stays_open() {
    let mut house = House::with(2, &[(ANA, 0), (BIA, 100)]);
    house.ask(request(500)).unwrap();
    assert_eq!(house.ask(approve()), Err(Rejection::InsufficientFunds { available: 100, asked: 500 }));
    assert_eq!(states(&house), []);
    house.ask(Input::Fund { account: of(BIA), amount: brl(400) }).unwrap();
    house.ask(approve()).unwrap();
    house.settle();
    assert_eq!(house.available(ANA), 500);
}

#[test]
fn a_request_whose_transfer_comes_back_is_open_again_while_its_time_lasts() {
    for (later, state) in [(0, RequestState::Open), (2 * HOUR, RequestState::Expired)] {
        // The asker has no account: their shard refuses.
        let mut house = House::with(2, &[(BIA, 5_000)]);
        house.ask(request(500)).unwrap();
        house.ask(approve()).unwrap();
        house.now += later;
        house.settle();
        assert_eq!(states(&house), [RequestState::Paying, state]);
        assert_eq!(house.available(BIA), 5_000);
    }
}

#[test]
fn a_request_granted_anew_is_another_transfer() {
    let mut house = House::with(2, &[(BIA, 5_000)]);
    house.ask(request(500)).unwrap();
    house.ask(approve()).unwrap();
    house.settle();
    house.open(ANA, super::house::BR);
    house.ask(approve()).unwrap();
    house.settle();
    assert_eq!(house.available(ANA), 500);
    assert_eq!(house.outgoing().len(), 2);
}

#[test]
fn a_request_ends_by_a_no_by_being_taken_back_or_by_time() {
    let ends = [
        (Input::DeclineRequest { request: "q-1".into(), payer: of(BIA) }, RequestState::Declined),
        (Input::WithdrawRequest { request: "q-1".into(), asker: of(ANA), payer: of(BIA) }, RequestState::Withdrawn),
    ];
    for (end, state) in ends {
        let mut house = House::with(2, &[(ANA, 0), (BIA, 5_000)]);
        house.ask(request(500)).unwrap();
        house.ask(end.clone()).unwrap();
        assert_eq!(house.ask(end), Ok(vec![]));
        assert_eq!(states(&house), [state]);
        assert_eq!(house.ask(approve()), Err(Rejection::RequestClosed));
    }
    let mut house = House::with(2, &[(ANA, 0), (BIA, 5_000)]);
    house.ask(request(500)).unwrap();
    let expire = Input::ExpireRequest { request: "q-1".into() };
    house.now = NOW + HOUR - 1;
    assert_eq!(house.ask_of(1, expire.clone()), Ok(vec![]), "not a moment early");
    house.now += 1;
    house.ask_of(1, expire).unwrap();
    assert_eq!(states(&house), [RequestState::Expired]);
}

#[test]
fn only_who_is_asked_says_yes_or_no_and_only_who_asks_takes_back() {
    let mut house = House::with(2, &[(ANA, 0), (BIA, 5_000), ("1/person/eva", 0)]);
    house.ask(request(500)).unwrap();
    let eva = of("1/person/eva");
    let others = [
        Input::ApproveRequest { request: "q-1".into(), payer: eva.clone() },
        Input::DeclineRequest { request: "q-1".into(), payer: eva.clone() },
        Input::WithdrawRequest { request: "q-1".into(), asker: eva, payer: of(BIA) },
    ];
    for other in others {
        assert_eq!(house.ask(other), Err(Rejection::RequestUnknown));
    }
}

#[test]
fn what_may_be_requested_is_the_regimes_to_say() {
    let mut house = House::with(2, &[(ANA, 0), (BIA, 0)]);
    assert_eq!(house.ask(request(99)), Err(Rejection::AmountBelowMinimum { minimum: 100 }));
    for expires in [NOW, NOW + REQUEST_LIFE_MAX_MS + 1] {
        let Input::RequestMoney { request, asker, payer, amount, note, .. } = request(500) else { unreachable!() };
        let input = Input::RequestMoney { request, asker, payer, amount, note, expires };
        assert_eq!(house.ask(input), Err(Rejection::BadExpiry { days: 45 }));
    }
    let inr = |minor| Amount::new(minor, "INR".parse().unwrap());
    let ask = |payer: &str, minor| Input::RequestMoney {
        request: format!("q-{payer}-{minor}").into(),
        asker: account("0/person/asha"),
        payer: account(payer),
        amount: inr(minor),
        note: None,
        expires: NOW + HOUR,
    };
    house.open("1/person/ravi", "IN-upi-2019");
    house.open("1/person/dev", "IN-upi-2025");
    let capped = Rejection::LimitExceeded { rule: "per-request", cap: 200_000, used: 0, asked: 200_001 };
    assert_eq!(house.ask(ask("1/person/ravi", 200_001)), Err(capped));
    assert_eq!(house.ask(ask("1/person/ravi", 200_000)).unwrap().len(), 1);
    assert_eq!(house.ask(ask("1/person/dev", 100)), Err(Rejection::CollectNotAllowed("IN-upi-2025".to_owned())));
    assert!(matches!(house.ask(ask(BIA, 500)), Err(Rejection::CurrencyMismatch { .. })));
}
