//! Stock, counted anew from what was set, reserved, committed and released.

use std::collections::HashMap;
use std::sync::Arc;

use feira_codec::Opened;
use feira_events::stock::{Event, ReleaseReason};
use feira_ids::{LaneId, TenantId};

use crate::report::Report;
use crate::{Check, Fault, Place};

/// The stock of all products.
#[derive(Default)]
pub struct Stock {
    products: HashMap<(TenantId, Arc<str>), Product>,
    moves: u64,
}

/// One product's stock; `on_hand` is none while it was never set.
#[derive(Default)]
struct Product {
    on_hand: Option<i64>,
    reserved: HashMap<Arc<str>, i64>,
    taken: HashMap<Arc<str>, i64>,
}

impl Stock {
    /// Takes in the record at `seq` of `lane`.
    pub fn take(&mut self, lane: &LaneId, seq: u64, record: &Opened, report: &mut Report) {
        if !record.is::<Event>() {
            return;
        }
        let place = Place::new(lane, seq);
        let event = match record.decode::<Event>() {
            Ok(event) => event,
            Err(error) => {
                report.fault(Fault::at(Check::Records, place, format!("the event cannot be read: {error}")));
                return;
            }
        };
        self.moves += 1;
        for what in self.follow(&record.meta.tenant, event) {
            report.fault(Fault::at(Check::Stock, place.clone(), what));
        }
    }

    fn follow(&mut self, tenant: &TenantId, event: Event) -> Vec<String> {
        let mut faults = Vec::new();
        let sku = match &event {
            Event::StockSet(event) => &event.sku,
            Event::StockReserved(event) => &event.sku,
            Event::StockCommitted(event) => &event.sku,
            Event::StockReleased(event) => &event.sku,
        };
        let product = self.products.entry((tenant.clone(), sku.clone())).or_default();
        let said = match event {
            Event::StockSet(event) => {
                product.on_hand = Some(event.on_hand);
                Some(event.available)
            }
            Event::StockReserved(event) => {
                let fits = product.free().is_none_or(|free| free >= i64::from(event.quantity));
                if !fits {
                    faults.push(format!("{} are reserved, more than are free", event.quantity));
                }
                if product.reserved.insert(event.order.clone(), event.quantity.into()).is_some() {
                    faults.push(format!("order {} reserves twice", event.order));
                }
                event.available
            }
            Event::StockCommitted(event) => {
                let quantity = i64::from(event.quantity);
                if product.reserved.remove(&event.order) != Some(quantity) {
                    faults.push(format!("order {} takes {quantity}, which is not what it had reserved", event.order));
                }
                product.taken.insert(event.order.clone(), quantity);
                // A business that counted fewer than it had promised has nothing left, and owes nothing here.
                product.on_hand = product.on_hand.map(|on_hand| (on_hand - quantity).max(0));
                if event.on_hand != product.on_hand {
                    let (said, found) = (shown(event.on_hand), shown(product.on_hand));
                    faults.push(format!("{said} are said to be there, it is {found}"));
                }
                event.available
            }
            Event::StockReleased(event) => {
                let quantity = i64::from(event.quantity);
                let from = match event.reason {
                    ReleaseReason::Returned => {
                        product.on_hand = product.on_hand.map(|on_hand| on_hand + quantity);
                        &mut product.taken
                    }
                    ReleaseReason::Released | ReleaseReason::Expired | ReleaseReason::Unknown => &mut product.reserved,
                };
                if from.remove(&event.order) != Some(quantity) {
                    faults.push(format!("order {} gives {quantity} back, which is not what it had", event.order));
                }
                event.available
            }
        };
        if product.on_hand.is_some_and(|on_hand| on_hand < 0) {
            faults.push(format!("{} are left", shown(product.on_hand)));
        }
        // Stock may be set below what is promised; what is free is nothing then.
        let free = product.free().map(|free| free.max(0));
        if said != free {
            faults.push(format!("{} are said to be free, it is {}", shown(said), shown(free)));
        }
        faults
    }

    /// Says what was looked at.
    pub fn end(self, report: &mut Report) {
        report.counted("moves of stock, which is never below zero", self.moves);
    }
}

impl Product {
    /// What is there and not promised.
    fn free(&self) -> Option<i64> {
        self.on_hand.map(|on_hand| on_hand - self.reserved.values().sum::<i64>())
    }
}

fn shown(count: Option<i64>) -> String {
    count.map_or_else(|| "any number".to_owned(), |count| count.to_string())
}

#[cfg(test)]
mod tests {
    use feira_events::stock::{StockCommitted, StockReleased, StockReserved, StockSet};

    use super::*;
    use crate::testing::{faults, lane, record};

    fn set(on_hand: i64, available: i64) -> Event {
        Event::StockSet(StockSet { sku: "CAFE".into(), on_hand, available })
    }

    fn reserved(order: &str, quantity: i32, available: i64) -> Event {
        let (sku, order) = ("CAFE".into(), order.into());
        Event::StockReserved(StockReserved { sku, order, quantity, until: 9, available: Some(available) })
    }

    fn committed(order: &str, quantity: i32, on_hand: i64, available: i64) -> Event {
        let (sku, order) = ("CAFE".into(), order.into());
        let (on_hand, available) = (Some(on_hand), Some(available));
        Event::StockCommitted(StockCommitted { sku, order, quantity, on_hand, available })
    }

    fn released(order: &str, quantity: i32, reason: ReleaseReason, available: i64) -> Event {
        let (sku, order) = ("CAFE".into(), order.into());
        Event::StockReleased(StockReleased { sku, order, quantity, reason, available: Some(available) })
    }

    fn judged(history: &[Event]) -> Report {
        let (mut stock, mut report) = (Stock::default(), Report::default());
        let lane = lane("catalog", 0);
        for (seq, event) in (1..).zip(history) {
            stock.take(&lane, seq as u64, &record(&lane, seq, "feira-livre", event), &mut report);
        }
        report
    }

    #[test]
    fn stock_that_is_promised_taken_and_given_back_adds_up() {
        let report = judged(&[
            set(5, 5),
            reserved("a", 2, 3),
            reserved("b", 3, 0),
            committed("a", 2, 3, 0),
            released("b", 3, ReleaseReason::Expired, 3),
            released("a", 2, ReleaseReason::Returned, 5),
            set(1, 1),
        ]);
        assert_eq!(faults(&report), [""; 0]);
    }

    #[test]
    fn a_business_that_counts_fewer_than_it_promised_sells_them_down_to_nothing() {
        let report = judged(&[set(5, 5), reserved("a", 3, 2), set(1, 0), committed("a", 3, 0, 0), set(2, 2)]);
        assert_eq!(faults(&report), [""; 0]);
    }

    #[test]
    fn more_than_there_is_and_what_was_not_promised_is_found() {
        for history in [
            vec![set(1, 1), reserved("a", 2, -1)],
            vec![set(5, 5), committed("a", 2, 3, 3)],
            vec![set(5, 5), reserved("a", 2, 3), reserved("a", 2, 1)],
            vec![set(5, 5), reserved("a", 2, 3), released("a", 1, ReleaseReason::Released, 4)],
            vec![set(5, 5), reserved("a", 2, 4)],
        ] {
            assert!(!judged(&history).is_sound(), "{history:?}");
        }
    }
}
