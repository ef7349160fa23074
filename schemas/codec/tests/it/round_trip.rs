//! What is written is read back, by this program and by the Avro library alone.

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use feira_codec::{CodecError, EventSet, SCHEMAS, decode_meta, frame, newest, open};
use feira_events::{Meta, cart, catalog};

use crate::samples::{self, Sample};

#[test]
fn every_event_reads_back_as_written() {
    for sample in samples::all() {
        let meta = samples::meta_of(&sample);
        let value = frame(&meta, &sample.encode()).unwrap();
        let opened = open(&value).unwrap();
        assert_eq!((opened.name, opened.version), (sample.name(), newest(sample.name()).unwrap().version()));
        assert_eq!(opened.meta, meta);
        assert_eq!(decode_meta(&value).unwrap(), meta);
        assert_eq!(Sample::decode(&opened).unwrap(), sample);
    }
}

#[test]
fn every_event_has_a_schema_and_every_schema_an_event() {
    let names = samples::names();
    for name in &names {
        assert!(newest(name).is_some(), "{name} has no schema: add one to schemas/avro and its index");
    }
    for released in SCHEMAS.iter() {
        assert!(names.contains(&released.name.as_str()), "{} is read by no set of events", released.name);
    }
    let sampled: Vec<_> = samples::all().iter().map(Sample::name).collect();
    assert!(names.iter().all(|name| sampled.contains(name)), "a sample of each event");
}

#[test]
fn the_avro_library_reads_the_same_with_the_published_schema() {
    for sample in samples::all() {
        let meta = samples::meta_of(&sample);
        let body = sample.encode();
        let value = frame(&meta, &body).unwrap();
        let released = SCHEMAS.iter().find(|released| released.id == body.schema_id).unwrap();
        let schema = Schema::parse_str(released.text).unwrap();
        let reader = GenericDatumReader::builder(&schema).build().unwrap();
        let mut rest = &value[5..];
        let record = reader.read_value(&mut rest).unwrap();
        assert!(rest.is_empty());
        let apache_avro::types::Value::Record(mut fields) = record else { panic!("a record") };
        let (first, envelope) = fields.remove(0);
        assert_eq!(first, "meta");
        assert_eq!(apache_avro::from_value::<Meta>(&envelope).unwrap(), meta);
        let fields: Vec<_> = fields.into_iter().map(|(name, _)| name).collect();
        let written: Vec<_> = sample.to_json().as_object().unwrap().keys().cloned().collect();
        assert_eq!(fields.len(), written.len());
        assert!(fields.iter().all(|field| written.contains(field)));
    }
}

#[test]
fn an_envelope_with_nothing_optional_reads_back() {
    let sample = samples::all().remove(0);
    let meta =
        Meta { traceparent: None, aggregate_seq: None, lane_seq: i64::MAX, at: -1, lane: 0, ..samples::meta("") };
    let value = frame(&meta, &sample.encode()).unwrap();
    assert_eq!(open(&value).unwrap().meta, meta);
}

#[test]
fn an_event_of_another_service_is_named() {
    let value = frame(&samples::meta("cart:1"), &samples::item_added().encode_body().unwrap()).unwrap();
    let opened = open(&value).unwrap();
    assert!(opened.is::<cart::Event>() && !opened.is::<catalog::Event>());
    let refused = opened.decode::<catalog::Event>().unwrap_err();
    assert!(matches!(&refused, CodecError::OtherSet { name } if name == "feira.cart.v1.ItemAdded"), "{refused}");
}
