//! From what happened elsewhere to what was used: a message counts when it is delivered, a payment's fee when the
//! payment is captured.

use feira_commands::billing::UsageInput;
use feira_commands::conversation::thread_key;
use feira_decider::{Ask, Do, Process};
use feira_events::billing::{Category, Class, MessageUsage, PaymentFeeUsage};
use feira_events::{Meta, conversation, payments};
use feira_ids::{AggregateId, TenantId};

use crate::month::Month;

/// Enters usage as it happens.
#[derive(Debug)]
pub struct UsageProcess;

/// What usage comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsageSource {
    /// A message came to its customer.
    Delivered(conversation::MessageDelivered),
    /// An order was paid, and the fee taken from it.
    Captured(payments::IntentCaptured),
}

impl Process for UsageProcess {
    const NAME: &'static str = "usage";
    type Event = UsageSource;

    fn react(meta: &Meta, event: &UsageSource) -> Vec<Do> {
        let asked = match event {
            UsageSource::Delivered(delivered) => {
                let message = message(meta, delivered);
                record(meta, &meta.tenant, "conversation", message.delivered_at, vec![message], vec![])
            }
            // The ledger is the platform's: whose order was paid is said by the intent.
            UsageSource::Captured(captured) => {
                TenantId::new(captured.intent.business.clone()).ok().and_then(|tenant| {
                    let fee = payment_fee(meta, captured);
                    record(meta, &tenant, "payments", fee.captured_at, vec![], vec![fee])
                })
            }
        };
        asked.map(|ask| ask.now()).into_iter().collect()
    }
}

/// Asks the month that holds `used_at`; nothing where no month does.
fn record(
    meta: &Meta,
    tenant: &TenantId,
    service: &str,
    used_at: i64,
    messages: Vec<MessageUsage>,
    payment_fees: Vec<PaymentFeeUsage>,
) -> Option<Ask> {
    let month = AggregateId::new("usage", &Month::of(used_at).ok()?.to_string()).ok()?;
    let input = UsageInput::Record {
        source_lane: format!("{service}/{}", meta.lane).into(),
        from_seq: meta.lane_seq,
        to_seq: meta.lane_seq,
        messages,
        payment_fees,
    };
    Some(Ask::new("record", tenant, month, input.operation(), &input))
}

fn message(meta: &Meta, delivered: &conversation::MessageDelivered) -> MessageUsage {
    MessageUsage {
        seq: meta.lane_seq,
        event_id: meta.event_id,
        thread: thread_key(&delivered.sender, &delivered.customer).into(),
        message: delivered.message.clone(),
        class: class(delivered.class),
        category: category(delivered.category),
        country: delivered.country.clone(),
        policy: delivered.policy.clone(),
        sent_at: delivered.sent_at,
        delivered_at: delivered.delivered_at,
    }
}

fn payment_fee(meta: &Meta, captured: &payments::IntentCaptured) -> PaymentFeeUsage {
    PaymentFeeUsage {
        seq: meta.lane_seq,
        event_id: meta.event_id,
        intent: captured.intent.intent.clone(),
        order: captured.intent.order.clone(),
        amount: captured.intent.amount,
        fee: captured.fee,
        fee_micro: captured.fee_micro,
        rate_bp: captured.fee_bp,
        captured_at: meta.at,
    }
}

fn class(class: conversation::Class) -> Class {
    match class {
        conversation::Class::Free => Class::Free,
        conversation::Class::Charged => Class::Charged,
        conversation::Class::Unknown => Class::Unknown,
    }
}

