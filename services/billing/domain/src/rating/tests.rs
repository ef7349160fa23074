//! What usage comes to, in figures worked by hand and in laws that hold for any of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use feira_calendar::parse_rfc3339;
use feira_commands::billing::{ExplainError, Finds, Used, UsedItem, counts, explain};
use feira_events::billing::{MessageUsage, PaymentFeeUsage};
use feira_ids::CommandId;
use feira_money::BasisPoints;
use proptest::prelude::*;

use super::*;
use crate::hash::{Fingerprint, lines_hash};
use crate::rate_card::{PER_MESSAGE, published};

pub(crate) fn november() -> Month {
    Month::parse("2026-11").unwrap()
}

pub(crate) fn card(month: Month) -> RateCard {
    let until = month.first().plus_months(1).unwrap();
    RateCard::of(published(), PER_MESSAGE, CURRENCY.parse().unwrap(), until).unwrap()
}

/// A message that was delivered in the middle of November.
pub(crate) fn message(seq: i64, country: &str, class: Class, category: Category) -> MessageUsage {
    let delivered_at = parse_rfc3339("2026-11-26T12:00:00Z").unwrap();
    MessageUsage {
        seq,
        event_id: CommandId::default().event(seq as u32),
        thread: "main/CC.1".into(),
        message: format!("m-{seq}").into(),
        class,
        category,
        country: country.into(),
        policy: POLICY.into(),
        sent_at: delivered_at - 1_000,
        delivered_at,
    }
}

/// The fee of a payment of `minor` at 3.99 %, closed as the ledger closes it.
pub(crate) fn fee(seq: i64, minor: i64, code: &str) -> PaymentFeeUsage {
    let amount = Amount::new(minor, code.parse().unwrap());
    let exact = BasisPoints(399).of(amount).unwrap();
    let micro = exact.checked_mul_ratio(1_000_000, 10i128.pow(amount.currency.exponent())).unwrap();
    PaymentFeeUsage {
        seq,
        event_id: CommandId::default().event(seq as u32),
        intent: format!("o-{seq}").into(),
        order: format!("o-{seq}").into(),
        amount,
        fee: close_line(exact, Rounding::default()).unwrap().amount,
        fee_micro: (micro.numerator() / micro.denominator()) as i64,
        rate_bp: 399,
        captured_at: parse_rfc3339("2026-11-26T12:00:00Z").unwrap(),
    }
}

fn sent(message: MessageUsage) -> Used {
    Used { source_lane: "conversation/3".into(), item: UsedItem::Message(message) }
}

fn paid(fee: PaymentFeeUsage) -> Used {
    Used { source_lane: "payments/0".into(), item: UsedItem::PaymentFee(fee) }
}

fn lines(used: &[Used]) -> Vec<Line> {
    rate(&card(november()), november(), &Tally::of(used).unwrap()).unwrap()
}

/// Quantity, exact amount, closed amount and what is left over, of a single line.
fn only(used: &[Used]) -> (i64, i64, i64, i64) {
    match &lines(used)[..] {
        [line] => (line.quantity, line.exact_micro, line.amount.minor, line.residual_micro),
        other => panic!("{other:#?}"),
    }
}

#[test]
fn a_free_message_is_a_line_of_nothing() {
    let used = [sent(message(1, "BR", Class::Free, Category::Service))];
    assert_eq!(only(&used), (1, 0, 0, 0));
    assert_eq!(lines(&used)[0].unit_price_micro, Some(0));
    assert_eq!(lines(&used)[0].rule, None);
}

#[test]
fn one_utility_template_to_brazil_costs_0_0068_and_to_india_0_0014() {
    assert_eq!(only(&[sent(message(1, "BR", Class::Charged, Category::Utility))]), (1, 6_800, 1, -3_200));
    assert_eq!(only(&[sent(message(1, "IN", Class::Charged, Category::Utility))]), (1, 1_400, 0, 1_400));
    let line = &lines(&[sent(message(1, "BR", Class::Charged, Category::Utility))])[0];
    let rule = line.rule.as_ref().unwrap();
    assert_eq!((&*rule.market, &*rule.valid_from, &*rule.confidence), ("BR", "2026-01-01", "high"));
    assert_eq!(line.amount.currency.code(), "USD");
}

