//! What is read of a cart is what its owner sees, whatever was asked of it.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod purchase;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use feira_cart_domain::cart::{Cart, Command, Event, ItemAdded, Line, Offer, State};
use feira_cart_server::Offers;
use feira_cart_server::projections::{CartRows, OfferRows};
use feira_codec::{EventSet, Opened};
use feira_decider::{At, Decider};
use feira_events::catalog::{Availability, Condition, Details, Pricing, ProductListed, ProductWithdrawn};
use feira_events::{FactPosition, Meta, Sealed, catalog};
use feira_ids::{AggregateId, CommandId, Fingerprint, LaneId, ServiceName, TenantId};
use feira_money::Amount;
use feira_projection_store::ModelStore;
use feira_projection_store::{Checkpoint, Range, Store};
use feira_rows::cart::{CART_EDITS, CART_LINES, CARTS, CartRow, EditRow, cart_key, lines_from_rows, undoable};
use feira_rows::{CARTS_PROJECTION, OFFERS_PROJECTION};
use feira_runtime::{GatherError, Heads, Projection};
use proptest::prelude::*;

fn shop() -> TenantId {
    TenantId::new("feira-livre").unwrap()
}

fn opened(event: &impl EventSet, aggregate: &str, seq: i64) -> Opened {
    let command_id = CommandId::default();
    let meta = Meta {
        event_id: command_id.event(0),
        lane: 0,
        lane_seq: seq,
        term: 1,
        aggregate: aggregate.into(),
        aggregate_seq: Some(seq),
        hlc: 1_700_000_000_000_000 + 2 * seq,
        at: 1_700_000_000_000,
        tenant: shop(),
        principal: "person:BR.1".into(),
        command_id,
        fingerprint: Fingerprint::default(),
        index: 0,
        count: 1,
        causation_id: command_id.0,
        correlation_id: command_id.0,
        traceparent: None,
    };
    feira_codec::open(&feira_codec::frame(&meta, &event.encode_body().unwrap()).unwrap()).unwrap()
}

fn reais(minor: i64) -> Amount {
    Amount::new(minor, "BRL".parse().unwrap())
}

fn any_command() -> impl Strategy<Value = Command> {
    let sku = || prop_oneof![Just("A"), Just("B"), Just("C")].prop_map(Arc::<str>::from);
    let offer = |minor| {
        let (availability, position) = (Availability::InStock, FactPosition { lane: 0, lane_seq: 1 });
        Some(Offer { title: "Café".into(), price: reais(minor), availability, position })
    };
    prop_oneof![
        4 => (sku(), 1i32..30, 1i64..900).prop_map(move |(sku, quantity, minor)| {
            Command::AddItem { sku, quantity, offer: offer(minor) }
        }),
        2 => (sku(), 0i32..100).prop_map(|(sku, quantity)| Command::SetQuantity { sku, quantity }),
        1 => sku().prop_map(|sku| Command::RemoveItem { sku }),
        1 => prop::option::of(any::<u8>()).prop_map(|byte| Command::SetNote {
            note: byte.map(|byte| Sealed::from_parts("feira-livre/BR.1".into(), [1; 12], vec![byte; 20])),
        }),
        3 => prop::option::of(1i64..90).prop_map(|edit| Command::Undo { edit }),
    ]
}

async fn check(commands: Vec<Command>) {
    let store = ModelStore::new();
    let lane = LaneId::new(&ServiceName::new("cart"), 0);
    let mut state = State::default();
    for command in commands {
        for event in Cart::decide(&state, command, At(0)).unwrap_or_default() {
            let event: Event = event;
            state = Cart::evolve(state, &event);
            let writes = CartRows.apply(&lane, &opened(&event, "cart:BR.1", state.version)).unwrap();
            let checkpoint = Checkpoint { lane_seq: state.version as u64, hint: 0 };
            store.apply(writes, CartRows.id(), "cart/0", checkpoint).await.unwrap();
        }
    }
    if state.version == 0 {
        return;
    }
    let key = cart_key(&shop(), "BR.1");
    let all = Range { limit: 1_000, ..Range::default() };
    let cart = CartRow::from_row(store.get(&CARTS, &key).await.unwrap().unwrap()).unwrap();
    assert_eq!((cart.version as i64, cart.note), (state.version, state.note.clone()));
    let lines = store.scan(&CART_LINES, &key, all.clone()).await.unwrap().rows;
    assert_eq!(lines_from_rows(lines).unwrap(), state.lines);
    let edits = store.scan(&CART_EDITS, &key, all).await.unwrap().rows;
    let edits: Vec<EditRow> = edits.into_iter().map(|row| EditRow::from_row(row).unwrap()).collect();
    assert_eq!(undoable(&edits), state.undoable());
}

proptest! {
    #[test]
    fn the_rows_of_a_cart_are_its_state(commands in prop::collection::vec(any_command(), 0..120)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(check(commands));
    }
}

/// The only lanes of carts and the catalog end where the test says.
struct Ends {
    cart: u64,
    catalog: u64,
}

#[async_trait]
impl Heads for Ends {
    async fn head(&self, _tenant: &TenantId, aggregate: &AggregateId) -> Result<(LaneId, u64), GatherError> {
        let (service, end) = match aggregate.kind_name() {
            "cart" => ("cart", self.cart),
            _ => ("catalog", self.catalog),
        };
        Ok((LaneId::new(&ServiceName::new(service), 0), end))
    }

    async fn heads(&self, service: &ServiceName) -> Result<Vec<(LaneId, u64)>, GatherError> {
        let end = if service.as_str() == "catalog" { self.catalog } else { self.cart };
        Ok(vec![(LaneId::new(service, 0), end)])
    }
}

