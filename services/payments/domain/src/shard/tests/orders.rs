//! Orders are paid, fees taken, payments given back.

use feira_commands::payments::Input;
use feira_events::payments::Event;

use super::house::{House, NOW, account, brl, intent, payment};
use crate::shard::Rejection;

const SHOP: &str = "1/biz/feira-livre";
const HOUR: i64 = 3_600_000;

/// The payer's shard: another one than the shop's, or the same.
const PAYERS: [&str; 2] = ["0/person/ana", "1/person/ana"];

fn house(payer: &str, due: i64) -> House {
    let mut house = House::with(2, &[(payer, 90_000), (SHOP, 0)]);
    house.ask(Input::CreateIntent { intent: intent("o-1", SHOP, due), expires: NOW + HOUR }).unwrap();
    house
}

fn pay(house: &mut House, n: u64, payer: &str, minor: i64) {
    house.ask(Input::Submit { transfer: payment(n, payer, SHOP, minor, "o-1") }).unwrap();
    house.settle();
}

fn refund(name: &str, minor: Option<i64>) -> Input {
    Input::Refund {
        intent: "o-1".into(),
        account: account(SHOP),
        refund: name.into(),
        amount: minor.map(brl),
        reason: "x".into(),
    }
}

fn captured(house: &House) -> Vec<(i64, i64, i64)> {
    let all = house.log.iter().filter_map(|(_, _, event)| match event {
        Event::IntentCaptured(captured) => Some((captured.fee.minor, captured.fee_micro, captured.net.minor)),
        _ => None,
    });
    all.collect()
}

#[test]
fn a_payment_pays_the_order_and_the_fee() {
    for payer in PAYERS {
        let mut house = house(payer, 10_000);
        pay(&mut house, 1, payer, 10_000);
        assert_eq!(captured(&house), [(399, 3_990_000, 9_601)]);
        assert_eq!((house.available(payer), house.available(SHOP)), (80_000, 9_601));
        assert_eq!(house.summed(), house.held());
    }
}

#[test]
fn a_fee_below_half_a_unit_takes_nothing_and_its_exact_amount_is_said() {
    let mut house = house(PAYERS[0], 100);
    pay(&mut house, 1, PAYERS[0], 100);
    // 3.99 % of 1.00 is 0.0399.
    assert_eq!(captured(&house), [(4, 39_900, 96)]);
    let mut house = House::with(1, &[]);
    house.open("0/person/asha", "IN-upi-2019");
    house.open("0/biz/bazaar", "IN-upi-2019");
    let inr = |minor| feira_money::Amount::new(minor, "INR".parse().unwrap());
    house.ask(Input::Fund { account: account("0/person/asha"), amount: inr(500) }).unwrap();
    let mut due = intent("o-1", "0/biz/bazaar", 110);
    due.amount = inr(110);
    house.ask(Input::CreateIntent { intent: due, expires: NOW + HOUR }).unwrap();
    let mut transfer = payment(1, "0/person/asha", "0/biz/bazaar", 110, "o-1");
    transfer.amount = inr(110);
    house.ask(Input::Submit { transfer }).unwrap();
    // 2 % of 1.10 is 0.022.
    assert_eq!(captured(&house), [(2, 22_000, 108)]);
}

#[test]
fn an_order_is_paid_once() {
    for payer in PAYERS {
        let mut house = house(payer, 10_000);
        for n in 1..4 {
            let _ = house.ask(Input::Submit { transfer: payment(n, payer, SHOP, 10_000, "o-1") });
        }
        house.settle();
        assert_eq!(captured(&house).len(), 1);
        assert_eq!((house.available(payer), house.available(SHOP)), (80_000, 9_601));
    }
}

#[test]
fn only_what_is_due_by_who_ordered_in_time_is_taken() {
    for payer in PAYERS {
        let mut house = house(payer, 10_000);
        let _ = house.ask(Input::Submit { transfer: payment(1, payer, SHOP, 9_999, "o-1") });
        let _ = house.ask(Input::Submit { transfer: payment(2, payer, SHOP, 10_000, "o-2") });
        let mut stranger = payment(3, payer, SHOP, 10_000, "o-1");
        stranger.customer = Some("BR.2".into());
        let _ = house.ask(Input::Submit { transfer: stranger });
        house.settle();
        assert_eq!(captured(&house), []);
        house.now = NOW + HOUR;
        let _ = house.ask(Input::Submit { transfer: payment(4, payer, SHOP, 10_000, "o-1") });
        house.settle();
        assert_eq!((captured(&house).len(), house.available(payer)), (0, 90_000));
    }
}

