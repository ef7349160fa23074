//! The rules of invoices, in a merchant's words.

use std::sync::Arc;

use feira_codec::fixture::wire;
use feira_commands::billing::{SERIES, Used, UsedItem, explain};
use feira_decider::{Given, Reject, fold, given};
use feira_events::FactPosition;
use feira_events::billing::{Category, Class, MessageUsage, PaymentFeeUsage};
use proptest::prelude::*;

use super::*;
use crate::hash::{document_hash, lines_hash};
use crate::month::Month;
use crate::rating::Tally;
use crate::rating::tests::{fee, message, november};

/// Enough business time for every month here to be over.
const LATER: At = At(1_900_000_000_000);

fn charged(seq: i64, month: &str) -> Used {
    let delivered_at = Month::parse(month).unwrap().from() + seq;
    let message = MessageUsage { delivered_at, ..message(seq, "IN", Class::Charged, Category::Utility) };
    Used { source_lane: "conversation/0".into(), item: UsedItem::Message(message) }
}

fn free(seq: i64, month: &str) -> Used {
    let delivered_at = Month::parse(month).unwrap().from() + seq;
    let message = MessageUsage { delivered_at, ..message(seq, "BR", Class::Free, Category::Service) };
    Used { source_lane: "conversation/0".into(), item: UsedItem::Message(message) }
}

fn paid(seq: i64, month: &str) -> Used {
    let fee = PaymentFeeUsage { captured_at: Month::parse(month).unwrap().from() + seq, ..fee(seq, 10_000, "BRL") };
    Used { source_lane: "payments/0".into(), item: UsedItem::PaymentFee(fee) }
}

fn draft(period: &str, used: &[Used]) -> Command {
    draft_at(period, used, used.len() as i64)
}

fn draft_at(period: &str, used: &[Used], lane_seq: i64) -> Command {
    let position = FactPosition { lane: 1, lane_seq };
    Command::Draft { series: SERIES.into(), period: period.into(), usage: Tally::of(used).unwrap(), position }
}

fn issue(period: &str, used: &[Used]) -> Command {
    Command::Issue { series: SERIES.into(), period: period.into(), usage: Tally::of(used).unwrap() }
}

fn history(events: impl IntoIterator<Item = Event>) -> Given<Invoices> {
    given::<Invoices>(events).through(wire).at(LATER)
}

/// The events that answer these commands one after another.
fn events(commands: Vec<Command>) -> Vec<Event> {
    let mut log = vec![];
    for command in commands {
        log.extend(Invoices::decide(&fold::<Invoices>(&log), command, LATER).unwrap());
    }
    log
}

fn issued(events: &[Event]) -> Vec<&InvoiceIssued> {
    let issued = events.iter().filter_map(|event| match event {
        Event::InvoiceIssued(issued) => Some(issued),
        Event::InvoiceDrafted(_) => None,
    });
    issued.collect()
}

#[test]
fn a_month_is_drafted_with_what_was_used_and_at_what_prices() {
    let used = [charged(1, "2026-11"), free(2, "2026-11"), paid(3, "2026-11")];
    let log = events(vec![draft("2026-11", &used)]);
    let [Event::InvoiceDrafted(drafted)] = &log[..] else { panic!("{log:#?}") };
    let document = &drafted.document;
    assert_eq!((&*document.period, document.from, document.until), ("2026-11", november().from(), november().until()));
    let lines: Vec<_> = document.lines.iter().map(|line| (line.quantity, line.exact_micro, line.collected)).collect();
    assert_eq!(lines, [(1, 0, false), (1, 1_400, false), (1, 3_990_000, true)]);
    assert_eq!((document.usage.count, document.usage.position.lane_seq), (3, 3));
    assert_eq!((&*document.card.model, &*document.card.version), ("PMP", "2026-01-01"));
    assert_eq!(*drafted.lines_hash, *lines_hash(&document.lines));
    for line in &document.lines {
        assert_eq!(explain(line, &used).unwrap().usage.len(), 1);
    }
    // The event survives the log.
    assert_eq!(wire(log[0].clone()), log[0]);
}

#[test]
fn a_draft_is_replaced_by_the_next() {
    let used: Vec<Used> = (1..=2).map(|seq| charged(seq, "2026-11")).collect();
    let log = events(vec![draft("2026-11", &used[..1]), draft("2026-11", &used)]);
    assert_eq!(log.len(), 2);
    let state = fold::<Invoices>(&log);
    assert_eq!(state.drafts["2026-11"].document.usage.count, 2);
    assert_eq!(state.latest.unwrap().number, None);
}

