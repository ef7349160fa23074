//! Every schema ever released, built into the program and made ready once.

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

    /// The bytes of a body.
    pub(crate) fn write_body<T: serde::Serialize>(&self, body: &T) -> Result<Vec<u8>, CodecError> {
        let mut bytes = Vec::with_capacity(128);
        let written = self.writer.write_ser(&mut bytes, body);
        written.map_err(|source| CodecError::Encode { name: self.name, source })?;
        Ok(bytes)
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
