//! Every schema ever released, built into the program and made ready once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::writer::datum::GenericDatumWriter;
use feira_events::Meta;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::upcast::{Step, UPCASTERS, Upcaster, steps};
use crate::{CodecError, MetaFault, VALUE_BYTES_MAX};

/// The list of schemas as it stands in the repository: ids are given once and never change.
pub const INDEX: &str = include_str!("../../avro/index.json");

macro_rules! texts {
    ($($file:literal),+ $(,)?) => {
        &[$(($file, include_str!(concat!("../../avro/", $file)))),+]
    };
}

/// The files that the index names.
const TEXTS: &[(&str, &str)] = texts![
    "feira.lane.v1.LaneTaken.1.avsc",
    "feira.lane.v1.CommandOutcome.1.avsc",
    "feira.catalog.v1.ProductListed.1.avsc",
    "feira.catalog.v1.ProductDescribed.1.avsc",
    "feira.catalog.v1.ProductPriced.1.avsc",
    "feira.catalog.v1.ProductWithdrawn.1.avsc",
    "feira.cart.v1.ItemAdded.1.avsc",
    "feira.cart.v1.QuantitySet.1.avsc",
    "feira.cart.v1.ItemRemoved.1.avsc",
    "feira.cart.v1.NoteSet.1.avsc",
    "feira.cart.v1.EditUndone.1.avsc",
    "feira.conversation.v1.BusinessRegistered.1.avsc",
    "feira.conversation.v1.ProfileSet.1.avsc",
    "feira.conversation.v1.ClockMoved.1.avsc",
    "feira.conversation.v1.SenderOpened.1.avsc",
    "feira.conversation.v1.ContactMet.1.avsc",
    "feira.conversation.v1.OptedIn.1.avsc",
    "feira.conversation.v1.OptedOut.1.avsc",
    "feira.conversation.v1.TemplateCreated.1.avsc",
    "feira.conversation.v1.TemplateApproved.1.avsc",
    "feira.conversation.v1.ThreadOpened.1.avsc",
    "feira.conversation.v1.MessageReceived.1.avsc",
    "feira.conversation.v1.MessageSent.1.avsc",
    "feira.conversation.v1.MessageDelivered.1.avsc",
    "feira.conversation.v1.MessageRead.1.avsc",
    "feira.conversation.v1.MessageFailed.1.avsc",
    "feira.billing.v1.UsageRecorded.1.avsc",
    "feira.billing.v1.InvoiceDrafted.1.avsc",
    "feira.billing.v1.InvoiceIssued.1.avsc",
    "feira.payments.v1.AccountOpened.1.avsc",
    "feira.payments.v1.AccountFunded.1.avsc",
    "feira.payments.v1.TransferReserved.1.avsc",
    "feira.payments.v1.TransferCancelAsked.1.avsc",
    "feira.payments.v1.TransferSettled.1.avsc",
    "feira.payments.v1.TransferReturned.1.avsc",
    "feira.payments.v1.TransferCredited.1.avsc",
    "feira.payments.v1.TransferDeclined.1.avsc",
    "feira.payments.v1.RequestMade.1.avsc",
    "feira.payments.v1.RequestMoved.1.avsc",
    "feira.payments.v1.IntentCreated.1.avsc",
    "feira.payments.v1.IntentCaptured.1.avsc",
    "feira.payments.v1.IntentClosed.1.avsc",
    "feira.payments.v1.RefundBegun.1.avsc",
    "feira.payments.v1.IntentRefunded.1.avsc",
    "feira.payments.v1.RefundFailed.1.avsc",
    "feira.payments.v1.RegimeSuspended.1.avsc",
    "feira.payments.v1.RegimeResumed.1.avsc",
    "feira.catalog.v1.StockSet.1.avsc",
    "feira.catalog.v1.StockReserved.1.avsc",
    "feira.catalog.v1.StockCommitted.1.avsc",
    "feira.catalog.v1.StockReleased.1.avsc",
    "feira.cart.v1.CheckedOut.1.avsc",
    "feira.cart.v1.CheckoutCompleted.1.avsc",
    "feira.cart.v1.CheckoutFailed.1.avsc",
    "feira.cart.v1.OrderPlaced.1.avsc",
    "feira.cart.v1.OrderStockHeld.1.avsc",
    "feira.cart.v1.OrderAwaitingPayment.1.avsc",
    "feira.cart.v1.OrderPaid.1.avsc",
    "feira.cart.v1.OrderStockTaken.1.avsc",
    "feira.cart.v1.OrderConfirmed.1.avsc",
    "feira.cart.v1.OrderAdvanced.1.avsc",
    "feira.cart.v1.OrderCancelled.1.avsc",
    "feira.cart.v1.OrderPaidLate.1.avsc",
    "feira.cart.v1.OrderRefunded.1.avsc",
    "feira.cart.v1.OrderRefundFailed.1.avsc",
    // The next service goes above.
];

