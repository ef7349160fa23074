//! One of every event, and an envelope for it.

use std::sync::Arc;

use feira_codec::{CodecError, EncodedBody, EventSet, Opened};
use feira_events::{FactPosition, Meta, Sealed, cart, catalog, lane};
use feira_ids::{CommandId, Fingerprint, Hash16, TenantId};
use feira_money::{Amount, Currency};
use serde_json::{Value, json};

/// Any event there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sample {
    Lane(lane::Event),
    Catalog(catalog::Event),
    Cart(cart::Event),
}

impl Sample {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Lane(event) => event.name(),
            Self::Catalog(event) => event.name(),
            Self::Cart(event) => event.name(),
        }
    }

    pub fn encode(&self) -> EncodedBody {
        match self {
            Self::Lane(event) => event.encode_body(),
            Self::Catalog(event) => event.encode_body(),
            Self::Cart(event) => event.encode_body(),
        }
        .unwrap()
    }

    pub fn decode(opened: &Opened) -> Result<Self, CodecError> {
        if opened.is::<lane::Event>() {
            opened.decode().map(Self::Lane)
        } else if opened.is::<catalog::Event>() {
            opened.decode().map(Self::Catalog)
        } else {
            opened.decode().map(Self::Cart)
        }
    }

    /// The body as people read it.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Lane(lane::Event::LaneTaken(event)) => json!(event),
            Self::Lane(lane::Event::CommandOutcome(event)) => json!(event),
            Self::Catalog(catalog::Event::ProductListed(event)) => json!(event),
            Self::Catalog(catalog::Event::ProductDescribed(event)) => json!(event),
            Self::Catalog(catalog::Event::ProductPriced(event)) => json!(event),
            Self::Catalog(catalog::Event::ProductWithdrawn(event)) => json!(event),
            Self::Cart(cart::Event::ItemAdded(event)) => json!(event),
            Self::Cart(cart::Event::QuantitySet(event)) => json!(event),
            Self::Cart(cart::Event::ItemRemoved(event)) => json!(event),
            Self::Cart(cart::Event::NoteSet(event)) => json!(event),
            Self::Cart(cart::Event::EditUndone(event)) => json!(event),
        }
    }
}

/// The names of all events of all sets.
pub fn names() -> Vec<&'static str> {
    [lane::Event::names(), catalog::Event::names(), cart::Event::names()].concat()
}

pub fn meta(aggregate: &str) -> Meta {
    let tenant = TenantId::new("feira-livre").unwrap();
    let command_id = CommandId::derive(&tenant, "person:ana", "cartAdd", "k-1");
    Meta {
        event_id: command_id.event(0),
        lane: 3,
        lane_seq: 1_234_567,
        term: 12,
        aggregate: aggregate.into(),
        aggregate_seq: (!aggregate.is_empty()).then_some(7),
        hlc: 1_764_104_400_123_456,
        at: 1_764_104_400_123,
        tenant,
        principal: "person:ana".into(),
        command_id,
        fingerprint: Fingerprint(Hash16([0x5a; 16])),
        index: 0,
        count: 1,
        causation_id: command_id.0,
        correlation_id: Hash16([0xc0; 16]),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
    }
}

/// The envelope that goes with a sample.
pub fn meta_of(sample: &Sample) -> Meta {
    match sample {
        Sample::Lane(_) => meta(""),
        Sample::Catalog(_) => meta("product:CAFE-250"),
        Sample::Cart(_) => meta("cart:BR.1234"),
    }
}

/// Every event once; the first of each name is the one that golden files hold.
pub fn all() -> Vec<Sample> {
    let brl = |minor| Amount::new(minor, "BRL".parse::<Currency>().unwrap());
    let sku = || Arc::<str>::from("CAFE-250");
    let line = || cart::Line {
        sku: sku(),
        title: "Café torrado em grãos, 250 g".into(),
        quantity: 3,
        unit_price: brl(2_490),
        first_added: 4,
    };
    let note = || Sealed::from_parts("feira-livre/BR.1234".into(), *b"twelve bytes", vec![0, 1, 2, 254, 255]);
    let details = catalog::Details {
        title: "Café torrado em grãos, 250 g".into(),
        description: "Da serra, torra média. ☕".into(),
        availability: catalog::Availability::InStock,
        condition: catalog::Condition::New,
        link: Some("https://example.com/cafe".into()),
        image_links: vec!["https://example.com/1.jpg".into(), "https://example.com/2.jpg".into()],
        brand: None,
        category: Some("Food > Coffee".into()),
        item_group: None,
    };
    let pricing = catalog::Pricing { price: brl(2_990), sale_price: Some(brl(2_490)) };
    let undone = cart::EditUndone { edit: 5, sku: Some(sku()), line: Some(line()), note: None };
    vec![
        Sample::Lane(lane::Event::LaneTaken(lane::LaneTaken { address: "127.0.0.1:7001".into() })),
        Sample::Lane(lane::Event::CommandOutcome(lane::CommandOutcome {
            outcome: lane::OutcomeKind::Refused,
            code: "CART_FULL".into(),
            field: Some("quantity".into()),
            message: "a cart holds at most 99 units of a product".into(),
        })),
        Sample::Catalog(catalog::Event::ProductListed(catalog::ProductListed {
            sku: sku(),
            details: details.clone(),
            pricing: pricing.clone(),
        })),
        Sample::Catalog(catalog::Event::ProductDescribed(catalog::ProductDescribed { sku: sku(), details })),
        Sample::Catalog(catalog::Event::ProductPriced(catalog::ProductPriced { sku: sku(), pricing })),
        Sample::Catalog(catalog::Event::ProductWithdrawn(catalog::ProductWithdrawn { sku: sku() })),
        Sample::Cart(item_added()),
        Sample::Cart(cart::Event::QuantitySet(cart::QuantitySet { sku: sku(), quantity: 99 })),
        Sample::Cart(cart::Event::ItemRemoved(cart::ItemRemoved { sku: sku() })),
        Sample::Cart(cart::Event::NoteSet(cart::NoteSet { note: Some(note()) })),
        Sample::Cart(cart::Event::EditUndone(undone.clone())),
        Sample::Cart(cart::Event::NoteSet(cart::NoteSet { note: None })),
        Sample::Cart(cart::Event::EditUndone(cart::EditUndone { sku: None, line: None, note: Some(note()), ..undone })),
    ]
}

pub fn item_added() -> cart::Event {
    let unit_price = Amount::new(2_490, "BRL".parse().unwrap());
    cart::Event::ItemAdded(cart::ItemAdded {
        added: 2,
        line: cart::Line {
            sku: "CAFE-250".into(),
            title: "Café torrado em grãos, 250 g".into(),
            quantity: 3,
            unit_price,
            first_added: 4,
        },
        offer: FactPosition { lane: 1, lane_seq: 40_217 },
    })
}