fn category(category: conversation::Category) -> Category {
    match category {
        conversation::Category::Marketing => Category::Marketing,
        conversation::Category::Utility => Category::Utility,
        conversation::Category::Authentication => Category::Authentication,
        conversation::Category::Service => Category::Service,
        conversation::Category::Unknown => Category::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use feira_codec::fixture::envelope;
    use feira_decider::Decider;
    use feira_ids::AccountId;
    use feira_money::Amount;

    use super::*;
    use crate::usage::{Command, Event, State, Usage};

    fn meta(aggregate: &str) -> Meta {
        Meta { lane: 3, lane_seq: 41, at: 1_795_694_400_000, ..envelope(aggregate) }
    }

    fn delivered() -> conversation::MessageDelivered {
        conversation::MessageDelivered {
            message: "m-7".into(),
            seq: 12,
            sender: "main".into(),
            customer: "CC.1".into(),
            country: "BR".into(),
            category: conversation::Category::Utility,
            class: conversation::Class::Charged,
            reason: conversation::ClassReason::Template,
            policy: "feira-1".into(),
            sent_at: 1_795_694_399_000,
            delivered_at: 1_795_694_400_000,
        }
    }

    /// What the aggregate that is asked makes of it.
    fn entered(done: &[Do], asked: &UsageInput, tenant: &str) -> Event {
        let [Do::Ask(ask)] = done else { panic!("{done:?}") };
        assert_eq!((ask.aggregate.as_str(), &*ask.operation), ("usage:2026-11", "billing.record_usage"));
        assert_eq!(ask.tenant.as_str(), tenant);
        assert_eq!(ask.input, Ask::new("record", &ask.tenant, ask.aggregate.clone(), "", asked).input);
        let UsageInput::Record { source_lane, from_seq, to_seq, messages, payment_fees } = asked.clone();
        let period = ask.aggregate.key().into();
        let command = Command::Record { period, source_lane, from_seq, to_seq, messages, payment_fees };
        Usage::decide(&State::default(), command, feira_decider::At(0)).unwrap().remove(0)
    }

    #[test]
    fn a_delivered_message_is_entered_as_it_was_stamped() {
        let meta = meta("thread:main/CC.1");
        let message = MessageUsage {
            seq: 41,
            event_id: meta.event_id,
            thread: "main/CC.1".into(),
            message: "m-7".into(),
            class: Class::Charged,
            category: Category::Utility,
            country: "BR".into(),
            policy: "feira-1".into(),
            sent_at: 1_795_694_399_000,
            delivered_at: 1_795_694_400_000,
        };
        let asked = UsageInput::Record {
            source_lane: "conversation/3".into(),
            from_seq: 41,
            to_seq: 41,
            messages: vec![message.clone()],
            payment_fees: vec![],
        };
        let Event::UsageRecorded(recorded) =
            entered(&UsageProcess::react(&meta, &UsageSource::Delivered(delivered())), &asked, "feira-livre");
        assert_eq!((recorded.messages, recorded.count), (vec![message], 1));
    }

    #[test]
    fn the_fee_of_a_payment_is_entered_for_the_business_that_was_paid() {
        let meta = meta("shard:3");
        let reais = |minor| Amount::new(minor, "BRL".parse().unwrap());
        let account = |text: &str| AccountId::parse(text).unwrap();
        let intent = payments::Intent {
            intent: "o-1".into(),
            business: "mumbai-bazaar".into(),
            order: "o-1".into(),
            customer: "CC.1".into(),
            account: account("3/biz/mumbai-bazaar"),
            amount: reais(10),
        };
        let captured = payments::IntentCaptured {
            intent,
            transfer: "t-1".into(),
            payer: account("2/person/ana"),
            fee: reais(0),
            fee_micro: 3_990,
            fee_bp: 399,
            net: reais(10),
            postings: vec![],
            balances: vec![],
        };
        let fee = PaymentFeeUsage {
            seq: 41,
            event_id: meta.event_id,
            intent: "o-1".into(),
            order: "o-1".into(),
            amount: reais(10),
            fee: reais(0),
            fee_micro: 3_990,
            rate_bp: 399,
            captured_at: meta.at,
        };
        let asked = UsageInput::Record {
            source_lane: "payments/3".into(),
            from_seq: 41,
            to_seq: 41,
            messages: vec![],
            payment_fees: vec![fee.clone()],
        };
        let done = UsageProcess::react(&meta, &UsageSource::Captured(captured));
        let Event::UsageRecorded(recorded) = entered(&done, &asked, "mumbai-bazaar");
        assert_eq!((recorded.payment_fees, recorded.count), (vec![fee], 1));
    }

    #[test]
    fn what_was_used_in_no_month_is_not_entered() {
        let timeless = conversation::MessageDelivered { delivered_at: i64::MAX, ..delivered() };
        assert_eq!(UsageProcess::react(&meta("thread:main/CC.1"), &UsageSource::Delivered(timeless)), []);
    }
}