/// One version of one event's schema, as released.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Released {
    /// The id in the wire format.
    pub id: u32,
    /// The registry's subject: topic and record name; the topic is `*` for what stands on every topic.
    pub subject: String,
    /// The event's full name.
    pub name: String,
    /// Its version: 1, 2, 3 …
    pub version: u32,
    /// The file's name.
    pub file: String,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    /// What the file says.
    #[serde(skip)]
    pub text: &'static str,
}

/// Every schema ever released, by id.
pub static SCHEMAS: LazyLock<Vec<Released>> = LazyLock::new(|| {
    let mut released: Vec<Released> = serde_json::from_str(INDEX).expect("the index is checked by a test");
    for entry in &mut released {
        let found = TEXTS.iter().find(|(file, _)| *file == entry.file);
        entry.text = found.expect("a test compares the index with the files built in").1;
    }
    released
});

static PREPARED: LazyLock<Prepared> = LazyLock::new(|| {
    // Once for the process: lengths in damaged bytes must not make it allocate what no value has.
    apache_avro::util::max_allocation_bytes(VALUE_BYTES_MAX);
    let forms: Vec<&'static Form> =
        SCHEMAS.iter().map(|released| &*Box::leak(Box::new(Form::new(released, UPCASTERS)))).collect();
    let mut newest: HashMap<&'static str, &'static Form> = HashMap::new();
    for &form in &forms {
        let known = newest.entry(form.name).or_insert(form);
        if known.version < form.version {
            *known = form;
        }
    }
    Prepared { by_id: forms.into_iter().map(|form| (form.id, form)).collect(), newest }
});

struct Prepared {
    by_id: HashMap<u32, &'static Form>,
    newest: HashMap<&'static str, &'static Form>,
}

/// The schema that a value was written with.
#[derive(Clone, Copy)]
pub struct WriterSchema(pub(crate) &'static Form);

impl WriterSchema {
    /// The id in the wire format.
    pub fn id(self) -> u32 {
        self.0.id
    }

    /// The event's full name.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Its version.
    pub fn version(self) -> u32 {
        self.0.version
    }
}

/// How much memory a thread keeps to write bodies in.
const SCRATCH_BYTES_MAX: usize = 64 * 1024;

thread_local! {
    /// Where a body is written before its length is known, so that what is handed on has no more memory than it needs.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A schema made ready to write and read with.
pub(crate) struct Form {
    id: u32,
    name: &'static str,
    version: u32,
    /// Reads the envelope, where it is another than today's.
    old_meta: Option<GenericDatumReader<'static>>,
    writer: GenericDatumWriter<'static>,
    reader: GenericDatumReader<'static>,
    steps: Vec<Step>,
}

impl Form {
    fn new(released: &'static Released, upcasters: &[Upcaster]) -> Self {
        const CHECKED: &str = "a test parses every released schema";
        let mut record: serde_json::Value = serde_json::from_str(released.text).expect(CHECKED);
        let fields = record["fields"].as_array_mut().expect(CHECKED);
        let meta = fields.remove(0);
        let meta: &'static Schema = Box::leak(Box::new(Schema::parse(&meta["type"]).expect(CHECKED)));
        let body: &'static Schema = Box::leak(Box::new(Schema::parse(&record).expect(CHECKED)));
        let reader = |schema| GenericDatumReader::builder(schema).human_readable(false).build().expect(CHECKED);
        Self {
            id: released.id,
            name: &released.name,
            version: released.version,
            old_meta: (meta.canonical_form() != *META_TODAY).then(|| reader(meta)),
            writer: GenericDatumWriter::builder(body).human_readable(false).build().expect(CHECKED),
            reader: reader(body),
            steps: steps(upcasters, &released.name, released.version),
        }
    }

    /// Reads the envelope and leaves `rest` at the body.
    pub(crate) fn read_meta(&self, rest: &mut &[u8]) -> Result<Meta, CodecError> {
        let read = match &self.old_meta {
            None => crate::meta::read(rest),
            Some(reader) => reader.read_deser(rest).map_err(MetaFault::Avro),
        };
        read.map_err(|fault| CodecError::Meta { name: self.name, fault })
    }

    /// Reads the whole of a body.
    pub(crate) fn read_body<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, CodecError> {
        let failed = |source| CodecError::Body { name: self.name, version: self.version, source };
        let mut rest = bytes;
        let body = if self.steps.is_empty() {
            self.reader.read_deser(&mut rest).map_err(failed)?
        } else {
            let mut value = self.reader.read_value(&mut rest).map_err(failed)?;
            for step in &self.steps {
                let (name, version) = (self.name, self.version);
                value = step(value).map_err(|reason| CodecError::Upcast { name, version, reason })?;
            }
            apache_avro::from_value(&value).map_err(failed)?
        };
        if rest.is_empty() { Ok(body) } else { Err(CodecError::TrailingBytes { name: self.name, bytes: rest.len() }) }
    }

    /// Reads the whole of a body, whichever event it is, in today's form.
    pub(crate) fn read_value(&self, bytes: &[u8]) -> Result<apache_avro::types::Value, CodecError> {
        let failed = |source| CodecError::Body { name: self.name, version: self.version, source };
        let mut rest = bytes;
        let mut value = self.reader.read_value(&mut rest).map_err(failed)?;
        for step in &self.steps {
            let (name, version) = (self.name, self.version);
            value = step(value).map_err(|reason| CodecError::Upcast { name, version, reason })?;
        }
        if rest.is_empty() { Ok(value) } else { Err(CodecError::TrailingBytes { name: self.name, bytes: rest.len() }) }
    }

    /// The bytes of a body.
    pub(crate) fn write_body<T: serde::Serialize>(&self, body: &T) -> Result<Vec<u8>, CodecError> {
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.clear();
            let written = self.writer.write_ser(scratch, body);
            let bytes = written.map(|_| scratch.to_vec());
            scratch.shrink_to(SCRATCH_BYTES_MAX);
            bytes.map_err(|source| CodecError::Encode { name: self.name, source })
        })
    }
}

