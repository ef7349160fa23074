//! One of every event, and an envelope for it.

#[path = "samples/conversation.rs"]
mod conversation;
#[path = "samples/orders.rs"]
mod orders;
#[path = "samples/payments.rs"]
mod payments;
// The next service goes above: its file.

use std::sync::Arc;

use feira_codec::{CodecError, EncodedBody, EventSet, Opened};
use feira_events::{FactPosition, Meta, Sealed, billing, cart, catalog, lane, order, stock};
use feira_events::{conversation as conversation_events, payments as payments_events};
use feira_ids::{CommandId, Fingerprint, Hash16, TenantId};
use feira_money::{Amount, Currency};
use serde_json::{Value, json};

/// Makes one type of all sets: each with its events, and the aggregate that its samples are of.
macro_rules! samples {
    ($($variant:ident: $set:path [$($event:ident),+ $(,)?] of $aggregate:literal;)+) => {
        /// Any event there is.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Sample {
            $($variant($set)),+
        }

        impl Sample {
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(event) => event.name()),+
                }
            }

            pub fn encode(&self) -> EncodedBody {
                match self {
                    $(Self::$variant(event) => event.encode_body().unwrap()),+
                }
            }

            pub fn decode(opened: &Opened) -> Result<Self, CodecError> {
                $(if opened.is::<$set>() {
                    return opened.decode().map(Self::$variant);
                })+
                Err(CodecError::OtherSet { name: opened.name.to_owned() })
            }

            /// The body as people read it.
            pub fn to_json(&self) -> Value {
                match self {
                    $(Self::$variant(event) => {
                        type Set = $set;
                        match event {
                            $(Set::$event(event) => json!(event)),+
                        }
                    })+
                }
            }

            fn aggregate(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $aggregate),+
                }
            }
        }

        /// The names of all events of all sets.
        pub fn names() -> Vec<&'static str> {
            [$(<$set>::names()),+].concat()
        }
    };
}

