//! The envelope's bytes, written and read by hand: every record on every log passes here, most of them for this alone.
//!
//! The order of the fields is that of the schema `feira.v1.Meta`; a test reads the same bytes with the Avro library.

use std::sync::Arc;

use feira_events::Meta;
use feira_ids::{CommandId, EventId, Fingerprint, Hash16, TenantId};

use crate::MetaFault;

/// Appends the envelope to `out`.
pub(crate) fn write(meta: &Meta, out: &mut Vec<u8>) {
    let Meta {
        event_id,
        lane,
        lane_seq,
        term,
        aggregate,
        aggregate_seq,
        hlc,
        at,
        tenant,
        principal,
        command_id,
        fingerprint,
        index,
        count,
        causation_id,
        correlation_id,
        traceparent,
    } = meta;
    out.extend_from_slice(&event_id.0.0);
    write_long(i64::from(*lane), out);
    write_long(*lane_seq, out);
    write_long(*term, out);
    write_text(aggregate, out);
    match aggregate_seq {
        None => write_long(0, out),
        Some(seq) => {
            write_long(1, out);
            write_long(*seq, out);
        }
    }
    write_long(*hlc, out);
    write_long(*at, out);
    write_text(tenant.as_str(), out);
    write_text(principal, out);
    out.extend_from_slice(&command_id.0.0);
    out.extend_from_slice(&fingerprint.0.0);
    write_long(i64::from(*index), out);
    write_long(i64::from(*count), out);
    out.extend_from_slice(&causation_id.0);
    out.extend_from_slice(&correlation_id.0);
    match traceparent {
        None => write_long(0, out),
        Some(text) => {
            write_long(1, out);
            write_text(text, out);
        }
    }
}

/// Reads an envelope and leaves `rest` at what follows it.
pub(crate) fn read(rest: &mut &[u8]) -> Result<Meta, MetaFault> {
    // Fields are evaluated in the order written, which is the order of the bytes.
    Ok(Meta {
        event_id: EventId(read_hash(rest)?),
        lane: read_int(rest)?,
        lane_seq: read_long(rest)?,
        term: read_long(rest)?,
        aggregate: read_text(rest)?,
        aggregate_seq: read_option(rest, read_long)?,
        hlc: read_long(rest)?,
        at: read_long(rest)?,
        tenant: TenantId::new(read_text(rest)?).map_err(MetaFault::Tenant)?,
        principal: read_text(rest)?,
        command_id: CommandId(read_hash(rest)?),
        fingerprint: Fingerprint(read_hash(rest)?),
        index: read_int(rest)?,
        count: read_int(rest)?,
        causation_id: read_hash(rest)?,
        correlation_id: read_hash(rest)?,
        traceparent: read_option(rest, read_text)?,
    })
}

fn write_long(value: i64, out: &mut Vec<u8>) {
    let mut left = ((value << 1) ^ (value >> 63)) as u64;
    while left > 0x7f {
        out.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    write_long(text.len() as i64, out);
    out.extend_from_slice(text.as_bytes());
}

fn read_long(rest: &mut &[u8]) -> Result<i64, MetaFault> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first().ok_or(MetaFault::Truncated)?;
        *rest = after;
        let digit = u64::from(byte & 0x7f);
        // The tenth byte has room for one bit.
        if shift == 63 && digit > 1 {
            return Err(MetaFault::Number);
        }
        value |= digit << shift;
        if byte < 0x80 {
            return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    Err(MetaFault::Number)
}

fn read_int(rest: &mut &[u8]) -> Result<i32, MetaFault> {
    i32::try_from(read_long(rest)?).map_err(|_| MetaFault::Number)
}

fn read_hash(rest: &mut &[u8]) -> Result<Hash16, MetaFault> {
    let (bytes, after) = rest.split_first_chunk::<16>().ok_or(MetaFault::Truncated)?;
    *rest = after;
    Ok(Hash16(*bytes))
}

fn read_text(rest: &mut &[u8]) -> Result<Arc<str>, MetaFault> {
    let length = usize::try_from(read_long(rest)?).map_err(|_| MetaFault::NegativeLength)?;
    // Nothing is set aside for a length before the bytes are seen to be there.
    let (bytes, after) = rest.split_at_checked(length).ok_or(MetaFault::Truncated)?;
    *rest = after;
    Ok(std::str::from_utf8(bytes).map_err(|_| MetaFault::NotUtf8)?.into())
}

fn read_option<T>(
    rest: &mut &[u8],
    read_some: impl Fn(&mut &[u8]) -> Result<T, MetaFault>,
) -> Result<Option<T>, MetaFault> {
    match read_long(rest)? {
        0 => Ok(None),
        1 => read_some(rest).map(Some),
        other => Err(MetaFault::Branch(other)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_read_back_as_written(value: i64) {
            let mut bytes = vec![];
            write_long(value, &mut bytes);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(read_long(&mut rest).unwrap(), value);
            prop_assert!(rest.is_empty());
        }
    }

    #[test]
    fn numbers_without_an_end_are_refused() {
        assert!(matches!(read_long(&mut [0xff; 11].as_slice()), Err(MetaFault::Number)));
        assert!(matches!(read_long(&mut [0xff; 3].as_slice()), Err(MetaFault::Truncated)));
    }

    #[test]
    fn a_length_beyond_the_end_is_refused() {
        let mut bytes = vec![];
        write_long(i64::MAX, &mut bytes);
        bytes.push(b'x');
        assert!(matches!(read_text(&mut bytes.as_slice()), Err(MetaFault::Truncated)));
        let mut bytes = vec![];
        write_long(-1, &mut bytes);
        assert!(matches!(read_text(&mut bytes.as_slice()), Err(MetaFault::NegativeLength)));
    }
}
