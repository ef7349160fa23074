//! Transfers between two shards: the payee's decides.

use feira_commands::payments::{Input, TRANSFER_PATIENCE_MS, TransferState};
use feira_events::payments::{Event, Transfer};

use super::house::{BR, House, account, gift};
use crate::shard::Rejection;

const ANA: &str = "0/person/ana";
const BIA: &str = "1/person/bia";

fn id(n: u64) -> std::sync::Arc<str> {
    format!("{n:032x}").into()
}

fn house() -> House {
    House::with(2, &[(ANA, 5_000), (BIA, 0)])
}

/// Submits a gift and answers it as it was reserved.
fn reserve(house: &mut House, n: u64, to: &str) -> Transfer {
    match &house.ask(Input::Submit { transfer: gift(n, ANA, to, 1_000) }).unwrap()[..] {
        [Event::TransferReserved(reserved)] => reserved.transfer.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn money_is_held_credited_and_settled() {
    let mut house = house();
    let from = house.log.len();
    reserve(&mut house, 1, BIA);
    assert_eq!((house.available(ANA), house.available(BIA)), (4_000, 0));
    house.settle();
    assert_eq!(house.names(from), ["TransferReserved", "TransferCredited", "TransferSettled"]);
    assert_eq!((house.available(ANA), house.available(BIA)), (4_000, 1_000));
    assert_eq!(house.summed(), house.held());
}

#[test]
fn who_cannot_be_paid_is_found_out_by_their_shard_and_the_money_comes_back() {
    let mut house = house();
    let from = house.log.len();
    reserve(&mut house, 1, "1/person/eva");
    house.settle();
    assert_eq!(house.names(from), ["TransferReserved", "TransferDeclined", "TransferReturned"]);
    assert_eq!(house.available(ANA), 5_000);
    assert!(
        matches!(&house.log.last().unwrap().2, Event::TransferReturned(returned) if &*returned.reason == "PAYEE_UNKNOWN")
    );
}

#[test]
fn a_credit_happens_once_however_often_it_is_asked() {
    let mut house = house();
    let transfer = reserve(&mut house, 1, BIA);
    let credit = Input::Credit { transfer };
    assert_eq!(house.ask(credit.clone()).unwrap().len(), 1);
    for _ in 0..3 {
        assert_eq!(house.ask(credit.clone()), Ok(vec![]));
    }
    let decline = Input::Decline { transfer: id(1), from: account(ANA), to: account(BIA), reason: "CANCELED".into() };
    assert_eq!(house.ask(decline), Ok(vec![]));
    assert_eq!(house.available(BIA), 1_000);
}

#[test]
fn a_refusal_stands_also_before_the_transfer_arrives() {
    let mut house = house();
    let transfer = reserve(&mut house, 1, BIA);
    house.ask(Input::CancelTransfer { transfer: id(1), from: account(ANA) }).unwrap();
    let decline = Input::Decline { transfer: id(1), from: account(ANA), to: account(BIA), reason: "CANCELED".into() };
    assert_eq!(house.ask(decline).unwrap().len(), 1);
    assert_eq!(house.ask(Input::Credit { transfer }), Ok(vec![]));
    house.settle();
    assert_eq!((house.available(ANA), house.available(BIA)), (5_000, 0));
    assert_eq!(house.outgoing()[&*id(1)], TransferState::Returned);
}

#[test]
fn the_payers_shard_never_gives_back_by_its_own_clock() {
    let mut house = house();
    reserve(&mut house, 1, BIA);
    house.now += TRANSFER_PATIENCE_MS * 100;
    let cancel = Input::CancelTransfer { transfer: id(1), from: account(ANA) };
    assert!(
        matches!(&house.ask(cancel.clone()).unwrap()[..], [Event::TransferCancelAsked(asked)] if &*asked.reason == "EXPIRED")
    );
    assert_eq!(house.ask(cancel), Ok(vec![]), "it is asked once");
    assert_eq!(house.available(ANA), 4_000);
    house.settle();
    assert_eq!(house.available(ANA), 5_000);
}

#[test]
fn a_transfer_is_late_after_its_deadline_by_the_payees_clock_and_not_before() {
    for (late, credited) in [(0, 1_000), (1, 0)] {
        let mut house = house();
        let transfer = reserve(&mut house, 1, BIA);
        house.now = transfer.deadline + late;
        house.ask(Input::Credit { transfer }).unwrap();
        assert_eq!(house.available(BIA), credited);
    }
}

#[test]
fn decisions_that_come_again_or_too_late_change_nothing() {
    let mut house = house();
    reserve(&mut house, 1, BIA);
    house.settle();
    let (transfer, from) = (id(1), account(ANA));
    assert_eq!(house.ask(Input::Credited { transfer: transfer.clone(), from: from.clone() }), Ok(vec![]));
    let declined = Input::Declined { transfer: transfer.clone(), from: from.clone(), reason: "x".into() };
    assert_eq!(house.ask(declined), Ok(vec![]));
    assert_eq!(house.ask(Input::CancelTransfer { transfer, from: from.clone() }), Ok(vec![]));
    let unknown = Input::CancelTransfer { transfer: id(9), from };
    assert_eq!(house.ask(unknown), Err(Rejection::TransferUnknown));
    let anothers = Input::CancelTransfer { transfer: id(1), from: account("0/person/eva") };
    assert_eq!(house.ask(anothers), Err(Rejection::TransferUnknown));
}

#[test]
fn two_payers_who_chose_the_same_id_are_decided_each_for_themselves() {
    let mut house = House::with(3, &[(ANA, 5_000), ("2/person/eva", 5_000), (BIA, 0)]);
    for (from, to) in [(ANA, BIA), ("2/person/eva", BIA)] {
        house.ask(Input::Submit { transfer: gift(1, from, to, 1_000) }).unwrap();
        house.settle();
    }
    assert_eq!((house.available(ANA), house.available("2/person/eva"), house.available(BIA)), (4_000, 4_000, 2_000));
    // Nor does a refusal of the one stand for the other.
    house.ask(Input::Submit { transfer: gift(2, ANA, "1/person/nobody", 1_000) }).unwrap();
    house.settle();
    house.ask(Input::Submit { transfer: gift(2, "2/person/eva", BIA, 1_000) }).unwrap();
    house.settle();
    assert_eq!((house.available("2/person/eva"), house.available(BIA)), (3_000, 3_000));
    assert!(house.held().values().all(|[debits_held, _, credits_held, _]| (*debits_held, *credits_held) == (0, 0)));
}

#[test]
fn what_is_held_when_a_regime_is_suspended_comes_back() {
    let mut house = house();
    reserve(&mut house, 1, BIA);
    for shard in 0..2 {
        house.ask_of(shard, Input::SuspendRegime { regime: BR.into(), reason: "x".into() }).unwrap();
    }
    house.settle();
    assert_eq!((house.available(ANA), house.available(BIA)), (5_000, 0));
}
