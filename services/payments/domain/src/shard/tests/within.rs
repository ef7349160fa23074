//! Accounts, and transfers within one shard.

use feira_commands::payments::Input;
use feira_events::payments::{Event, Purpose};
use feira_money::Amount;
use proptest::prelude::*;

use super::house::{BR, House, account, brl, gift};
use crate::shard::Rejection;

const ANA: &str = "0/person/ana";
const BIA: &str = "0/person/bia";

#[test]
fn an_account_is_opened_once_and_keeps_its_rules() {
    let mut house = House::new(1);
    let open = |regime: &str| Input::OpenAccount { account: account(ANA), regime: regime.into() };
    assert_eq!(house.ask(open("nowhere")), Err(Rejection::RegimeUnknown("nowhere".to_owned())));
    assert!(
        matches!(&house.ask(open(BR)).unwrap()[..], [Event::AccountOpened(opened)] if opened.currency == brl(0).currency)
    );
    assert_eq!(house.ask(open(BR)), Ok(vec![]));
    assert_eq!(house.ask(open("IN-upi-2019")), Err(Rejection::AlreadyOpen(BR.to_owned())));
    for foreign in ["1/person/ana", "0/fee/merchant-BRL", "0/x/1-BRL"] {
        let open = Input::OpenAccount { account: account(foreign), regime: BR.into() };
        assert_eq!(house.ask_of(0, open), Err(Rejection::BadAccount(foreign.to_owned())));
    }
}

#[test]
fn money_moves_at_once_within_a_shard() {
    let mut house = House::with(1, &[(ANA, 5_000), (BIA, 0)]);
    let events = house.ask(Input::Submit { transfer: gift(1, ANA, BIA, 1_000) }).unwrap();
    assert!(matches!(&events[..], [Event::TransferSettled(settled)] if settled.postings.len() == 1));
    assert_eq!((house.available(ANA), house.available(BIA)), (4_000, 1_000));
    assert_eq!(house.ask(Input::Submit { transfer: gift(1, ANA, BIA, 1_000) }), Ok(vec![]));
    let other = Input::Submit { transfer: gift(1, ANA, BIA, 1_001) };
    assert_eq!(house.ask(other), Err(Rejection::KeyReused("transfer")));
    assert_eq!(house.available(BIA), 1_000);
}

#[test]
fn what_cannot_be_paid_is_refused_with_its_reason() {
    let mut house = House::with(1, &[(ANA, 5_000), (BIA, 0)]);
    house.open("0/person/asha", "IN-upi-2019");
    let mut refused = |transfer| house.ask(Input::Submit { transfer }).unwrap_err();
    let inr = Amount::new(1_000, "INR".parse().unwrap());
    let good = gift(1, ANA, BIA, 1_000);
    assert_eq!(refused(gift(1, ANA, BIA, 5_001)), Rejection::InsufficientFunds { available: 5_000, asked: 5_001 });
    assert_eq!(refused(gift(1, ANA, BIA, 99)), Rejection::AmountBelowMinimum { minimum: 100 });
    assert_eq!(refused(gift(1, ANA, BIA, -1_000)), Rejection::AmountBelowMinimum { minimum: 100 });
    assert_eq!(refused(gift(1, ANA, ANA, 1_000)), Rejection::SameParty);
    assert_eq!(refused(gift(1, ANA, "0/person/eva", 1_000)), Rejection::PayeeUnknown);
    assert_eq!(refused(gift(1, "0/person/eva", ANA, 1_000)), Rejection::PayerUnknown);
    assert!(matches!(refused(gift(1, ANA, "0/person/asha", 1_000)), Rejection::CurrencyMismatch { .. }));
    let mut foreign = good.clone();
    foreign.amount = inr;
    assert!(matches!(refused(foreign), Rejection::CurrencyMismatch { .. }));
    let mut strange = good.clone();
    strange.transfer = "1".into();
    assert_eq!(refused(strange), Rejection::BadId("transfer"));
    for purpose in [Purpose::Refund, Purpose::Request, Purpose::Unknown] {
        let mut sly = good.clone();
        sly.purpose = purpose;
        assert_eq!(refused(sly), Rejection::BadPurpose);
    }
    let mut sly = good;
    sly.subject = Some("o-1".into());
    assert_eq!(refused(sly), Rejection::BadId("payment"));
    assert_eq!((house.available(ANA), house.available(BIA)), (5_000, 0));
}

#[test]
fn a_regime_that_is_suspended_moves_nothing_until_it_is_resumed() {
    let mut house = House::with(1, &[(ANA, 5_000), (BIA, 0)]);
    let suspend = Input::SuspendRegime { regime: BR.into(), reason: "asked by the central bank".into() };
    assert_eq!(house.ask(suspend.clone()).unwrap().len(), 1);
    assert_eq!(house.ask(suspend), Ok(vec![]));
    let pay = Input::Submit { transfer: gift(1, ANA, BIA, 1_000) };
    assert_eq!(house.ask(pay.clone()), Err(Rejection::RegimeSuspended(BR.to_owned())));
    house.ask(Input::ResumeRegime { regime: BR.into() }).unwrap();
    assert_eq!(house.ask(pay).unwrap().len(), 1);
}

#[test]
fn figures_that_do_not_fit_are_refused() {
    let mut house = House::with(1, &[(ANA, i64::MAX / 4)]);
    let fund = |minor| Input::Fund { account: account(ANA), amount: brl(minor) };
    assert_eq!(house.ask(fund(i64::MAX)), Err(Rejection::Overflow));
    assert_eq!(house.ask(fund(0)), Err(Rejection::AmountBelowMinimum { minimum: 1 }));
    assert_eq!(house.available(ANA), i64::MAX / 4);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// A naive book with one figure for each account says the same.
    #[test]
    fn transfers_within_a_shard_are_those_of_a_naive_book(moves in prop::collection::vec((0usize..4, 0usize..4, 50i64..4_000), 1..60)) {
        let names = ["0/person/a", "0/person/b", "0/person/c", "0/person/d"];
        let mut house = House::with(1, &names.map(|name| (name, 10_000)));
        let mut book = [10_000i64; 4];
        for (n, (from, to, minor)) in moves.into_iter().enumerate() {
            let accepted = house.ask(Input::Submit { transfer: gift(n as u64, names[from], names[to], minor) }).is_ok();
            let received = house.log.iter().filter(|(_, _, event)| matches!(event, Event::TransferSettled(settled) if settled.transfer.to == account(names[to]))).count();
            let fits = from != to && minor >= 100 && book[from] >= minor && received < 20 + usize::from(accepted);
            prop_assert_eq!(accepted, fits);
            if fits {
                book[from] -= minor;
                book[to] += minor;
            }
            prop_assert_eq!(names.map(|name| house.available(name)), book);
        }
        prop_assert_eq!(house.summed(), house.held());
    }
}