#[test]
fn a_draft_of_the_same_usage_is_no_other_draft() {
    let used = [charged(1, "2026-11")];
    let log = events(vec![draft_at("2026-11", &used, 1)]);
    history(log).when(draft_at("2026-11", &used, 9)).then([]);
}

#[test]
fn a_draft_of_older_usage_does_not_replace_a_newer_one() {
    let used: Vec<Used> = (1..=2).map(|seq| charged(seq, "2026-11")).collect();
    history(events(vec![draft("2026-11", &used)])).when(draft("2026-11", &used[..1])).then([]);
}

#[test]
fn an_issued_invoice_has_a_number_a_hash_and_never_changes() {
    let used = [charged(1, "2026-11")];
    let log = events(vec![draft("2026-11", &used), issue("2026-11", &used)]);
    let invoice = issued(&log)[0];
    assert_eq!(invoice.number, 1);
    assert_eq!(*invoice.document_hash, *document_hash(1, &invoice.document));
    let state = fold::<Invoices>(&log);
    assert_eq!(state.issued["2026-11"], Issued { number: 1, document_hash: invoice.document_hash.clone() });
    let more = [used[0].clone(), charged(2, "2026-11")];
    let rejection = Rejection::AlreadyIssued { period: "2026-11".into(), number: 1 };
    assert_eq!((rejection.code(), rejection.field()), ("ALREADY_ISSUED", Some("period")));
    history(log.clone()).when(draft("2026-11", &more)).then_refused(rejection);
    // Asked twice, it is issued once.
    history(log).when(issue("2026-11", &more)).then([]);
}

#[test]
fn a_month_is_issued_when_it_is_over_and_not_before() {
    let used = [charged(1, "2026-11")];
    let log = || history(events(vec![draft("2026-11", &used)]));
    let first = november().until() + GRACE_MS;
    let rejection = Rejection::PeriodNotOver { period: "2026-11".into(), from: "2026-12-01T01:00:00.000Z".to_owned() };
    log().at(At(first - 1)).when(issue("2026-11", &used)).then_refused(rejection);
    let state = fold::<Invoices>(&events(vec![draft("2026-11", &used)]));
    assert_eq!(Invoices::decide(&state, issue("2026-11", &used), At(first)).unwrap().len(), 1);
}

#[test]
fn what_was_used_since_the_draft_must_be_drafted_before_it_is_issued() {
    let used: Vec<Used> = (1..=2).map(|seq| charged(seq, "2026-11")).collect();
    let stale = Rejection::DraftStale { period: "2026-11".into(), drafted: 1, used: 2 };
    history(events(vec![draft("2026-11", &used[..1])])).when(issue("2026-11", &used)).then_refused(stale);
    // As many, but others.
    let stale = Rejection::DraftStale { period: "2026-11".into(), drafted: 1, used: 1 };
    history(events(vec![draft("2026-11", &used[..1])])).when(issue("2026-11", &used[1..])).then_refused(stale);
    history([]).when(issue("2026-11", &used)).then_refused(Rejection::NoDraft { period: "2026-11".into() });
}

#[test]
fn a_business_has_one_series_of_numbers() {
    let usage = Tally::of(&[charged(1, "2026-11")]).unwrap();
    let command = Command::Issue { series: "second".into(), period: "2026-11".into(), usage };
    history([]).when(command).then_refused(Rejection::OtherSeries);
}

#[test]
fn what_cannot_be_invoiced_is_refused() {
    history([]).when(draft("2026-11", &[])).then_refused(Rejection::NoUsage { period: "2026-11".into() });
    for period in ["", "2026", "2026-13", "november"] {
        let rejection = Invoices::decide(&State::default(), draft(period, &[]), LATER).unwrap_err();
        assert_eq!((rejection.code(), rejection.field()), ("NOT_A_MONTH", Some("period")));
    }
    let ancient = [charged(1, "2019-11")];
    history([]).when(draft("2019-11", &ancient)).then_refused(Rejection::NoRateCard { period: "2019-11".into() });
    let mut unknown = charged(1, "2026-11");
    if let UsedItem::Message(message) = &mut unknown.item {
        message.policy = "meta-2018".into();
    }
    let rejection = Invoices::decide(&State::default(), draft("2026-11", &[unknown]), LATER).unwrap_err();
    assert_eq!(
        (rejection.code(), rejection.to_string()),
        (
            "NOT_RATABLE",
            "2026-11 cannot be rated: messages are stamped with the policy \"meta-2018\", which has no rule here"
                .to_owned()
        )
    );
}

