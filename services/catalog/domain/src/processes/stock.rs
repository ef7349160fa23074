//! Reservations end when their time has come, also when nobody asks.

use feira_commands::stock::Input;
use feira_decider::{Ask, Do, Process};
use feira_events::Meta;
use feira_events::stock::{Event, ReleaseReason};
use feira_ids::AggregateId;

/// Lets reservations end in time.
#[derive(Debug)]
pub struct StockProcess;

impl Process for StockProcess {
    const NAME: &'static str = "stock";
    type Event = Event;

    fn react(meta: &Meta, event: &Event) -> Vec<Do> {
        let timer = |sku: &str, order: &str| format!("stock/{order}/{sku}");
        match event {
            Event::StockReserved(reserved) => {
                let Ok(stock) = AggregateId::new("stock", &reserved.sku) else { return vec![] };
                let input = Input::Expire { order: reserved.order.clone() };
                let expire = Ask::new("expire", &meta.tenant, stock, input.operation(), &input);
                vec![expire.at(timer(&reserved.sku, &reserved.order), reserved.until)]
            }
            Event::StockCommitted(committed) => {
                vec![Do::Forget { timer: timer(&committed.sku, &committed.order) }]
            }
            Event::StockReleased(released) if released.reason != ReleaseReason::Returned => {
                vec![Do::Forget { timer: timer(&released.sku, &released.order) }]
            }
            Event::StockReleased(_) | Event::StockSet(_) => vec![],
        }
    }
}
