//! Usage, matched item by item with what was used.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use feira_codec::Opened;
use feira_events::billing::{MessageUsage, PaymentFeeUsage, UsageEvent};
use feira_events::conversation::{MessageDelivered, ThreadEvent};
use feira_events::payments::{self, IntentCaptured};
use feira_ids::{EventId, LaneId, TenantId};

use crate::report::Report;
use crate::{Check, Fault, Place};

/// What was used, and what of it billing has entered.
#[derive(Default)]
pub struct Usage {
    lanes: Vec<Arc<str>>,
    used: HashMap<(u32, i64), Used>,
    entered: u64,
}

/// An item that must be entered once.
struct Used {
    event_id: EventId,
    /// A hash of whose it is and everything that its price rests on.
    stamp: u64,
    entered: bool,
}

impl Usage {
    /// Takes in the record at `seq` of `lane`. Lanes of billing come after those that it follows.
    pub fn take(&mut self, lane: &LaneId, seq: u64, record: &Opened, report: &mut Report) {
        let place = Place::new(lane, seq);
        let taken = if record.is::<ThreadEvent>() {
            record.decode::<ThreadEvent>().map(|event| {
                if let ThreadEvent::MessageDelivered(delivered) = event {
                    let stamp = delivered_stamp(&record.meta.tenant, &delivered);
                    self.use_(lane, record, stamp);
                }
            })
        } else if record.is::<payments::Event>() {
            record.decode::<payments::Event>().map(|event| {
                if let payments::Event::IntentCaptured(captured) = event {
                    let stamp = captured_stamp(record.meta.at, &captured);
                    self.use_(lane, record, stamp);
                }
            })
        } else if record.is::<UsageEvent>() {
            record.decode::<UsageEvent>().map(|UsageEvent::UsageRecorded(recorded)| {
                let tenant = &record.meta.tenant;
                let messages =
                    recorded.messages.iter().map(|item| (item.seq, item.event_id, message_stamp(tenant, item)));
                let fees = recorded.payment_fees.iter().map(|item| (item.seq, item.event_id, fee_stamp(tenant, item)));
                for (seq, event_id, stamp) in messages.chain(fees) {
                    if let Some(what) = self.enter(&recorded.source_lane, seq, event_id, stamp) {
                        report.fault(Fault::at(Check::Usage, place.clone(), what));
                    }
                }
            })
        } else {
            Ok(())
        };
        if let Err(error) = taken {
            report.fault(Fault::at(Check::Records, place, format!("the event cannot be read: {error}")));
        }
    }

    fn use_(&mut self, lane: &LaneId, record: &Opened, stamp: u64) {
        let lane = self.lane(&lane.to_string());
        let used = Used { event_id: record.meta.event_id, stamp, entered: false };
        self.used.insert((lane, record.meta.lane_seq), used);
    }

    fn lane(&mut self, name: &str) -> u32 {
        match self.lanes.iter().position(|known| **known == *name) {
            Some(place) => place as u32,
            None => {
                self.lanes.push(name.into());
                (self.lanes.len() - 1) as u32
            }
        }
    }

    fn enter(&mut self, source_lane: &str, seq: i64, event_id: EventId, stamp: u64) -> Option<String> {
        self.entered += 1;
        let lane = self.lane(source_lane);
        match self.used.get_mut(&(lane, seq)) {
            None => Some(format!("{source_lane}:{seq} is entered, and nothing was used there")),
            Some(used) if used.event_id != event_id => {
                Some(format!("{source_lane}:{seq} is entered as event {event_id}, which it is not"))
            }
            Some(used) if used.stamp != stamp => {
                Some(format!("{source_lane}:{seq} is entered otherwise than it was stamped"))
            }
            Some(used) => {
                std::mem::replace(&mut used.entered, true).then(|| format!("{source_lane}:{seq} is entered twice"))
            }
        }
    }

    /// What is wrong once all is read. `followed` says how far usage was followed on a lane before the position was
    /// pinned: everything up to there must be entered.
    pub fn end(self, followed: &dyn Fn(&str) -> u64, report: &mut Report) {
        let mut pending: u64 = 0;
        let until: Vec<u64> = self.lanes.iter().map(|lane| followed(lane)).collect();
        let mut missing = Vec::new();
        for ((lane, seq), _) in self.used.iter().filter(|(_, used)| !used.entered) {
            let (lane, seq) = (*lane as usize, u64::try_from(*seq).unwrap_or(0));
            if seq <= until[lane] { missing.push((self.lanes[lane].clone(), seq)) } else { pending += 1 }
        }
        missing.sort();
        for (lane, lane_seq) in missing {
            let place = Place { lane: lane.to_string(), lane_seq };
            report.fault(Fault::at(Check::Usage, place, "it was used, and is not entered in billing"));
        }
        report.counted("deliveries and captures, each entered into usage once", self.used.len() as u64 - pending);
        if pending > 0 {
            report.notes.push(format!("{pending} deliveries and captures are still on their way into usage"));
        }
    }
}

