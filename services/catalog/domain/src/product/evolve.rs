//! How a product's events add up.

use super::{Event, State};

pub(super) fn evolve(product: State, event: &Event) -> State {
    match event {
        Event::ProductListed(listed) => State {
            listed: true,
            sku: listed.sku.clone(),
            details: Some(listed.details.clone()),
            pricing: Some(listed.pricing.clone()),
        },
        Event::ProductDescribed(described) => State { details: Some(described.details.clone()), ..product },
        Event::ProductPriced(priced) => State { pricing: Some(priced.pricing.clone()), ..product },
        Event::ProductWithdrawn(_) => State { listed: false, ..product },
    }
}
