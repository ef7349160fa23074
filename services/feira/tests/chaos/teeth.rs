//! The checker names what is wrong: each test does one harm to a history that is whole.

use proptest::prelude::*;

use crate::checker::{Body, Cart, Fault, Record, check_history, check_log};
use crate::history::{Answer, Id, Op};

const LANE: u32 = 0;

fn id(number: u8) -> Id {
    Id([number; 16])
}

fn taken(seq: i64, term: i64) -> Record {
    let lane = |record: Record| Record { aggregate: String::new(), aggregate_seq: None, body: Body::Taken, ..record };
    lane(Record { term, command: id(0), ..added(seq, 0, 0) })
}

/// One unit more of the only product, which makes `version`.
fn added(seq: i64, number: u8, version: i64) -> Record {
    Record {
        seq,
        term: 1,
        hlc: seq * 10,
        at: 1_000,
        ours: true,
        aggregate: "cart:ana".into(),
        aggregate_seq: Some(version),
        command: id(number),
        part: (0, 1),
        body: Body::Added("pitanga".into(), 1, version as i32),
    }
}

fn refused(seq: i64, number: u8) -> Record {
    Record { aggregate_seq: None, body: Body::Refused, ..added(seq, number, 0) }
}

fn op(number: u8, began: u64, ended: u64, seq: i64, version: i64) -> Op {
    let answer = Answer { at: ended, lane: LANE, seq, version: Some(version), refused: false, repeated: false };
    Op { id: id(number), cart: "cart:ana".into(), began, answers: vec![answer] }
}

/// Three adds one after another, a refusal, and a change of owner.
fn whole() -> (Vec<Record>, Vec<Op>) {
    let records = vec![
        taken(1, 1),
        added(2, 1, 1),
        added(3, 2, 2),
        refused(4, 4),
        taken(5, 2),
        Record { term: 2, ..added(6, 3, 3) },
    ];
    let mut no = op(4, 40, 50, 4, 0);
    (no.answers[0].version, no.answers[0].refused) = (None, true);
    (records, vec![op(1, 10, 20, 2, 1), op(2, 30, 40, 3, 2), op(3, 50, 60, 6, 3), no])
}

/// All that is found wrong.
fn faults(records: Vec<Record>, ops: &[Op]) -> Vec<Fault> {
    let lanes = [records];
    let (mut faults, _) = check_log(&lanes);
    faults.extend(check_history(&lanes, ops));
    faults
}

#[test]
fn a_whole_history_is_found_whole() {
    let (records, ops) = whole();
    assert_eq!(faults(records.clone(), &ops), []);
    let cart = Cart { version: 3, lines: [("pitanga".to_owned(), 3)].into() };
    assert_eq!(check_log(&[records]).1, [("cart:ana".to_owned(), cart)].into());
}

#[test]
fn an_acknowledged_command_that_is_not_there_is_lost() {
    let (mut records, ops) = whole();
    records.pop();
    assert_eq!(faults(records, &ops), [Fault::Lost { id: id(3) }]);
}

#[test]
fn a_lost_command_whose_place_another_took_is_lost() {
    let (mut records, ops) = whole();
    records[5].command = id(9);
    let found = faults(records, &ops);
    assert!(found.contains(&Fault::Lost { id: id(3) }));
    assert!(found.contains(&Fault::Stranger { id: id(9), place: (LANE, 6) }));
}

#[test]
fn a_command_decided_twice_is_named_even_where_every_sequence_is_dense() {
    let (mut records, ops) = whole();
    records.push(Record { term: 2, ..added(7, 3, 4) });
    let places = vec![(LANE, 6), (LANE, 7)];
    assert!(faults(records, &ops).contains(&Fault::Twice { id: id(3), places }));
}

#[test]
fn a_command_of_unknown_outcome_may_be_there_once_or_not_at_all_but_not_twice() {
    let (mut records, mut ops) = whole();
    ops[2].answers.clear();
    assert_eq!(faults(records.clone(), &ops), []);
    let last = records.pop();
    assert_eq!(faults(records.clone(), &ops), []);
    records.extend(last);
    records.push(Record { term: 2, ..added(7, 3, 4) });
    assert!(faults(records, &ops).iter().any(|fault| fault.twice() == Some(id(3))));
}

#[test]
fn a_refused_command_that_is_there_twice_is_named() {
    let (mut records, ops) = whole();
    records.push(Record { term: 2, ..refused(7, 4) });
    assert!(faults(records, &ops).iter().any(|fault| fault.twice() == Some(id(4))));
}

#[test]
fn a_gap_and_a_doubled_sequence_are_named() {
    let (records, ops) = whole();
    let mut gapped = records.clone();
    gapped[5].seq = 7;
    assert!(faults(gapped, &ops).contains(&Fault::Sequence { lane: LANE, after: 5, found: 7 }));
    let mut doubled = records;
    doubled.insert(3, doubled[2].clone());
    assert!(faults(doubled, &ops).contains(&Fault::Sequence { lane: LANE, after: 3, found: 3 }));
}

