//! The events of each service as one type, and how each is encoded.

use std::sync::LazyLock;

use bytes::Bytes;
use feira_events::{billing, cart, catalog, lane, order, payments, stock};

use crate::{CodecError, WriterSchema, newest};

/// A body as it goes into a value, after the envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedBody {
    /// The event's full name: `feira.cart.v1.ItemAdded`.
    pub name: &'static str,
    /// The schema it is written with.
    pub schema_id: u32,
    /// The fields after the envelope.
    pub bytes: Bytes,
}

/// All the events that one kind of aggregate, or a lane, can have.
pub trait EventSet: Sized + Clone {
    /// The event's full name: `feira.cart.v1.ItemAdded`.
    fn name(&self) -> &'static str;

    /// The body's bytes, under the newest schema of the event.
    ///
    /// # Errors
    /// [`CodecError::Encode`] when the event does not fit its schema.
    fn encode_body(&self) -> Result<EncodedBody, CodecError>;

    /// Reads a body that was written with `schema`.
    ///
    /// # Errors
    /// [`CodecError::OtherSet`] when `name` is none of [`EventSet::names`], else what is wrong with the bytes.
    fn decode_body(name: &str, schema: WriterSchema, bytes: &[u8]) -> Result<Self, CodecError>;

    /// The full names of all events in the set.
    fn names() -> &'static [&'static str];
}

macro_rules! event_set {
    ($package:literal, $set:path, [$($event:ident),+ $(,)?]) => {
        impl EventSet for $set {
            fn name(&self) -> &'static str {
                match self {
                    $(Self::$event(_) => concat!($package, ".", stringify!($event)),)+
                }
            }

            fn encode_body(&self) -> Result<EncodedBody, CodecError> {
                match self {
                    $(Self::$event(event) => {
                        static SCHEMA: LazyLock<WriterSchema> = LazyLock::new(|| {
                            newest(concat!($package, ".", stringify!($event))).expect("a test finds a schema for each")
                        });
                        let (name, schema_id) = (SCHEMA.name(), SCHEMA.id());
                        Ok(EncodedBody { name, schema_id, bytes: SCHEMA.0.write_body(event)?.into() })
                    })+
                }
            }

            fn decode_body(name: &str, schema: WriterSchema, bytes: &[u8]) -> Result<Self, CodecError> {
                match name {
                    $(concat!($package, ".", stringify!($event)) => schema.0.read_body(bytes).map(Self::$event),)+
                    _ => Err(CodecError::OtherSet { name: name.chars().take(100).collect() }),
                }
            }

            fn names() -> &'static [&'static str] {
                &[$(concat!($package, ".", stringify!($event))),+]
            }
        }
    };
}

event_set!("feira.lane.v1", lane::Event, [LaneTaken, CommandOutcome]);
event_set!("feira.catalog.v1", catalog::Event, [ProductListed, ProductDescribed, ProductPriced, ProductWithdrawn]);
event_set!(
    "feira.cart.v1",
    cart::Event,
    [ItemAdded, QuantitySet, ItemRemoved, NoteSet, EditUndone, CheckedOut, CheckoutCompleted, CheckoutFailed]
);
event_set!("feira.billing.v1", billing::UsageEvent, [UsageRecorded]);
event_set!("feira.billing.v1", billing::InvoiceEvent, [InvoiceDrafted, InvoiceIssued]);
event_set!(
    "feira.conversation.v1",
    feira_events::conversation::BusinessEvent,
    [BusinessRegistered, ProfileSet, ClockMoved]
);
event_set!("feira.conversation.v1", feira_events::conversation::SenderEvent, [SenderOpened]);
event_set!("feira.conversation.v1", feira_events::conversation::ContactEvent, [ContactMet, OptedIn, OptedOut]);
event_set!("feira.conversation.v1", feira_events::conversation::TemplateEvent, [TemplateCreated, TemplateApproved]);
event_set!(
    "feira.conversation.v1",
    feira_events::conversation::ThreadEvent,
    [ThreadOpened, MessageReceived, MessageSent, MessageDelivered, MessageRead, MessageFailed]
);
event_set!(
    "feira.payments.v1",
    payments::Event,
    [
        AccountOpened,
        AccountFunded,
        TransferReserved,
        TransferCancelAsked,
        TransferSettled,
        TransferReturned,
        TransferCredited,
        TransferDeclined,
        RequestMade,
        RequestMoved,
        IntentCreated,
        IntentCaptured,
        IntentClosed,
        RefundBegun,
        IntentRefunded,
        RefundFailed,
        RegimeSuspended,
        RegimeResumed,
    ]
);
event_set!("feira.catalog.v1", stock::Event, [StockSet, StockReserved, StockCommitted, StockReleased]);
event_set!(
    "feira.cart.v1",
    order::Event,
    [
        OrderPlaced,
        OrderStockHeld,
        OrderAwaitingPayment,
        OrderPaid,
        OrderStockTaken,
        OrderConfirmed,
        OrderAdvanced,
        OrderCancelled,
        OrderPaidLate,
        OrderRefunded,
        OrderRefundFailed,
    ]
);
// The next service goes above.