async fn take_in(store: &ModelStore, event: catalog::Event, seq: i64) {
    let lane = LaneId::new(&ServiceName::new("catalog"), 0);
    let writes = OfferRows.apply(&lane, &opened(&event, "product:CAFE", seq)).unwrap();
    let checkpoint = Checkpoint { lane_seq: seq as u64, hint: 0 };
    store.apply(writes, OFFERS_PROJECTION, "catalog/0", checkpoint).await.unwrap();
}

fn listed() -> catalog::Event {
    let details = Details {
        title: "Café".into(),
        description: "".into(),
        availability: Availability::InStock,
        condition: Condition::New,
        link: None,
        image_links: vec![],
        brand: None,
        category: None,
        item_group: None,
    };
    let pricing = Pricing { price: reais(1_990), sale_price: Some(reais(1_490)) };
    catalog::Event::ProductListed(ProductListed { sku: "CAFE".into(), details, pricing })
}

#[tokio::test]
async fn an_offer_is_what_the_catalog_last_said() {
    let store = Arc::new(ModelStore::new());
    let offers = Offers::new(store.clone(), Arc::new(Ends { cart: 0, catalog: 2 }), Duration::from_secs(5));
    take_in(&store, listed(), 1).await;
    let offer = offers.find(&shop(), "CAFE").await.unwrap().unwrap();
    assert_eq!((offer.price, offer.position), (reais(1_490), FactPosition { lane: 0, lane_seq: 1 }));
    take_in(&store, catalog::Event::ProductWithdrawn(ProductWithdrawn { sku: "CAFE".into() }), 2).await;
    assert_eq!(offers.find(&shop(), "CAFE").await.unwrap(), None);
    assert_eq!(offers.find(&TenantId::new("mumbai-bazaar").unwrap(), "CAFE").await.unwrap(), None);
}

#[tokio::test]
async fn a_product_listed_a_moment_ago_is_found_by_an_add() {
    let store = Arc::new(ModelStore::new());
    let offers = Offers::new(store.clone(), Arc::new(Ends { cart: 0, catalog: 1 }), Duration::from_secs(5));
    let add = tokio::spawn(async move { offers.find(&shop(), "CAFE").await });
    tokio::task::yield_now().await;
    take_in(&store, listed(), 1).await;
    assert_eq!(add.await.unwrap().unwrap().map(|offer| offer.price), Some(reais(1_490)));
}

#[tokio::test]
async fn a_projection_that_stays_behind_makes_no_product_unknown() {
    let offers =
        Offers::new(Arc::new(ModelStore::new()), Arc::new(Ends { cart: 0, catalog: 9 }), Duration::from_millis(20));
    let error = offers.find(&shop(), "CAFE").await.unwrap_err();
    assert_eq!(error.to_string(), "the latest events of catalog/0 are not here yet");
}

#[tokio::test]
async fn what_can_be_no_sku_is_unknown_at_once() {
    let offers =
        Offers::new(Arc::new(ModelStore::new()), Arc::new(Ends { cart: 0, catalog: 9 }), Duration::from_secs(60));
    assert_eq!(offers.find(&shop(), " ").await.unwrap(), None);
}

/// An item put in for less than it costs now.
fn added(sku: &str) -> Event {
    let line = Line { sku: sku.into(), title: "Café".into(), quantity: 1, unit_price: reais(990), first_added: 1 };
    Event::ItemAdded(ItemAdded { added: 1, line, offer: FactPosition { lane: 0, lane_seq: 1 } })
}

async fn put_in(store: &ModelStore, event: Event, seq: i64) {
    let lane = LaneId::new(&ServiceName::new("cart"), 0);
    let writes = CartRows.apply(&lane, &opened(&event, "cart:BR.1", seq)).unwrap();
    let checkpoint = Checkpoint { lane_seq: seq as u64, hint: 0 };
    store.apply(writes, CARTS_PROJECTION, "cart/0", checkpoint).await.unwrap();
}

fn cart() -> AggregateId {
    AggregateId::new("cart", "BR.1").unwrap()
}

#[tokio::test]
async fn what_was_put_in_a_moment_ago_is_checked_out_at_what_it_costs_now() {
    let store = Arc::new(ModelStore::new());
    take_in(&store, listed(), 1).await;
    put_in(&store, added("BOLO"), 1).await;
    let offers = Offers::new(store.clone(), Arc::new(Ends { cart: 2, catalog: 1 }), Duration::from_secs(5));
    let asked = tokio::spawn(async move { offers.of_cart(&shop(), &cart()).await });
    tokio::task::yield_now().await;
    put_in(&store, added("CAFE"), 2).await;
    let offers = asked.await.unwrap().unwrap();
    let prices: Vec<_> = offers.iter().map(|(sku, offer)| (&**sku, offer.as_ref().map(|offer| offer.price))).collect();
    assert_eq!(prices, [("BOLO", None), ("CAFE", Some(reais(1_490)))]);
}

#[tokio::test]
async fn rows_that_stay_behind_sell_nothing_at_an_old_price_and_call_nothing_gone() {
    let store = Arc::new(ModelStore::new());
    put_in(&store, added("CAFE"), 1).await;
    for (ends, behind) in [
        (Ends { cart: 2, catalog: 0 }, "the latest events of cart/0 are not here yet"),
        (Ends { cart: 1, catalog: 1 }, "the latest events of catalog/0 are not here yet"),
    ] {
        let offers = Offers::new(store.clone(), Arc::new(ends), Duration::from_millis(20));
        assert_eq!(offers.of_cart(&shop(), &cart()).await.unwrap_err().to_string(), behind);
    }
}
