//! Events as bytes: Avro in the Confluent wire format, read with the schema they were written with.
//!
//! A value is `0x00`, the schema's id as four bytes big-endian, then the Avro record. A record is its fields one after
//! another and the first field is the envelope, so the body is encoded when it is decided and the envelope when its
//! place in the lane is known: [`EventSet::encode_body`], then [`frame`]. Reading is [`open`], then [`Opened::decode`].
//!
//! Every schema ever released is in the program ([`SCHEMAS`]); none is asked for over a network.

mod check;
mod error;
pub mod fixture;
mod json;
mod meta;
mod released;
mod sets;
mod upcast;
mod wire;

pub use check::{Fault, check, sha256_hex};
pub use error::{CodecError, MetaFault};
pub use released::{INDEX, Released, SCHEMAS, WriterSchema, newest};
pub use sets::{EncodedBody, EventSet};
pub use wire::{Opened, VALUE_BYTES_MAX, decode_meta, frame, open};