#[test]
fn a_line_is_closed_once_and_not_message_by_message() {
    // A thousand times 0.0068 is 6.80, not a thousand times 0.01.
    let used: Vec<Used> = (1..=1_000).map(|seq| sent(message(seq, "BR", Class::Charged, Category::Utility))).collect();
    assert_eq!(only(&used), (1_000, 6_800_000, 680, 0));
}

#[test]
fn a_payments_fee_is_what_was_taken_and_is_paid_already() {
    assert_eq!(only(&[paid(fee(1, 10_000, "BRL"))]), (1, 3_990_000, 399, 0));
    // Nothing is taken from 0.10, and 3,990 millionths stay on the line.
    assert_eq!(only(&[paid(fee(1, 10, "BRL"))]), (1, 3_990, 0, 3_990));
    let lines = lines(&[paid(fee(1, 10_000, "BRL")), paid(fee(2, 10, "BRL"))]);
    assert!(lines[0].collected);
    let total = &totals(&lines, &BTreeMap::new()).unwrap()[0];
    assert_eq!((total.due.minor, total.collected.minor, total.carried_out_micro), (0, 399, 0));
}

#[test]
fn each_currency_has_its_own_total() {
    let used = [
        sent(message(1, "BR", Class::Charged, Category::Marketing)),
        paid(fee(2, 10_000, "BRL")),
        paid(fee(3, 10_000, "INR")),
    ];
    let totals = totals(&lines(&used), &BTreeMap::new()).unwrap();
    let shown: Vec<_> = totals.iter().map(|total| (total.due.to_string(), total.collected.to_string())).collect();
    let expected = [("0.00 BRL", "3.99 BRL"), ("0.00 INR", "3.99 INR"), ("0.06 USD", "0.00 USD")];
    assert_eq!(shown, expected.map(|(due, collected)| (due.to_owned(), collected.to_owned())));
}

#[test]
fn what_rounding_leaves_over_is_paid_in_a_later_month() {
    // Three messages to India a month come to 0.0042.
    let used: Vec<Used> = (1..=3).map(|seq| sent(message(seq, "IN", Class::Charged, Category::Utility))).collect();
    let lines = lines(&used);
    let mut carried = BTreeMap::new();
    let mut due = vec![];
    for _ in 0..7 {
        let total = totals(&lines, &carried).unwrap().remove(0);
        carried.insert(Arc::from("USD"), total.carried_out_micro);
        due.push(total.due.minor);
    }
    // Seven months come to 0.0294, of which 0.03 is paid.
    assert_eq!((due, carried["USD"]), (vec![0, 1, 0, 1, 0, 1, 0], -600));
}

#[test]
fn a_price_that_changes_within_the_month_makes_two_lines() {
    let october = Month::parse("2025-10").unwrap();
    let at = |seq, when| {
        let delivered_at = parse_rfc3339(when).unwrap();
        sent(MessageUsage { delivered_at, ..message(seq, "AR", Class::Charged, Category::Utility) })
    };
    // A card whose price changes on the 16th.
    let mut prices = published().to_vec();
    let argentina = |price: &&Price| &*price.market == "AR" && &*price.category == "utility";
    let newest = prices.iter().filter(argentina).find(|price| price.valid_from.to_string() == "2025-10-01").unwrap();
    let changed = Price { price: MicroAmount::new(30_000, newest.price.currency), ..newest.clone() };
    prices.push(Price { valid_from: "2025-10-16".parse().unwrap(), ..changed });
    let card = RateCard::of(&prices, PER_MESSAGE, CURRENCY.parse().unwrap(), "2025-11-01".parse().unwrap()).unwrap();
    let used = [
        at(1, "2025-10-01T00:00:00Z"),
        at(2, "2025-10-15T23:59:59.999Z"),
        at(3, "2025-10-16T00:00:00Z"),
        at(4, "2025-10-31T23:59:59.999Z"),
        at(5, "2025-10-20T12:00:00Z"),
    ];
    let lines = rate(&card, october, &Tally::of(&used).unwrap()).unwrap();
    let priced: Vec<_> = lines.iter().map(|line| (line.quantity, line.unit_price_micro.unwrap())).collect();
    assert_eq!(priced, [(2, 26_000), (3, 30_000)]);
    for line in &lines {
        assert_eq!(explain(line, &used).unwrap().usage.len() as i64, line.quantity);
    }
}