#[test]
fn an_intent_closes_by_being_called_off_or_by_time_and_is_then_not_paid() {
    let cancel = Input::CancelIntent { intent: "o-1".into(), account: account(SHOP) };
    let mut house = house(PAYERS[0], 10_000);
    house.now = NOW + HOUR - 1;
    assert_eq!(house.ask_of(1, Input::ExpireIntent { intent: "o-1".into() }), Ok(vec![]));
    house.ask(cancel.clone()).unwrap();
    assert_eq!(house.ask(cancel.clone()), Ok(vec![]));
    pay(&mut house, 1, PAYERS[0], 10_000);
    assert_eq!(captured(&house), []);
    let mut paid = self::house(PAYERS[0], 10_000);
    pay(&mut paid, 1, PAYERS[0], 10_000);
    assert_eq!(paid.ask(cancel), Err(Rejection::AlreadyCaptured));
    assert_eq!(paid.ask_of(1, Input::ExpireIntent { intent: "o-1".into() }), Ok(vec![]));
    let unknown = Input::CancelIntent { intent: "o-9".into(), account: account(SHOP) };
    assert_eq!(paid.ask(unknown), Err(Rejection::IntentUnknown));
}

#[test]
fn an_intent_is_made_once_and_for_the_business_that_owns_the_account() {
    let mut house = house(PAYERS[0], 10_000);
    let make = |intent| Input::CreateIntent { intent, expires: NOW + HOUR };
    assert_eq!(house.ask(make(intent("o-1", SHOP, 10_000))), Ok(vec![]));
    assert_eq!(house.ask(make(intent("o-1", SHOP, 10_001))), Err(Rejection::KeyReused("payment")));
    let mut sly = intent("o-2", SHOP, 10_000);
    sly.business = "mumbai-bazaar".into();
    assert!(matches!(house.ask(make(sly)), Err(Rejection::BadAccount(_))));
    assert_eq!(house.ask(make(intent("o-2", "1/biz/other", 10_000))), Err(Rejection::PayeeUnknown));
}

#[test]
fn refunds_add_up_to_what_was_paid_and_their_fees_to_the_fee() {
    for payer in PAYERS {
        let mut house = house(payer, 10_000);
        house.ask(Input::Fund { account: account(SHOP), amount: brl(1_000) }).unwrap();
        pay(&mut house, 1, payer, 10_000);
        for (n, minor) in [(1, 3_333), (2, 3_333), (3, 3_334)] {
            house.ask(refund(&format!("r-{n}"), Some(minor))).unwrap();
            house.settle();
        }
        let returned: Vec<i64> = house
            .log
            .iter()
            .filter_map(|(_, _, event)| match event {
                Event::IntentRefunded(refunded) => Some(refunded.fee_returned.minor),
                _ => None,
            })
            .collect();
        assert_eq!(returned, [133, 133, 133]);
        assert_eq!((house.available(payer), house.available(SHOP)), (90_000, 1_000));
        assert_eq!(house.ask(refund("r-4", None)), Err(Rejection::RefundTooLarge { left: 0, asked: 0 }));
        assert_eq!(house.ask(refund("r-1", Some(3_333))), Ok(vec![]), "asked again it is the same");
        assert_eq!(house.ask(refund("r-1", Some(1))), Err(Rejection::KeyReused("refund")));
        assert_eq!(house.summed(), house.held());
    }
}

#[test]
fn what_is_being_refunded_is_not_refunded_again_and_comes_back_when_it_cannot_arrive() {
    let payer = PAYERS[0];
    let mut house = house(payer, 10_000);
    house.ask(Input::Fund { account: account(SHOP), amount: brl(20_000) }).unwrap();
    pay(&mut house, 1, payer, 10_000);
    house.ask(refund("r-1", Some(6_000))).unwrap();
    assert_eq!(house.ask(refund("r-2", Some(4_001))), Err(Rejection::RefundTooLarge { left: 4_000, asked: 4_001 }));
    // The payer's shard refuses while the regime is stopped there.
    house.ask_of(0, Input::SuspendRegime { regime: super::house::BR.into(), reason: "x".into() }).unwrap();
    house.settle();
    assert!(
        house
            .log
            .iter()
            .any(|(_, _, event)| matches!(event, Event::RefundFailed(failed) if failed.amount == brl(6_000)))
    );
    house.ask_of(0, Input::ResumeRegime { regime: super::house::BR.into() }).unwrap();
    house.ask(refund("r-3", None)).unwrap();
    house.settle();
    assert_eq!(house.available(payer), 90_000);
}

#[test]
fn nothing_is_refunded_that_was_not_paid_or_is_not_there() {
    let mut house = house(PAYERS[0], 10_000);
    assert_eq!(house.ask(refund("r-1", None)), Err(Rejection::NothingCaptured));
    pay(&mut house, 1, PAYERS[0], 10_000);
    let short = Rejection::InsufficientFunds { available: 9_601, asked: 10_000 };
    assert_eq!(house.ask(refund("r-1", None)), Err(short), "the fee is still the platform's");
}
