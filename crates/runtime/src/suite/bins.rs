//! The same as a basket, held otherwise: a shard with a bin for each thing.

use std::collections::BTreeMap;

use feira_commands::cart::Input;
use feira_decider::{At, Entities, EntitiesMut, Shard};
use feira_events::cart::{Event, ItemRemoved, QuantitySet};
use feira_ids::{AggregateId, Principal};
use serde::{Deserialize, Serialize};

use super::basket::{LATE_POISON, TooMany, View, add_to};
use crate::{Command, GatherError, HostedShard};

/// The domain.
#[derive(Debug)]
pub struct Bins;

/// Units of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bin {
    /// How many there are.
    pub units: i32,
    /// How many events it was folded from.
    pub events: u64,
}

impl Shard for Bins {
    const KIND: &'static str = "cart";
    type Entity = Bin;
    type Command = Input;
    type Event = Event;
    type Rejection = TooMany;

    fn decide(bins: &dyn Entities<Bin>, command: Input, _: At) -> Result<Vec<Event>, TooMany> {
        let held = |sku: &str| bins.get(sku).map(|bin| bin.units);
        match command {
            Input::AddItem { sku, quantity } => add_to(held(&sku), &sku, quantity),
            Input::SetQuantity { sku, quantity } if held(&sku) != Some(quantity) => {
                Ok(vec![Event::QuantitySet(QuantitySet { sku, quantity })])
            }
            Input::RemoveItem { sku } if held(&sku).is_some() => Ok(vec![Event::ItemRemoved(ItemRemoved { sku })]),
            _ => Ok(vec![]),
        }
    }

    fn evolve(bins: &mut dyn EntitiesMut<Bin>, event: &Event) {
        let (sku, units) = match event {
            Event::ItemAdded(added) => (&added.line.sku, added.line.quantity),
            Event::QuantitySet(set) => (&set.sku, set.quantity),
            Event::ItemRemoved(removed) => return bins.remove(&removed.sku),
            _ => return,
        };
        match bins.get_mut(sku) {
            Some(bin) => *bin = Bin { units, events: bin.events + 1 },
            None => bins.put(sku, Bin { units, events: 1 }),
        }
        assert_ne!(&**sku, LATE_POISON, "as the test asked");
    }
}

/// The shell around the domain.
#[derive(Clone, Debug, Default)]
pub struct HostedBins;

impl HostedShard for HostedBins {
    type Domain = Bins;
    type Input = Input;
    type Facts = ();
    type View = View;

    const CACHE_ENTITIES: usize = 2;

    fn operation(&self, input: &Input) -> &'static str {
        input.operation()
    }

    fn owns(&self, principal: &Principal, _: &AggregateId, input: &Input) -> bool {
        matches!(input, Input::AddItem { sku, .. } if sku.starts_with(&*principal.id))
    }

    async fn gather(&self, _: &Command, _: &Input) -> Result<(), GatherError> {
        Ok(())
    }

    fn command(&self, _: &AggregateId, input: Input, (): ()) -> Input {
        input
    }

    fn view(&self, aggregate: &AggregateId, version: u64, input: &Input, bins: &dyn Entities<Bin>) -> View {
        let sku = match input {
            Input::AddItem { sku, .. } | Input::SetQuantity { sku, .. } | Input::RemoveItem { sku } => sku.clone(),
            _ => "".into(),
        };
        let units: BTreeMap<_, _> = bins.get(&sku).map(|bin| (sku, bin.units)).into_iter().collect();
        View { id: aggregate.to_string(), version, units }
    }
}