/// Two cases of the kinds of price that are used here, as another billing system publishes them.
///
/// Source: Lago, tests of its charge models "standard" and "percentage".
#[test]
fn published_cases_of_a_unit_price_and_of_a_share_come_out_exactly() {
    let usd: Currency = "USD".parse().unwrap();
    let exact = |text| feira_money::Exact::from(MicroAmount::parse_major(text, usd).unwrap());
    assert_eq!(exact("5.12345").checked_mul(10).unwrap(), exact("51.2345"));
    assert_eq!(BasisPoints(290).of(Amount::parse_major("4", usd).unwrap()).unwrap(), exact("0.116"));
}

#[test]
fn what_cannot_be_rated_refuses_the_whole() {
    let rated = |message| rate(&card(november()), november(), &Tally::of(&[sent(message)]).unwrap()).unwrap_err();
    let charged = || message(1, "BR", Class::Charged, Category::Utility);
    assert_eq!(
        rated(MessageUsage { policy: "meta-2018".into(), ..charged() }),
        Unratable::Policy { policy: "meta-2018".into() }
    );
    assert_eq!(rated(MessageUsage { class: Class::Unknown, ..charged() }), Unratable::Class { country: "BR".into() });
    let error = rated(MessageUsage { category: Category::Unknown, ..charged() });
    assert_eq!(error.to_string(), "the rate card has no price for UNKNOWN messages to \"BR\" on 2026-11-26");
}

#[test]
fn sums_that_do_not_fit_are_refused() {
    let huge = PaymentFeeUsage { fee_micro: i64::MAX, ..fee(1, 10, "BRL") };
    let used = [paid(huge.clone()), paid(PaymentFeeUsage { seq: 2, ..huge })];
    assert_eq!(Tally::of(&used), Err(TallyError::Money(MoneyError::Overflow)));
    let timeless = MessageUsage { delivered_at: i64::MAX, ..message(1, "BR", Class::Free, Category::Service) };
    assert!(matches!(Tally::of(&[sent(timeless)]), Err(TallyError::Time(_))));
}

#[test]
fn a_line_explains_itself_step_by_step() {
    let used: Vec<Used> = (1..=3).map(|seq| sent(message(seq, "BR", Class::Charged, Category::Utility))).collect();
    let line = &lines(&used)[0];
    let explanation = explain(line, &used).unwrap();
    let steps: Vec<_> = explanation.steps.iter().map(|step| (step.finds, &*step.value)).collect();
    let expected = [
        (Finds::Quantity, "3"),
        (Finds::UnitPrice, "0.006800"),
        (Finds::Exact, "0.020400"),
        (Finds::Amount, "0.02"),
        (Finds::Residual, "0.000400"),
    ];
    assert_eq!(steps, expected);
    assert_eq!(explanation.usage.iter().map(|used| used.seq).collect::<Vec<_>>(), [1, 2, 3]);
    let short = ExplainError::Differs { field: "quantity", stated: "3".into(), found: "2".into() };
    assert_eq!(explain(line, &used[1..]), Err(short));
}

