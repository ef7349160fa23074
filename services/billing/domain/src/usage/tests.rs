//! The rules of usage: each item once, whatever is told again or comes late.

use std::collections::BTreeMap;
use std::sync::Arc;

use feira_codec::fixture::wire;
use feira_commands::billing::{ITEMS_MAX, Used, UsedItem};
use feira_decider::{Given, Reject, given};
use feira_events::billing::{Category, Class, MessageUsage, PaymentFeeUsage};
use feira_money::Amount;
use proptest::prelude::*;

use super::*;
use crate::hash::Fingerprint;
use crate::rating::Tally;
use crate::rating::tests::{fee, message as any_message};

fn message(seq: i64) -> MessageUsage {
    any_message(seq, "BR", Class::Charged, Category::Utility)
}

fn record(lane: &str, messages: Vec<MessageUsage>) -> Command {
    record_all(lane, messages, vec![])
}

fn record_all(lane: &str, messages: Vec<MessageUsage>, payment_fees: Vec<PaymentFeeUsage>) -> Command {
    let period = "2026-11".into();
    Command::Record { period, source_lane: lane.into(), from_seq: 1, to_seq: 1_000, messages, payment_fees }
}

/// What follows from entering these first.
fn recorded(lane: &str, messages: Vec<MessageUsage>, payment_fees: Vec<PaymentFeeUsage>) -> Event {
    let items: Vec<UsedItem> = messages
        .iter()
        .cloned()
        .map(UsedItem::Message)
        .chain(payment_fees.iter().cloned().map(UsedItem::PaymentFee))
        .collect();
    let whole = items.iter().fold(Fingerprint::default(), |all, item| all.with(Fingerprint::of(lane, item)));
    Event::UsageRecorded(UsageRecorded {
        source_lane: lane.into(),
        from_seq: 1,
        to_seq: 1_000,
        messages,
        payment_fees,
        count: items.len() as i64,
        fingerprint: whole.to_string().into(),
    })
}

fn history(events: impl IntoIterator<Item = Event>) -> Given<Usage> {
    given::<Usage>(events).through(wire)
}

#[test]
fn what_was_used_is_entered_in_the_order_of_its_lane() {
    let lane = "conversation/3";
    history([]).when(record_all(lane, vec![message(7), message(4)], vec![fee(5, 10_000, "BRL")])).then([recorded(
        lane,
        vec![message(4), message(7)],
        vec![fee(5, 10_000, "BRL")],
    )]);
}

#[test]
fn what_is_told_again_is_entered_once() {
    let lane = "conversation/3";
    history([recorded(lane, vec![message(4)], vec![])]).when(record(lane, vec![message(4)])).then([]);
    history([]).when(record(lane, vec![message(4), message(4)])).then([recorded(lane, vec![message(4)], vec![])]);
    history([]).when(record(lane, vec![])).then([]);
}

#[test]
fn an_item_that_others_overtook_is_no_repeat() {
    let lane = "conversation/3";
    let state = history([recorded(lane, vec![message(9)], vec![])]).state();
    assert!(!state.heard[lane].has(4));
    let events = Usage::decide(&state, record(lane, vec![message(4)]), At(0)).unwrap();
    assert_eq!(events.len(), 1);
}

#[test]
fn places_are_counted_by_lane() {
    let state = history([recorded("conversation/3", vec![message(4)], vec![])]).state();
    for other in ["conversation/2", "payments/3"] {
        assert_eq!(Usage::decide(&state, record(other, vec![message(4)]), At(0)).unwrap().len(), 1, "{other}");
    }
}

#[test]
fn what_does_not_belong_here_is_refused() {
    let lane = "conversation/3";
    let refused = |command| history([]).when(command);
    let december = MessageUsage { delivered_at: 1_796_083_200_000, ..message(4) };
    refused(record(lane, vec![december])).then_refused(Rejection::OtherMonth { seq: 4 });
    let outside = Rejection::SequenceOutOfRange { seq: 1_001, from_seq: 1, to_seq: 1_000 };
    refused(record(lane, vec![message(1_001)])).then_refused(outside);
    for lane in ["", "conversation", "conversation/", "/3", "Conversation/3", "conversation/x", "conversation/99999"] {
        refused(record(lane, vec![message(4)])).then_refused(Rejection::NotALane(lane.to_owned()));
    }
    let rupees = Amount::new(1, "INR".parse().unwrap());
    let odd = [
        PaymentFeeUsage { fee: rupees, ..fee(4, 10, "BRL") },
        PaymentFeeUsage { fee_micro: -1, ..fee(4, 10, "BRL") },
        PaymentFeeUsage { rate_bp: -1, ..fee(4, 10, "BRL") },
    ];
    for fee in odd {
        refused(record_all(lane, vec![], vec![fee])).then_refused(Rejection::NotAFee { seq: 4 });
    }
    let many = (1..=ITEMS_MAX as i64 + 1).map(message).collect();
    refused(record(lane, many)).then_refused(Rejection::TooManyItems { given: ITEMS_MAX + 1 });
}