/// The form of the envelope that this release writes.
static META_TODAY: LazyLock<String> = LazyLock::new(|| {
    const CHECKED: &str = "a test parses every released schema";
    let last = SCHEMAS.iter().max_by_key(|released| released.id).expect("some schema is released");
    let record: serde_json::Value = serde_json::from_str(last.text).expect(CHECKED);
    Schema::parse(&record["fields"][0]["type"]).expect(CHECKED).canonical_form()
});

/// The schema with `id`.
pub(crate) fn by_id(id: u32) -> Option<WriterSchema> {
    PREPARED.by_id.get(&id).copied().map(WriterSchema)
}

/// The newest schema of the event with this full name: the one that is written with.
pub fn newest(name: &str) -> Option<WriterSchema> {
    PREPARED.newest.get(name).copied().map(WriterSchema)
}

#[cfg(test)]
mod tests {
    use apache_avro::types::Value;
    use feira_events::cart::QuantitySet;

    use super::*;
    use crate::sets::EventSet;

    /// A version that never was: today's newest schema of the event, changed.
    fn made_up(name: &str, version: u32, change: impl FnOnce(&mut serde_json::Value)) -> &'static Released {
        let mut released = SCHEMAS.iter().find(|released| released.name == name).unwrap().clone();
        let mut schema = serde_json::from_str(released.text).unwrap();
        change(&mut schema);
        released.version = version;
        released.text = String::leak(schema.to_string());
        Box::leak(Box::new(released))
    }

    const QUANTITY_SET: &str = "feira.cart.v1.QuantitySet";

    /// What a release that said `qty` would have written.
    fn qty_bytes() -> (&'static Released, Vec<u8>) {
        let released = made_up(QUANTITY_SET, 1, |schema| schema["fields"][2]["name"] = "qty".into());
        #[derive(serde::Serialize)]
        #[serde(rename = "QuantitySet")]
        struct Old {
            sku: &'static str,
            qty: i32,
        }
        let bytes = Form::new(released, &[]).write_body(&Old { sku: "A", qty: 4 }).unwrap();
        (released, bytes)
    }

    #[test]
    fn an_older_body_is_brought_to_todays_form_step_by_step() {
        fn rename(value: Value) -> Result<Value, String> {
            let Value::Record(mut fields) = value else { return Err("no record".to_owned()) };
            for (name, _) in fields.iter_mut().filter(|(name, _)| name == "qty") {
                *name = "quantity".to_owned();
            }
            Ok(Value::Record(fields))
        }
        fn double(value: Value) -> Result<Value, String> {
            let Value::Record(mut fields) = value else { return Err("no record".to_owned()) };
            for (name, field) in &mut fields {
                match field {
                    Value::Int(number) if name == "quantity" => *number *= 2,
                    _ => {}
                }
            }
            Ok(Value::Record(fields))
        }
        let (released, bytes) = qty_bytes();
        // Out of order, and one for an earlier version than the body's: neither may matter.
        let upcasters = [
            Upcaster { name: QUANTITY_SET, from: 2, step: double },
            Upcaster { name: QUANTITY_SET, from: 1, step: rename },
            Upcaster { name: QUANTITY_SET, from: 0, step: |_| Err("never".to_owned()) },
            Upcaster { name: "feira.cart.v1.ItemRemoved", from: 1, step: |_| Err("never".to_owned()) },
        ];
        let form: &'static Form = Box::leak(Box::new(Form::new(released, &upcasters)));
        let event = feira_events::cart::Event::decode_body(QUANTITY_SET, WriterSchema(form), &bytes).unwrap();
        let expected = QuantitySet { sku: "A".into(), quantity: 8 };
        assert_eq!(event, feira_events::cart::Event::QuantitySet(expected));
        // A body that follows is still looked at to its last byte.
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(matches!(form.read_body::<QuantitySet>(&longer), Err(CodecError::TrailingBytes { bytes: 1, .. })));
    }

    #[test]
    fn without_its_step_an_older_body_is_refused_and_a_step_says_why_it_cannot() {
        let (released, bytes) = qty_bytes();
        assert!(matches!(Form::new(released, &[]).read_body::<QuantitySet>(&bytes), Err(CodecError::Body { .. })));
        let failing = [Upcaster { name: QUANTITY_SET, from: 1, step: |_| Err("too old".to_owned()) }];
        let refused = Form::new(released, &failing).read_body::<QuantitySet>(&bytes).unwrap_err();
        assert!(matches!(&refused, CodecError::Upcast { reason, .. } if reason == "too old"), "{refused}");
    }

    #[test]
    fn a_field_that_a_later_release_added_is_its_default() {
        let released = made_up("feira.cart.v1.ItemAdded", 1, |schema| {
            schema["fields"][2]["type"]["fields"].as_array_mut().unwrap().pop();
        });
        #[derive(serde::Serialize)]
        #[serde(rename = "ItemAdded")]
        struct Old {
            added: i32,
            line: OldLine,
            offer: feira_events::FactPosition,
        }
        #[derive(serde::Serialize)]
        #[serde(rename = "Line")]
        struct OldLine {
            sku: &'static str,
            title: &'static str,
            quantity: i32,
            unit_price: feira_money::Amount,
        }
        let unit_price = feira_money::Amount::new(2_490, "BRL".parse().unwrap());
        let line = OldLine { sku: "A", title: "Coffee", quantity: 1, unit_price };
        let offer = feira_events::FactPosition { lane: 1, lane_seq: 2 };
        let form = Form::new(released, &[]);
        let bytes = form.write_body(&Old { added: 1, line, offer }).unwrap();
        let read: feira_events::cart::ItemAdded = form.read_body(&bytes).unwrap();
        assert_eq!((read.line.first_added, read.line.unit_price, read.offer), (0, unit_price, offer));
    }

    #[test]
    fn the_envelope_of_another_release_is_read_with_its_own_schema() {
        let released = made_up(QUANTITY_SET, 1, |schema| {
            let fields = schema["fields"][0]["type"]["fields"].as_array_mut().unwrap();
            fields.pop();
            fields.push(serde_json::json!({"name": "region", "type": "string"}));
        });
        let mut meta = Meta {
            event_id: Default::default(),
            lane: 1,
            lane_seq: 2,
            term: 3,
            aggregate: "cart:1".into(),
            aggregate_seq: Some(4),
            hlc: 5,
            at: 6,
            tenant: feira_ids::TenantId::new("shop").unwrap(),
            principal: "person:ana".into(),
            command_id: Default::default(),
            fingerprint: Default::default(),
            index: 0,
            count: 1,
            causation_id: Default::default(),
            correlation_id: feira_ids::Hash16([7; 16]),
            traceparent: Some(String::new().into()),
        };
        let mut bytes = vec![];
        crate::meta::write(&meta, &mut bytes);
        // The trace context ends today's envelope, as a branch and a length; the other has a region of one letter there.
        bytes.truncate(bytes.len() - 2);
        bytes.extend_from_slice(&[2, b'x', 0xaa]);
        meta.traceparent = None;
        let form = Form::new(released, &[]);
        let mut rest = bytes.as_slice();
        assert_eq!(form.read_meta(&mut rest).unwrap(), meta);
        assert_eq!(rest, [0xaa]);
        let cut = &mut &bytes[..20];
        assert!(matches!(form.read_meta(cut), Err(CodecError::Meta { fault: MetaFault::Avro(_), .. })));
    }
}
