//! The wire format: a zero byte, the schema's id, the envelope, the body.

use bytes::Bytes;
use feira_events::Meta;

use crate::released::by_id;
use crate::{CodecError, EncodedBody, EventSet, WriterSchema, meta};

/// The longest value, in bytes; also the most that reading one sets aside at once.
pub const VALUE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The zero byte and the schema's id.
const HEADER_BYTES: usize = 5;

/// Puts envelope and body together into a value.
///
/// # Errors
/// [`CodecError::TooLarge`] when nobody could read it.
pub fn frame(meta: &Meta, body: &EncodedBody) -> Result<Bytes, CodecError> {
    // Five hashes, nine numbers and the lengths of four texts take at most 220 bytes.
    let texts = meta.aggregate.len()
        + meta.tenant.as_str().len()
        + meta.principal.len()
        + meta.traceparent.as_ref().map_or(0, |text| text.len());
    let mut value = Vec::with_capacity(HEADER_BYTES + 220 + texts + body.bytes.len());
    value.push(0);
    value.extend_from_slice(&body.schema_id.to_be_bytes());
    meta::write(meta, &mut value);
    value.extend_from_slice(&body.bytes);
    if value.len() > VALUE_BYTES_MAX {
        return Err(CodecError::TooLarge { bytes: value.len() });
    }
    Ok(value.into())
}

/// A value whose envelope was read.
#[derive(Clone)]
pub struct Opened {
    /// The envelope.
    pub meta: Meta,
    /// The event's full name.
    pub name: &'static str,
    /// The version of the event's schema.
    pub version: u32,
    /// What the value was written with.
    pub schema: WriterSchema,
    /// The body's bytes; they share the value's memory.
    pub body: Bytes,
}

impl Opened {
    /// Whether the event is one of `E`.
    pub fn is<E: EventSet>(&self) -> bool {
        E::names().contains(&self.name)
    }

    /// Reads the body.
    ///
    /// # Errors
    /// [`CodecError::OtherSet`] when the event is none of `E`, else what is wrong with the bytes.
    pub fn decode<E: EventSet>(&self) -> Result<E, CodecError> {
        E::decode_body(self.name, self.schema, &self.body)
    }

    /// Reads the body where the event is one of `E`; none for any other.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn event<E: EventSet>(&self) -> Result<Option<E>, CodecError> {
        if self.is::<E>() { self.decode().map(Some) } else { Ok(None) }
    }

    /// Reads the body as JSON, whichever event it is: fields by their names on the topics, bytes as hexadecimal digits.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn to_json(&self) -> Result<serde_json::Value, CodecError> {
        self.schema.0.read_value(&self.body).map(crate::json::json)
    }
}

/// Reads a value's envelope and finds its body.
///
/// # Errors
/// [`CodecError::NotFramed`], [`CodecError::UnknownSchema`], [`CodecError::TooLarge`] or [`CodecError::Meta`].
pub fn open(value: &Bytes) -> Result<Opened, CodecError> {
    let (schema, mut rest) = split(value)?;
    let meta = schema.0.read_meta(&mut rest)?;
    let body = value.slice(value.len() - rest.len()..);
    Ok(Opened { meta, name: schema.name(), version: schema.version(), schema, body })
}

/// Reads a value's envelope and leaves the rest.
///
/// # Errors
/// As [`open`].
pub fn decode_meta(value: &[u8]) -> Result<Meta, CodecError> {
    let (schema, mut rest) = split(value)?;
    schema.0.read_meta(&mut rest)
}

fn split(value: &[u8]) -> Result<(WriterSchema, &[u8]), CodecError> {
    if value.len() > VALUE_BYTES_MAX {
        return Err(CodecError::TooLarge { bytes: value.len() });
    }
    let (header, rest) = value.split_first_chunk::<HEADER_BYTES>().ok_or(CodecError::NotFramed)?;
    let [0, id @ ..] = *header else {
        return Err(CodecError::NotFramed);
    };
    let id = u32::from_be_bytes(id);
    let schema = by_id(id).ok_or(CodecError::UnknownSchema { id })?;
    Ok((schema, rest))
}
