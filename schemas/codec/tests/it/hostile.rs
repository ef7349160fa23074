//! Bytes that nobody should send: each is refused with its reason; none is believed, none ends the process.

use apache_avro::error::Details;
use bytes::Bytes;
use feira_codec::{CodecError, MetaFault, VALUE_BYTES_MAX, decode_meta, frame, open};
use proptest::prelude::*;

use crate::samples::{self, Sample};

/// Reads the whole of a value.
fn read(value: &[u8]) -> Result<Sample, CodecError> {
    let opened = open(&Bytes::copy_from_slice(value))?;
    Sample::decode(&opened)
}

fn valid() -> Vec<Bytes> {
    let values = samples::all().into_iter();
    values.map(|sample| frame(&samples::meta_of(&sample), &sample.encode()).unwrap()).collect()
}

#[test]
fn what_is_cut_short_is_refused_wherever_it_is_cut() {
    for value in valid() {
        for end in 0..value.len() {
            read(&value[..end]).expect_err("a value without its end");
        }
    }
}

#[test]
fn what_goes_on_after_its_end_is_refused() {
    for value in valid() {
        let longer = [value.as_ref(), &[0]].concat();
        let refused = read(&longer).unwrap_err();
        assert!(matches!(refused, CodecError::TrailingBytes { bytes: 1, .. }), "{refused}");
    }
}

#[test]
fn a_schema_from_the_future_is_named() {
    let refused = read(&[0, 0, 0, 0x30, 0x39, 1, 2, 3]).unwrap_err();
    assert!(matches!(refused, CodecError::UnknownSchema { id: 12_345 }), "{refused}");
}

#[test]
fn what_is_not_framed_is_refused() {
    for value in [&[][..], &[0, 0, 0, 0], b"{\"a\":1}", &[1, 0, 0, 0, 1]] {
        assert!(matches!(read(value), Err(CodecError::NotFramed)), "{value:?}");
    }
}

#[test]
fn a_value_longer_than_any_is_refused_before_it_is_read_or_written() {
    let value = Bytes::from(vec![0; VALUE_BYTES_MAX + 1]);
    assert!(matches!(open(&value), Err(CodecError::TooLarge { .. })));
    let mut body = valid_body();
    body.bytes = value;
    assert!(matches!(frame(&samples::meta("cart:1"), &body), Err(CodecError::TooLarge { .. })));
}

fn valid_body() -> feira_codec::EncodedBody {
    samples::all().remove(0).encode()
}

#[test]
fn a_length_that_no_value_has_sets_no_memory_aside() {
    let meta = samples::meta("");
    // The address of a lane's owner, said to be 9 MiB, then as long as a number can be.
    for (claimed, refused_by_cap) in [(9 << 20, true), (i64::MAX, true), (-1, false)] {
        let body = feira_codec::EncodedBody { bytes: zigzag(claimed).into(), ..valid_body() };
        let value = frame(&meta, &body).unwrap();
        let CodecError::Body { source, .. } = read(&value).unwrap_err() else { panic!("the body is at fault") };
        let by_cap = matches!(source.details(), Details::MemoryAllocation { maximum: VALUE_BYTES_MAX, .. });
        assert_eq!(by_cap, refused_by_cap, "{claimed}: {source}");
    }
}

/// A number as Avro writes it.
fn zigzag(number: i64) -> Vec<u8> {
    let mut left = ((number << 1) ^ (number >> 63)) as u64;
    let mut bytes = vec![];
    while left > 0x7f {
        bytes.push(left as u8 | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
    bytes
}

#[test]
fn a_tenant_that_cannot_be_is_refused() {
    let value = valid().remove(0);
    let at = value.windows(11).position(|part| part == b"feira-livre").unwrap();
    let mut bytes = value.to_vec();
    bytes[at] = b'F';
    let refused = decode_meta(&bytes).unwrap_err();
    assert!(matches!(refused, CodecError::Meta { fault: MetaFault::Tenant(_), .. }), "{refused}");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&bytes);
    }

    #[test]
    fn any_bytes_after_any_schema_are_read_or_refused(
        id in 0u32..15,
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let _ = read(&[&[0], id.to_be_bytes().as_slice(), &bytes].concat());
    }

    #[test]
    fn any_body_after_a_good_envelope_is_read_or_refused(
        which in any::<prop::sample::Index>(),
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let sample = which.get(&samples::all()).clone();
        let body = feira_codec::EncodedBody { bytes: bytes.into(), ..sample.encode() };
        let value = frame(&samples::meta_of(&sample), &body).unwrap();
        prop_assert!(open(&value).is_ok());
        let _ = read(&value);
    }

    #[test]
    fn damaged_values_are_read_or_refused(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        take in 0usize..4,
        put in proptest::collection::vec(any::<u8>(), 0..12),
    ) {
        let mut bytes = which.get(&valid()).to_vec();
        let begin = place.index(bytes.len());
        let end = (begin + take).min(bytes.len());
        bytes.splice(begin..end, put);
        let _ = read(&bytes);
        let _ = decode_meta(&bytes);
    }

    #[test]
    fn texts_of_any_script_read_back(text in "\\PC{0,300}") {
        let event = Sample::Lane(feira_events::lane::Event::LaneTaken(feira_events::lane::LaneTaken {
            address: text.as_str().into(),
        }));
        let meta = feira_events::Meta { principal: text.as_str().into(), ..samples::meta("") };
        let value = frame(&meta, &event.encode()).unwrap();
        prop_assert_eq!(open(&value).unwrap().meta, meta);
        prop_assert_eq!(read(&value).unwrap(), event);
    }
}