fn any_used() -> impl Strategy<Value = Vec<Used>> {
    let country = prop::sample::select(&["BR", "IN", "US", "UY", "AQ"][..]);
    let class = prop_oneof![Just(Class::Free), Just(Class::Charged)];
    let category = prop_oneof![
        Just(Category::Marketing),
        Just(Category::Utility),
        Just(Category::Authentication),
        Just(Category::Service)
    ];
    let times = november().from()..november().until();
    let message = (country, class, category, times).prop_map(|(country, class, category, delivered_at)| {
        sent(MessageUsage { delivered_at, ..message(0, country, class, category) })
    });
    let currency = prop::sample::select(&["BRL", "INR", "JPY"][..]);
    let fee = (0i64..1_000_000, currency).prop_map(|(minor, code)| paid(fee(0, minor, code)));
    prop::collection::vec(prop_oneof![4 => message, 1 => fee], 0..80).prop_map(|used| {
        let numbered = used.into_iter().zip(1..);
        numbered.map(|(used, seq)| Used { item: with_seq(used.item, seq), ..used }).collect()
    })
}

fn with_seq(item: UsedItem, seq: i64) -> UsedItem {
    let event_id = CommandId::default().event(seq as u32);
    match item {
        UsedItem::Message(message) => UsedItem::Message(MessageUsage { seq, event_id, ..message }),
        UsedItem::PaymentFee(fee) => UsedItem::PaymentFee(PaymentFeeUsage { seq, event_id, ..fee }),
    }
}
/// The fingerprint of all that `lines` were made of.
fn usage_of(lines: &[Line]) -> Option<Fingerprint> {
    lines
        .iter()
        .try_fold(Fingerprint::default(), |all, line| Some(all.with(Fingerprint::from_hex(&line.usage_fingerprint)?)))
}

proptest! {
    #[test]
    fn the_order_of_usage_does_not_matter(
        (used, shuffled) in any_used().prop_flat_map(|used| (Just(used.clone()), Just(used).prop_shuffle())),
    ) {
        prop_assert_eq!(Tally::of(&used).unwrap(), Tally::of(&shuffled).unwrap());
        prop_assert_eq!(lines_hash(&lines(&used)), lines_hash(&lines(&shuffled)));
    }

    #[test]
    fn every_item_is_in_exactly_one_line(used in any_used()) {
        let lines = lines(&used);
        prop_assert_eq!(lines.iter().map(|line| line.quantity).sum::<i64>(), used.len() as i64);
        for used in &used {
            prop_assert_eq!(lines.iter().filter(|line| counts(line, &used.item)).count(), 1);
        }
        prop_assert_eq!(usage_of(&lines), Some(Tally::of(&used).unwrap().fingerprint()));
        let names: BTreeSet<_> = lines.iter().map(|line| line.line_id.clone()).collect();
        prop_assert_eq!(names.len(), lines.len());
    }

    #[test]
    fn every_line_explains_itself(used in any_used()) {
        for line in lines(&used) {
            prop_assert_eq!(explain(&line, &used).unwrap().usage.len() as i64, line.quantity);
            let exact = feira_money::Exact::from(MicroAmount::new(line.exact_micro, line.amount.currency));
            let residual = feira_money::Exact::from(MicroAmount::new(line.residual_micro, line.amount.currency));
            prop_assert_eq!(feira_money::Exact::from(line.amount).checked_add(residual).unwrap(), exact);
        }
    }

    #[test]
    fn over_all_months_what_is_paid_is_what_was_used(months in prop::collection::vec(any_used(), 1..8)) {
        let mut carried = BTreeMap::new();
        let (mut due, mut exact) = (0i128, 0i128);
        for used in &months {
            let lines = lines(used);
            exact += lines.iter().filter(|line| !line.collected).map(|line| i128::from(line.exact_micro)).sum::<i128>();
            for total in totals(&lines, &carried).unwrap() {
                carried.insert(total.due.currency.code().into(), total.carried_out_micro);
                if total.due.currency.code() == CURRENCY {
                    due += i128::from(total.due.minor);
                }
            }
        }
        // A cent is 10,000 millionths of a dollar.
        let left_over = exact - due * 10_000;
        prop_assert_eq!(left_over, i128::from(carried.get(CURRENCY).copied().unwrap_or(0)));
        prop_assert!(left_over.abs() <= 5_000);
    }
}