fn stamp(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// A word of an enum: conversation and billing each have their own types, with the same words.
fn word(value: impl std::fmt::Debug) -> String {
    format!("{value:?}")
}

fn delivered_stamp(tenant: &TenantId, it: &MessageDelivered) -> u64 {
    let thread = format!("{}/{}", it.sender, it.customer);
    let words = (word(it.class), word(it.category));
    stamp((tenant.as_str(), thread, &it.message, words, &it.country, &it.policy, it.sent_at, it.delivered_at))
}

fn message_stamp(tenant: &TenantId, it: &MessageUsage) -> u64 {
    let words = (word(it.class), word(it.category));
    let thread = it.thread.to_string();
    stamp((tenant.as_str(), thread, &it.message, words, &it.country, &it.policy, it.sent_at, it.delivered_at))
}

fn captured_stamp(at: i64, it: &IntentCaptured) -> u64 {
    let (amount, fee) = (it.intent.amount, it.fee);
    let money = (amount.minor, amount.currency.code(), fee.minor, it.fee_micro, it.fee_bp);
    stamp((&*it.intent.business, &it.intent.intent, &it.intent.order, money, at))
}

fn fee_stamp(tenant: &TenantId, it: &PaymentFeeUsage) -> u64 {
    let money = (it.amount.minor, it.amount.currency.code(), it.fee.minor, it.fee_micro, it.rate_bp);
    stamp((tenant.as_str(), &it.intent, &it.order, money, it.captured_at))
}

#[cfg(test)]
mod tests {
    use feira_events::billing::{self, UsageRecorded};
    use feira_events::conversation::{Category, Class, ClassReason};

    use super::*;
    use crate::testing::{faults, lane, record};

    fn delivered() -> ThreadEvent {
        ThreadEvent::MessageDelivered(MessageDelivered {
            message: "m-1".into(),
            seq: 1,
            sender: "main".into(),
            customer: "CC.1".into(),
            country: "BR".into(),
            category: Category::Utility,
            class: Class::Charged,
            reason: ClassReason::Template,
            policy: "feira-1".into(),
            sent_at: 7,
            delivered_at: 8,
        })
    }

    fn entered(change: impl Fn(&mut MessageUsage)) -> UsageEvent {
        let source = lane("conversation", 0);
        let mut message = MessageUsage {
            seq: 1,
            event_id: record(&source, 1, "feira-livre", &delivered()).meta.event_id,
            thread: "main/CC.1".into(),
            message: "m-1".into(),
            class: billing::Class::Charged,
            category: billing::Category::Utility,
            country: "BR".into(),
            policy: "feira-1".into(),
            sent_at: 7,
            delivered_at: 8,
        };
        change(&mut message);
        UsageEvent::UsageRecorded(UsageRecorded {
            source_lane: "conversation/0".into(),
            from_seq: 1,
            to_seq: 1,
            messages: vec![message],
            payment_fees: vec![],
            count: 1,
            fingerprint: "".into(),
        })
    }

    fn judged(entered: &[UsageEvent], followed: u64) -> Report {
        let (mut usage, mut report) = (Usage::default(), Report::default());
        let (source, billing) = (lane("conversation", 0), lane("billing", 0));
        usage.take(&source, 1, &record(&source, 1, "feira-livre", &delivered()), &mut report);
        for (seq, event) in (1..).zip(entered) {
            usage.take(&billing, seq as u64, &record(&billing, seq, "feira-livre", event), &mut report);
        }
        usage.end(&|_| followed, &mut report);
        report
    }

    #[test]
    fn what_was_delivered_is_entered_once_or_still_under_way() {
        assert_eq!(faults(&judged(&[entered(|_| ())], 1)), [""; 0]);
        let waiting = judged(&[], 0);
        assert!(waiting.is_sound() && waiting.notes.len() == 1, "{waiting}");
        let missing = judged(&[], 1);
        assert!(faults(&missing)[0].starts_with("conversation/0:1: "), "{missing}");
        let twice = judged(&[entered(|_| ()), entered(|_| ())], 1);
        assert!(faults(&twice)[0].starts_with("billing/0:2: "), "{twice}");
    }

    #[test]
    fn what_is_entered_otherwise_than_it_was_stamped_is_found() {
        let changes: [fn(&mut MessageUsage); 4] = [
            |message| message.class = billing::Class::Free,
            |message| message.country = "IN".into(),
            |message| message.delivered_at += 1,
            |message| message.seq = 2,
        ];
        for change in changes {
            assert!(!judged(&[entered(change)], 1).is_sound());
        }
    }
}