#[test]
fn usage_of_no_month_is_refused() {
    let command = Command::Record {
        period: "november".into(),
        source_lane: "conversation/3".into(),
        from_seq: 1,
        to_seq: 1,
        messages: vec![],
        payment_fees: vec![],
    };
    let rejection = Usage::decide(&State::default(), command, At(0)).unwrap_err();
    assert_eq!((rejection.code(), rejection.field()), ("NOT_A_MONTH", None));
}

/// Places by their lane.
type Said = BTreeMap<Arc<str>, Vec<i64>>;

/// Commands: a lane and the places that one of them tells of.
type Tellings = Vec<(Arc<str>, Vec<i64>)>;

/// What three lanes said, cut into commands that overlap, repeat and overtake each other.
fn any_telling() -> impl Strategy<Value = (Said, Tellings)> {
    let lane = prop::sample::select(&["conversation/0", "conversation/1", "payments/0"][..]);
    let gaps = prop::collection::vec(1i64..5, 1..30);
    let lanes = prop::collection::btree_map(lane.prop_map(Arc::<str>::from), gaps, 1..4);
    lanes.prop_flat_map(|lanes| {
        let said: Said = lanes
            .into_iter()
            .map(|(lane, gaps)| {
                let seqs = gaps.into_iter().scan(0, |seq, gap| {
                    *seq += gap;
                    Some(*seq)
                });
                (lane, seqs.collect())
            })
            .collect();
        let singles: Vec<_> =
            said.iter().flat_map(|(lane, seqs)| seqs.iter().map(|seq| (lane.clone(), vec![*seq]))).collect();
        let whole: Vec<_> = said.iter().map(|(lane, seqs)| (lane.clone(), seqs.clone())).collect();
        let pool = [singles.clone(), whole].concat();
        let repeats = prop::collection::vec(prop::sample::select(pool), 0..20);
        let tellings = repeats.prop_map(move |repeats| [singles.clone(), repeats].concat()).prop_shuffle();
        (Just(said), tellings)
    })
}

proptest! {
    #[test]
    fn whatever_is_repeated_or_reordered_each_item_is_on_the_log_once((said, tellings) in any_telling()) {
        let mut state = State::default();
        let mut log: Vec<Used> = vec![];
        for (lane, seqs) in tellings {
            let messages = seqs.into_iter().map(message).collect();
            for event in Usage::decide(&state, record(&lane, messages), At(0)).unwrap() {
                state = Usage::evolve(state, &event);
                let Event::UsageRecorded(recorded) = event;
                log.extend(recorded.messages.into_iter().map(|message| Used {
                    source_lane: recorded.source_lane.clone(),
                    item: UsedItem::Message(message),
                }));
            }
        }
        let mut on_log: Said = BTreeMap::new();
        for used in &log {
            on_log.entry(used.source_lane.clone()).or_default().push(used.item.seq());
        }
        on_log.values_mut().for_each(|seqs| seqs.sort_unstable());
        prop_assert_eq!(on_log, said);
        let tally = Tally::of(&log).unwrap();
        prop_assert_eq!((state.count, state.fingerprint), (tally.count(), tally.fingerprint()));
    }

    #[test]
    fn what_is_remembered_of_a_lane_does_not_grow(seqs in prop::collection::vec(1i64..5_000, 0..1_500)) {
        let mut heard = Heard::default();
        for seq in &seqs {
            heard.hear(*seq);
        }
        prop_assert!(heard.recent.len() <= WINDOW);
        prop_assert!(seqs.iter().all(|seq| heard.has(*seq)));
    }
}