#[test]
fn records_in_another_order_are_named() {
    let (mut records, ops) = whole();
    records.swap(1, 2);
    let found = faults(records, &ops);
    assert!(found.contains(&Fault::Sequence { lane: LANE, after: 1, found: 3 }));
    assert!(found.contains(&Fault::Version { cart: "cart:ana".into(), after: 0, found: 2 }));
}

#[test]
fn a_command_that_stands_elsewhere_than_told_is_named() {
    let (records, mut ops) = whole();
    ops[0].answers[0].seq = 3;
    assert_eq!(faults(records, &ops), [Fault::Elsewhere { id: id(1), told: (LANE, 3), found: (LANE, 2) }]);
}

#[test]
fn an_answer_that_is_not_what_was_decided_is_named() {
    let (records, ops) = whole();
    for harm in [|told: &mut Answer| told.version = Some(1), |told: &mut Answer| told.refused = true] {
        let mut ops = ops.clone();
        harm(&mut ops[1].answers[0]);
        let told = ops[1].answers[0];
        assert_eq!(faults(records.clone(), &ops), [Fault::Misreported { id: id(2), told, version: Some(2) }]);
    }
}

#[test]
fn the_second_answer_is_judged_like_the_first() {
    let (records, mut ops) = whole();
    let first = ops[0].answers[0];
    ops[0].answers.push(Answer { repeated: true, ..first });
    assert_eq!(faults(records.clone(), &ops), []);
    let newer = Answer { repeated: true, version: Some(3), ..first };
    ops[0].answers.push(newer);
    assert_eq!(faults(records.clone(), &ops), [Fault::Misreported { id: id(1), told: newer, version: Some(1) }]);
    ops[0].answers.pop();
    ops[0].answers.push(Answer { repeated: true, seq: 6, ..first });
    assert_eq!(faults(records, &ops), [Fault::Elsewhere { id: id(1), told: (LANE, 6), found: (LANE, 2) }]);
}

#[test]
fn a_term_that_falls_or_rises_unannounced_or_is_taken_twice_is_named() {
    for (at, term) in [(5, 1), (5, 3), (4, 1)] {
        let (mut records, ops) = whole();
        records[at].term = term;
        assert!(faults(records, &ops).iter().any(|fault| matches!(fault, Fault::Term { .. })), "{at} {term}");
    }
}

#[test]
fn clocks_that_go_back_are_named() {
    let (mut records, ops) = whole();
    (records[5].hlc, records[5].at) = (records[4].hlc, 999);
    assert_eq!(faults(records, &ops), [Fault::Hlc { place: (LANE, 6) }, Fault::At { place: (LANE, 6) }]);
}

#[test]
fn a_version_left_out_is_named() {
    let (mut records, mut ops) = whole();
    records[5].aggregate_seq = Some(4);
    ops[2].answers[0].version = Some(4);
    assert_eq!(faults(records, &ops), [Fault::Version { cart: "cart:ana".into(), after: 2, found: 4 }]);
}

#[test]
fn a_line_that_does_not_hold_what_was_put_in_is_named() {
    let (mut records, ops) = whole();
    records[5].body = Body::Added("pitanga".into(), 1, 2);
    let fault = Fault::Sum { cart: "cart:ana".into(), sku: "pitanga".into(), expected: 3, found: 2 };
    assert_eq!(faults(records, &ops), [fault]);
}

#[test]
fn half_a_command_is_named() {
    let (mut records, ops) = whole();
    records[5].part = (0, 2);
    assert_eq!(faults(records, &ops), [Fault::Torn { id: id(3), place: (LANE, 6) }]);
}

#[test]
fn a_command_that_overtook_one_answered_before_it_began_is_named() {
    let (records, mut ops) = whole();
    (ops[0].began, ops[0].answers[0].at) = (45, 48);
    assert_eq!(faults(records, &ops), [Fault::Order { cart: "cart:ana".into(), earlier: id(2), later: id(1) }]);
}

#[test]
fn a_command_of_unknown_outcome_is_held_to_the_order_of_its_beginning() {
    let (records, mut ops) = whole();
    ops[0].answers.clear();
    ops[0].began = 45;
    assert_eq!(faults(records, &ops), [Fault::Order { cart: "cart:ana".into(), earlier: id(2), later: id(1) }]);
}

proptest! {
    /// Commands that overlap may stand in any order.
    #[test]
    fn commands_under_way_at_once_may_stand_in_any_order(order in Just([1u8, 2, 3, 4, 5]).prop_shuffle()) {
        let mut records = vec![taken(1, 1)];
        let mut ops = vec![];
        for (version, number) in (1..).zip(order) {
            records.push(added(version + 1, number, version));
            ops.push(op(number, u64::from(number), 100 + u64::from(number), version + 1, version));
        }
        prop_assert_eq!(faults(records, &ops), []);
    }

    /// Whatever one record is taken away or put in twice, it is noticed.
    #[test]
    fn no_record_goes_or_comes_unnoticed(at in 0usize..6, copy: bool) {
        let (mut records, ops) = whole();
        if copy {
            records.insert(at, records[at].clone());
        } else {
            records.remove(at);
        }
        prop_assert!(!faults(records, &ops).is_empty());
    }
}
