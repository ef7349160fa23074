//! A small domain that the suite drives lanes with: units of things in a basket, and a few ways to misbehave.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use feira_commands::cart::Input;
use feira_decider::{At, Decider, Reject};
use feira_events::FactPosition;
use feira_events::cart::{Event, ItemAdded, ItemRemoved, Line, QuantitySet};
use feira_ids::AggregateId;
use feira_money::Amount;
use serde::{Deserialize, Serialize};

use crate::{Command, GatherError, Hosted};

/// The most units of one thing.
pub const UNITS_MAX: i32 = 99;
/// A thing whose command makes `decide` fail.
pub const POISON: &str = "poison";
/// A thing whose event makes `evolve` fail.
pub const LATE_POISON: &str = "late-poison";
/// A thing that leaves an event for each of its units, ten thousandfold.
pub const FLOOD: &str = "flood";
/// A thing whose facts can be missing.
pub const RARE: &str = "rare";

/// The domain.
#[derive(Debug)]
pub struct Basket;

/// What a basket holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Units by thing.
    pub units: BTreeMap<Arc<str>, i32>,
    /// How many events it was folded from.
    pub events: u64,
}

/// Why a basket refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at most {UNITS_MAX} units of one thing")]
pub struct TooMany;

impl Reject for TooMany {
    fn code(&self) -> &'static str {
        "QUANTITY_LIMIT"
    }

    fn field(&self) -> Option<&'static str> {
        Some("quantity")
    }
}

impl Decider for Basket {
    const KIND: &'static str = "cart";
    type State = State;
    type Command = Input;
    type Event = Event;
    type Rejection = TooMany;

    fn decide(state: &State, command: Input, _: At) -> Result<Vec<Event>, TooMany> {
        match command {
            Input::AddItem { sku, quantity } => add(state, &sku, quantity),
            Input::SetQuantity { sku, quantity } => {
                let same = state.units.get(&sku) == Some(&quantity);
                Ok(if same { vec![] } else { vec![Event::QuantitySet(QuantitySet { sku, quantity })] })
            }
            Input::RemoveItem { sku } => {
                let there = state.units.contains_key(&sku);
                Ok(if there { vec![Event::ItemRemoved(ItemRemoved { sku })] } else { vec![] })
            }
            Input::SetNote { .. }
            | Input::Checkout { .. }
            | Input::CompleteCheckout { .. }
            | Input::FailCheckout { .. }
            | Input::Undo { .. } => Ok(vec![]),
        }
    }

    fn evolve(mut state: State, event: &Event) -> State {
        state.events += 1;
        match event {
            Event::ItemAdded(added) => {
                assert_ne!(&*added.line.sku, LATE_POISON, "as the test asked");
                state.units.insert(added.line.sku.clone(), added.line.quantity);
            }
            Event::QuantitySet(set) => {
                state.units.insert(set.sku.clone(), set.quantity);
            }
            Event::ItemRemoved(removed) => {
                state.units.remove(&removed.sku);
            }
            Event::NoteSet(_)
            | Event::EditUndone(_)
            | Event::CheckedOut(_)
            | Event::CheckoutCompleted(_)
            | Event::CheckoutFailed(_) => {}
        }
        state
    }
}

fn add(state: &State, sku: &Arc<str>, quantity: i32) -> Result<Vec<Event>, TooMany> {
    add_to(state.units.get(sku).copied(), sku, quantity)
}

/// The events that add `quantity` of a thing to those that are held.
pub(super) fn add_to(held: Option<i32>, sku: &Arc<str>, quantity: i32) -> Result<Vec<Event>, TooMany> {
    assert_ne!(&**sku, POISON, "as the test asked");
    let times = if &**sku == FLOOD { quantity as usize * 10_000 } else { 1 };
    let units = held.unwrap_or(0) + quantity;
    if units > UNITS_MAX {
        return Err(TooMany);
    }
    let unit_price = Amount { minor: 100, currency: "BRL".parse().expect("a currency") };
    let line = Line { sku: sku.clone(), title: sku.clone(), quantity: units, unit_price, first_added: 0 };
    let offer = FactPosition { lane: 0, lane_seq: 1 };
    Ok(vec![Event::ItemAdded(ItemAdded { added: quantity, line, offer }); times])
}

/// The shell around the domain.
#[derive(Clone, Default)]
pub struct Baskets {
    /// Whether the facts of [`RARE`] can be had.
    pub facts: Arc<Facts>,
}

/// What the shell is asked, and what it cannot say.
#[derive(Default)]
pub struct Facts {
    /// They cannot be had now.
    pub missing: AtomicBool,
    /// How often they were asked for.
    pub asked: AtomicU64,
}

/// A basket as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Its id.
    pub id: String,
    /// How many events it has.
    pub version: u64,
    /// Units by thing.
    pub units: BTreeMap<Arc<str>, i32>,
}

impl Hosted for Baskets {
    type Domain = Basket;
    type Input = Input;
    type Facts = ();
    type View = View;

    fn operation(&self, input: &Input) -> &'static str {
        input.operation()
    }

    async fn gather(&self, _: &Command, input: &Input) -> Result<(), GatherError> {
        self.facts.asked.fetch_add(1, Ordering::SeqCst);
        match input {
            Input::AddItem { sku, .. } if &**sku == RARE && self.facts.missing.load(Ordering::SeqCst) => {
                Err(GatherError { what: "the offer".to_owned(), source: "as the test asked".into() })
            }
            _ => Ok(()),
        }
    }

    fn command(&self, _: &AggregateId, input: Input, (): ()) -> Input {
        input
    }

    fn view(&self, aggregate: &AggregateId, version: u64, state: &State) -> View {
        View { id: aggregate.to_string(), version, units: state.units.clone() }
    }
}