#[test]
fn what_rounding_left_over_goes_from_one_invoice_to_the_next() {
    let months = ["2026-09", "2026-10", "2026-11"];
    let mut commands = vec![];
    // All are drafted before the first is issued, so that what is carried is not known yet.
    for month in months {
        let used: Vec<Used> = (1..=3).map(|seq| charged(seq, month)).collect();
        commands.push(draft(month, &used));
    }
    for month in months {
        let used: Vec<Used> = (1..=3).map(|seq| charged(seq, month)).collect();
        commands.push(issue(month, &used));
    }
    let log = events(commands);
    let due: Vec<_> = issued(&log).iter().map(|invoice| invoice.document.totals[0].due.minor).collect();
    let carried: Vec<_> = issued(&log).iter().map(|invoice| invoice.document.totals[0].carried_out_micro).collect();
    // 0.0042 a month.
    assert_eq!((due, carried), (vec![0, 1, 0], vec![4_200, -1_600, 2_600]));
}

#[derive(Clone, Debug)]
enum Step {
    Use(usize, bool),
    Draft(usize),
    Issue(usize),
}

const MONTHS: [&str; 4] = ["2026-08", "2026-09", "2026-10", "2026-11"];

fn any_step() -> impl Strategy<Value = Step> {
    let month = 0..MONTHS.len();
    prop_oneof![
        3 => (month.clone(), any::<bool>()).prop_map(|(month, charged)| Step::Use(month, charged)),
        2 => month.clone().prop_map(Step::Draft),
        2 => month.prop_map(Step::Issue),
    ]
}

proptest! {
    #[test]
    fn numbers_have_no_gap_and_what_is_issued_stands(steps in prop::collection::vec(any_step(), 0..80)) {
        let mut used: Vec<Vec<Used>> = vec![vec![]; MONTHS.len()];
        let mut log: Vec<Event> = vec![];
        for step in steps {
            let command = match step {
                Step::Use(month, dear) => {
                    let seq = 1 + used[month].len() as i64;
                    used[month].push(if dear { charged(seq, MONTHS[month]) } else { free(seq, MONTHS[month]) });
                    continue;
                }
                Step::Draft(month) => draft(MONTHS[month], &used[month]),
                Step::Issue(month) => issue(MONTHS[month], &used[month]),
            };
            if let Ok(events) = Invoices::decide(&fold::<Invoices>(&log), command, LATER) {
                log.extend(events);
            }
        }
        let invoices = issued(&log);
        let numbers: Vec<i64> = invoices.iter().map(|invoice| invoice.number).collect();
        prop_assert_eq!(numbers, (1..=invoices.len() as i64).collect::<Vec<_>>());
        let mut periods: Vec<Arc<str>> = invoices.iter().map(|invoice| invoice.document.period.clone()).collect();
        periods.sort_unstable();
        periods.dedup();
        prop_assert_eq!(periods.len(), invoices.len());
        for (position, event) in log.iter().enumerate() {
            if let Event::InvoiceDrafted(drafted) = event {
                let before = issued(&log[..position]);
                prop_assert!(before.iter().all(|invoice| invoice.document.period != drafted.document.period));
            }
        }
        // What is carried in is what the invoice before carried out.
        let mut carried = 0;
        for invoice in invoices {
            let usd = invoice.document.totals.iter().find(|total| total.due.currency.code() == "USD").unwrap();
            prop_assert_eq!(usd.carried_in_micro, carried);
            carried = usd.carried_out_micro;
        }
    }

    #[test]
    fn any_order_of_events_adds_up(picks in prop::collection::vec(any::<prop::sample::Index>(), 0..20)) {
        let used = [charged(1, "2026-11")];
        let pool = events(vec![draft("2026-11", &used), issue("2026-11", &used), draft("2026-10", &[free(1, "2026-10")])]);
        let picked: Vec<Event> = picks.iter().map(|pick| pick.get(&pool).clone()).collect();
        let _ = fold::<Invoices>(&picked);
    }
}
