//! Why bytes could not be made, or not be read.

/// Why an event could not be encoded or decoded.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The value does not begin as the wire format does.
    #[error("the value is not framed: it must begin with a zero byte and four bytes of schema id")]
    NotFramed,
    /// A schema from the future: a later release wrote the value.
    #[error("schema {id} is not known to this release: a later one wrote the value; upgrade before reading on")]
    UnknownSchema {
        /// The id in the value.
        id: u32,
    },
    /// Longer than any value is.
    #[error("a value of {bytes} bytes is longer than the {max} that a value may have", max = crate::VALUE_BYTES_MAX)]
    TooLarge {
        /// How long it is.
        bytes: usize,
    },
    /// The envelope is damaged.
    #[error("the envelope of a {name} cannot be read")]
    Meta {
        /// The event's name.
        name: &'static str,
        /// What is wrong with it.
        #[source]
        fault: MetaFault,
    },
    /// The body is damaged, or is not what its schema says.
    #[error("the body of a {name} (version {version}) cannot be read")]
    Body {
        /// The event's name.
        name: &'static str,
        /// The version of its schema.
        version: u32,
        /// What the Avro reader found.
        #[source]
        source: apache_avro::Error,
    },
    /// The body ends before the value does.
    #[error("{bytes} bytes follow the end of a {name}")]
    TrailingBytes {
        /// The event's name.
        name: &'static str,
        /// How many there are.
        bytes: usize,
    },
    /// An older body could not be brought to today's form.
    #[error("a {name} of version {version} cannot be brought to today's form: {reason}")]
    Upcast {
        /// The event's name.
        name: &'static str,
        /// The version of its schema.
        version: u32,
        /// What the upcaster said.
        reason: String,
    },
    /// The event belongs to another set.
    #[error("{name} is none of the events asked for")]
    OtherSet {
        /// The event's name.
        name: String,
    },
    /// The event does not fit its schema.
    #[error("a {name} cannot be encoded")]
    Encode {
        /// The event's name.
        name: &'static str,
        /// What the Avro writer found.
        #[source]
        source: apache_avro::Error,
    },
}

/// What is wrong with an envelope's bytes.
#[derive(Debug, thiserror::Error)]
pub enum MetaFault {
    /// They end too early, or a length points behind their end.
    #[error("the bytes end before the envelope does")]
    Truncated,
    /// A number has more than ten bytes, or does not fit its field.
    #[error("a number does not fit its field")]
    Number,
    /// A length is below zero.
    #[error("a length is negative")]
    NegativeLength,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    NotUtf8,
    /// An optional field has neither of its two forms.
    #[error("an optional field has branch {0}")]
    Branch(i64),
    /// The tenant's id has a wrong form.
    #[error("the tenant is malformed")]
    Tenant(#[source] feira_ids::TenantIdError),
    /// The Avro reader, used for the envelopes of other releases, found a fault.
    #[error("the Avro reader found a fault")]
    Avro(#[source] apache_avro::Error),
}