samples! {
    Lane: lane::Event [LaneTaken, CommandOutcome] of "";
    Catalog: catalog::Event [ProductListed, ProductDescribed, ProductPriced, ProductWithdrawn] of "product:CAFE-250";
    Cart: cart::Event [
        ItemAdded, QuantitySet, ItemRemoved, NoteSet, EditUndone, CheckedOut, CheckoutCompleted, CheckoutFailed,
    ] of "cart:BR.1234";
    Order: order::Event [
        OrderPlaced, OrderStockHeld, OrderAwaitingPayment, OrderPaid, OrderStockTaken, OrderConfirmed, OrderAdvanced,
        OrderCancelled, OrderPaidLate, OrderRefunded, OrderRefundFailed,
    ] of "order:o-1f2e3d4c5b6a7988";
    Stock: stock::Event [StockSet, StockReserved, StockCommitted, StockReleased] of "stock:CAFE-250";
    Payments: payments_events::Event [
        AccountOpened, AccountFunded, TransferReserved, TransferCancelAsked, TransferSettled, TransferReturned,
        TransferCredited, TransferDeclined, RequestMade, RequestMoved, IntentCreated, IntentCaptured, IntentClosed,
        RefundBegun, IntentRefunded, RefundFailed, RegimeSuspended, RegimeResumed,
    ] of "shard:2";
    Usage: billing::UsageEvent [UsageRecorded] of "usage:2026-11";
    Invoice: billing::InvoiceEvent [InvoiceDrafted, InvoiceIssued] of "invoice:main";
    Business: conversation_events::BusinessEvent [BusinessRegistered, ProfileSet, ClockMoved] of "business:main";
    Sender: conversation_events::SenderEvent [SenderOpened] of "sender:main";
    Contact: conversation_events::ContactEvent [ContactMet, OptedIn, OptedOut] of "contact:BR.1234";
    Template: conversation_events::TemplateEvent [TemplateCreated, TemplateApproved] of "template:order_paid.pt_BR";
    Thread: conversation_events::ThreadEvent [
        ThreadOpened, MessageReceived, MessageSent, MessageDelivered, MessageRead, MessageFailed,
    ] of "thread:main/BR.1234";
    // The next service goes above: its events.
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
    meta(sample.aggregate())
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
    let mut samples = vec![
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
        Sample::Usage(usage_recorded()),
        Sample::Invoice(invoice_drafted()),
        Sample::Invoice(invoice_issued()),
    ];
    samples.extend(conversation::all());
    samples.extend(orders::carts().into_iter().map(Sample::Cart));
    samples.extend(orders::orders().into_iter().map(Sample::Order));
    samples.extend(orders::stocks().into_iter().map(Sample::Stock));
    samples.extend(payments::all().into_iter().map(Sample::Payments));
    // The next service goes above: its samples.
    samples
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

fn usage_recorded() -> billing::UsageEvent {
    let brl = |minor| Amount::new(minor, "BRL".parse().unwrap());
    let message = billing::MessageUsage {
        seq: 41,
        event_id: CommandId::default().event(0),
        thread: "main/CC.1234".into(),
        message: "m-7".into(),
        class: billing::Class::Charged,
        category: billing::Category::Utility,
        country: "BR".into(),
        policy: "feira-1".into(),
        sent_at: 1_764_104_400_123,
        delivered_at: 1_764_104_401_000,
    };
    let fee = billing::PaymentFeeUsage {
        seq: 43,
        event_id: CommandId::default().event(1),
        intent: "o-1".into(),
        order: "o-1".into(),
        amount: brl(10),
        fee: brl(0),
        fee_micro: 3_990,
        rate_bp: 399,
        captured_at: 1_764_104_402_000,
    };
    billing::UsageEvent::UsageRecorded(billing::UsageRecorded {
        source_lane: "conversation/3".into(),
        from_seq: 40,
        to_seq: 43,
        messages: vec![message],
        payment_fees: vec![fee],
        count: 12,
        fingerprint: "5a".repeat(32).into(),
    })
}

fn invoice_drafted() -> billing::InvoiceEvent {
    billing::InvoiceEvent::InvoiceDrafted(billing::InvoiceDrafted {
        document: invoice_document(),
        lines_hash: "c0".repeat(32).into(),
    })
}

fn invoice_issued() -> billing::InvoiceEvent {
    billing::InvoiceEvent::InvoiceIssued(billing::InvoiceIssued {
        number: 7,
        document: invoice_document(),
        document_hash: "d1".repeat(32).into(),
    })
}

fn invoice_document() -> billing::Document {
    let amount = |minor, code: &str| Amount::new(minor, code.parse().unwrap());
    let rule = billing::Rule {
        market: "BR".into(),
        category: billing::Category::Utility,
        valid_from: "2026-01-01".into(),
        source: "public copies of the rate card".into(),
        confidence: "high".into(),
    };
    let charged = billing::Line {
        line_id: "0a".repeat(16).into(),
        component: billing::Component::Message,
        class: billing::Class::Charged,
        country: Some("BR".into()),
        category: Some(billing::Category::Utility),
        policy: Some("feira-1".into()),
        rule: Some(rule),
        rate_bp: None,
        quantity: 3,
        unit_price_micro: Some(6_800),
        exact_micro: 20_400,
        amount: amount(2, "USD"),
        residual_micro: 400,
        collected: false,
        used_from: 1_793_491_200_000,
        used_until: 1_796_083_200_000,
        usage_fingerprint: "1b".repeat(32).into(),
    };
    let fees = billing::Line {
        line_id: "0c".repeat(16).into(),
        component: billing::Component::PaymentFee,
        country: None,
        category: None,
        policy: None,
        rule: None,
        rate_bp: Some(399),
        quantity: 1,
        unit_price_micro: None,
        exact_micro: 3_990,
        amount: amount(0, "BRL"),
        residual_micro: 3_990,
        collected: true,
        usage_fingerprint: "1d".repeat(32).into(),
        ..charged.clone()
    };
    let total = |code: &str, charged: i64, carried_out_micro| billing::Total {
        charged: amount(charged, code),
        carried_in_micro: 0,
        carried: amount(0, code),
        carried_out_micro,
        due: amount(charged, code),
        collected: amount(0, code),
    };
    billing::Document {
        period: "2026-11".into(),
        from: charged.used_from,
        until: charged.used_until,
        lines: vec![charged, fees],
        totals: vec![total("BRL", 0, 0), total("USD", 2, 400)],
        card: billing::Card {
            model: "PMP".into(),
            currency: "USD".into(),
            version: "2026-01-01".into(),
            hash: "e2".repeat(32).into(),
        },
        usage: billing::UsageStated {
            count: 4,
            fingerprint: "f3".repeat(32).into(),
            position: FactPosition { lane: 1, lane_seq: 40_217 },
        },
    }
}
